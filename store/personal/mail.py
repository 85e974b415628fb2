"""E-mail addresses, but those of a role."""

from __future__ import annotations

import re
from collections.abc import Iterator

from store.personal.finding import Finding

_EMAIL = re.compile(r"(?<![\w.+\-%])[\w.+\-%]{1,64}@(?:[\w\-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w@])", re.ASCII)
# Who is written to at a role address is the shop, or nobody.
_ROLES = re.compile(
    r"(?:(?:customer|client|user|tech|online|web|shop|store|guest)[._-]?)?(?:support|service|services|care|help|"
    r"helpdesk|info|contact|hello|hi|sales|shop|store|orders?|returns?|refunds?|billing|accounts?|payments?|invoices?|"
    r"no-?reply|do-?not-?reply|admin|administrator|office|team|press|media|privacy|legal|security|abuse|jobs|careers|"
    r"webmaster|postmaster|feedback|enquiries|inquiries|reservations?|bookings?|marketing|newsletter|news|mail|"
    r"reception|complaints?|example|user|username|name|you|your|youremail|your\.?name|email)\d{0,2}",
    re.IGNORECASE,
)


def emails(text: str) -> Iterator[Finding]:
    """Addresses of people."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            if _ROLES.fullmatch(match[0].partition("@")[0]) is None:
                yield Finding(match.start(), match.end(), "email")
