"""Parts of what was said, to be taken elsewhere."""

from __future__ import annotations

import re

from store.text import clean

_FENCED = re.compile(r"^ {0,3}(`{3,}|~{3,})[^\n]*\n(.*?)(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)


def code_blocks(text: str) -> str:
    """The fenced code in a Markdown *text*, block after block with an empty line between; "" if there is none."""
    return "\n\n".join(match[2].rstrip("\n") for match in _FENCED.finditer(clean(text)))


def quoted(text: str) -> str:
    """*text* as a quotation, ready to be answered below."""
    return "".join(f"> {line}".rstrip() + "\n" for line in clean(text).strip().split("\n")) + "\n"
