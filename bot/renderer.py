"""Which renderer a base is rendered by: a number, beside a test of golden ids (``tests/bot/test_golden.py``).

A prompt that is rendered otherwise makes another model of the same weights, so the number is a part of a base's
fingerprint. Whoever changes what :mod:`bot.render` makes of a prompt raises :data:`RENDERER` and enters it below for
the forms that changed, and for those alone: versions on other bases stay as good as they were. Needs no torch.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

RENDERER = 3
DATED = "strftime_now"  # by this name a template asks for today's date
# How bases differ in what the renderer does for them:
# turns: a chat template; thinking: one that knows how not to think aloud; unmarked: one whose turns end with an added
# token that the tokenizer does not call special; dated: one that asks for the date, whatever else it does; lines: no
# template.
Form = Literal["turns", "thinking", "unmarked", "dated", "lines"]
SINCE: dict[Form, int] = {"turns": 1, "thinking": 2, "unmarked": 2, "dated": 3, "lines": 2}
"""The renderer by which each form is rendered as it is."""
# Before there were numbers the mark was a hash of the renderer's source. This one was in force when they began, and
# stands for number 1 for ever: so versions that were published under it are still known as their base's.
FIRST = "e42e66a7df21af99"


def renderer_mark(folder: Path) -> str:
    """What stands for the renderer in the fingerprint of the base in *folder*."""
    number = SINCE[form_of(folder)]
    return FIRST if number == 1 else str(number)


def form_of(folder: Path) -> Form:
    """How the base in *folder* is rendered, as far as its files tell; no template is run for it."""
    facts = [_facts(folder / name) for name in ("chat_template.jinja", "tokenizer_config.json", "tokenizer.json")]
    return _form_of(folder, *facts)


@lru_cache(maxsize=32)
def _form_of(folder: Path, *facts: tuple[int, int]) -> Form:
    """Read once until one of the files changes: a tokenizer may be 10 MB of JSON."""
    config = _object(folder / "tokenizer_config.json")
    template = _template(folder, config)
    if template is None:
        return "lines"
    if DATED in template:
        return "dated"
    if "enable_thinking" in template:
        return "thinking"
    end = _content(config.get("eos_token"))
    if "eos_token" in template or (end and end in template):
        return "turns"
    written = {text: special for text, special in _added(folder, config).items() if text in template}
    begin = _content(config.get("bos_token"))
    closing = [special for text, special in written.items() if text != begin]
    return "unmarked" if closing and not any(closing) else "turns"


def _template(folder: Path, config: dict[str, Any]) -> str | None:
    """The chat template in force; of several the one called default."""
    try:
        return (folder / "chat_template.jinja").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        found = config.get("chat_template")
    if isinstance(found, list):
        named = {one.get("name"): one.get("template") for one in found if isinstance(one, dict)}
        found = named.get("default") or next(iter(named.values()), None)
    return found if isinstance(found, str) else None


def _added(folder: Path, config: dict[str, Any]) -> dict[str, bool]:
    """The tokens that were added to the vocabulary, each with whether it is called special."""
    rows = _object(folder / "tokenizer.json").get("added_tokens") or list(
        (config.get("added_tokens_decoder") or {}).values()
    )
    tokens = {str(row.get("content")): bool(row.get("special")) for row in rows if isinstance(row, dict)}
    return {text: special for text, special in tokens.items() if len(text) > 1 and not text.isspace()}


def _content(token: Any) -> str:
    found = token.get("content") if isinstance(token, dict) else token
    return found if isinstance(found, str) else ""


def _object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _facts(path: Path) -> tuple[int, int]:
    try:
        facts = path.stat()
    except OSError:
        return -1, -1
    return facts.st_mtime_ns, facts.st_size
