"""HTML in customers' and agents' texts, as web forms and help desks store it: told, and made plain."""

from __future__ import annotations

import re
from html.entities import html5
from html.parser import HTMLParser

from store.importing.names import words

_BLOCKS = words(
    "address article aside blockquote div dl dt dd fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav "
    "ol p pre section table tr ul"
)
_APART = frozenset({"p", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "pre"})
_UNSEEN = frozenset({"script", "style", "head", "title", "template", "noscript", "svg"})
_TAGS = (
    *sorted(_BLOCKS),
    *sorted(words("a b br body button center code em font html i iframe img s small span strike strong")),
    *sorted(words("sub sup svg tbody td textarea tfoot th thead u o:p")),
)
_HTML = re.compile(
    rf"</?(?:{'|'.join((*_TAGS, *sorted(_UNSEEN)))})(?:\s[^<>]*)?/?>|<!--"
    r"|&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]\w{1,20});",
    re.IGNORECASE,
)


_LINES = re.compile(rf"<(?:br|{'|'.join(sorted(_BLOCKS))})[\s/>]", re.IGNORECASE)  # then line ends mean nothing else


def holds_html(text: str) -> bool:
    """Whether there are tags or entities of HTML in *text*."""
    return ("<" in text or "&" in text) and any(
        found[0][0] == "<" or found[0][1] == "#" or found[0][1:] in html5 for found in _HTML.finditer(text)
    )


def plain_text(text: str) -> str:
    """*text* without its tags: lines where blocks and breaks were, entities as the characters they stand for.

    What only looks like a tag (``<order number>``) stays."""
    parser = _Plain(_LINES.search(text) is not None)
    parser.feed(text)
    parser.close()
    lines = [" ".join(line.split(" ")).strip() for line in "".join(parser.pieces).replace("\xa0", " ").split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Plain(HTMLParser):
    def __init__(self, collapse: bool) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._collapse = collapse
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line, or note what is not to be seen."""
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "br":
            self.pieces.append("\n")
        elif tag in _BLOCKS:
            self._break(2 if tag in _APART else 1)
            if tag == "li":
                self.pieces.append("- ")
        elif tag in ("td", "th"):
            self.pieces.append(" ")
        elif tag not in _TAGS:
            self._keep(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        """End a line."""
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in _BLOCKS:
            self._break(2 if tag in _APART else 1)
        elif tag not in _TAGS:
            self._keep(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        """Text."""
        self._keep(re.sub(r"[ \t\r\n]+", " ", data) if self._collapse else data)

    def _keep(self, text: str) -> None:
        if not self._unseen:
            self.pieces.append(text)

    def _break(self, lines: int) -> None:
        """At least so many line ends here, unless nothing stands before."""
        tail = "".join(self.pieces[-4:])
        if tail.strip(" ") or self.pieces:
            have = len(tail.rstrip(" ")) - len(tail.rstrip(" ").rstrip("\n"))
            self.pieces.append("\n" * max(0, lines - have))
