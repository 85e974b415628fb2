"""The one renderer: chat, training and gate turn a prompt into token ids here and nowhere else.

Whoever changes what comes out raises the number in :mod:`bot.renderer`; ``tests/bot/test_golden.py`` says so, too.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import Any

from jinja2.exceptions import TemplateError

from bot import lines
from bot.renderer import DATED
from bot.types import Prompt

# For templates that know how: a customer waits for the answer, and pairs hold no thoughts to learn. In chat, training
# and gate alike, so that what is learned is what is asked.
ALOUD = {"enable_thinking": False, "thinking": False}
# Some write today's date into every prompt. A version must be asked tomorrow what it learned and was judged by today,
# and a kept answer must stay the answer to its question, so for all of them it is one day for ever: the one Llama's
# own template takes where nobody tells it. Whoever wants the bot to know the day says it in the system message.
DAY = datetime(2024, 7, 26)
_SIGNS = [*"aAbBdemyYjHIMSp", "-d", "-m"]
_DIRECTIVES = "".join(f"|replace('%{sign}', '{DAY.strftime(f'%{sign}')}')" for sign in _SIGNS)
# A function can't be given to a template, but one can be written before it.
_ONE_DAY = f"{{% macro strftime_now(format) %}}{{{{ format{_DIRECTIVES} }}}}{{% endmacro %}}{{{{ '' }}}}"
QUESTION, ANSWER = "A question?", "An answer."  # what a template is tried with


def render(tokenizer: Any, prompt: Prompt) -> list[int]:
    """The token ids of *prompt* up to where the bot's answer begins.

    Nothing a customer writes becomes a control token: text that looks like one is tokenized as plain text."""
    if tokenizer.chat_template is None:
        return _render_plain(tokenizer, prompt)
    messages: list[dict[str, str]] = []
    for customer, bot in prompt.history:
        messages += [{"role": "user", "content": customer}, {"role": "assistant", "content": bot}]
    messages.append({"role": "user", "content": prompt.message})
    if prompt.system and not takes_system(tokenizer):  # Gemma's template, for one
        messages[0]["content"] = f"{prompt.system}\n\n{messages[0]['content']}"
    elif prompt.system or default_system(tokenizer):
        # An empty turn where there is no system message: Qwen's own would say who it is and who made it.
        messages.insert(0, {"role": "system", "content": prompt.system})
    ids = tokenizer.apply_chat_template(
        messages,
        chat_template=_template(tokenizer),
        add_generation_prompt=True,
        tokenize=True,
        return_dict=False,
        sanitize_control_tokens=True,
        **ALOUD,
    )
    return [int(token) for token in ids]


def render_pair(tokenizer: Any, prompt: Prompt, output: str) -> tuple[list[int], list[int]]:
    """Token ids of prompt, output and end of turn, and a mask of the same length: 1 where the model is to learn.

    The mask goes by position: in many bases the end-of-turn token is the padding token too, and masking by id
    would teach the bot never to stop."""
    question, answer = render(tokenizer, prompt), render_answer(tokenizer, output)
    return question + answer, [0] * len(question) + [1] * len(answer)


def render_answer(tokenizer: Any, output: str) -> list[int]:
    """The token ids of an answer after its prompt, as the bot learns and says it: with the end of turn."""
    return [*plain_ids(tokenizer, _answer_form(tokenizer, output)), end_of_turn(tokenizer)]


@lru_cache(maxsize=8)
def end_of_turn(tokenizer: Any) -> int:
    """The id of the token that ends the bot's turn: what the chat template writes after an answer, which need not be
    the tokenizer's end of text (it isn't in Qwen's untuned bases), nor called special; without such a token the end of
    text. Raises :class:`ValueError` if there is neither."""
    if getattr(tokenizer, "chat_template", None) is not None:
        rest = _written(tokenizer).rpartition(ANSWER)[2]
        marks = {mark: rest.index(mark) for mark in _added_tokens(tokenizer) if mark in rest}
        if marks:
            return int(tokenizer.convert_tokens_to_ids(min(marks, key=lambda mark: (marks[mark], -len(mark)))))
    if tokenizer.eos_token_id is None:
        raise ValueError("This model's tokenizer has no end-of-turn token.")
    return int(tokenizer.eos_token_id)


@lru_cache(maxsize=8)
def takes_system(tokenizer: Any) -> bool:
    """Whether the chat template has a place for a system message."""
    mark = "A system message."
    messages = [{"role": "system", "content": mark}, {"role": "user", "content": QUESTION}]
    try:
        return mark in _text(tokenizer, messages)
    except TemplateError:
        return False


@lru_cache(maxsize=8)
def default_system(tokenizer: Any) -> str:
    """What the chat template says to the bot where nobody says anything; empty if nothing."""
    if not takes_system(tokenizer):
        return ""
    user = {"role": "user", "content": QUESTION}
    alone = _text(tokenizer, [user])
    silent = _text(tokenizer, [{"role": "system", "content": ""}, user])
    return alone if len(alone) > len(silent) else ""


def stop_ids(tokenizer: Any, config: Any) -> list[int]:
    """Every id at which generation stops: the end of turn, and what the base's own config names."""
    named = getattr(config, "eos_token_id", None)
    others = named if isinstance(named, list) else [] if named is None else [named]
    own = [] if tokenizer.eos_token_id is None else [int(tokenizer.eos_token_id)]
    return sorted({end_of_turn(tokenizer), *own, *(int(token) for token in others)})


def plain_ids(tokenizer: Any, text: str) -> list[int]:
    """*text* as tokens none of which is a control token, whatever it says."""
    controls = _control_tokens(tokenizer)
    if not controls or not any(control in text for control in controls):
        return [int(token) for token in tokenizer(text, add_special_tokens=False)["input_ids"]]
    # Cut inside every control token, so that the tokenizer meets it in two pieces that mean nothing.
    pattern = re.compile("|".join(re.escape(control) for control in sorted(controls, key=len, reverse=True)))
    pieces, place = [], 0
    for match in pattern.finditer(text):
        pieces.append(text[place : match.start() + 1])
        place = match.start() + 1
    pieces.append(text[place:])
    ids: list[int] = []
    for piece in pieces:
        ids += (
            plain_ids(tokenizer, piece)
            if any(c in piece for c in controls)
            else [int(token) for token in tokenizer(piece, add_special_tokens=False)["input_ids"]]
        )
    return ids


@lru_cache(maxsize=8)
def _control_tokens(tokenizer: Any) -> tuple[str, ...]:
    """The tokens that only we may write: the special ones, and those the template writes around turns."""
    special = [token.content for token in tokenizer.added_tokens_decoder.values() if token.special]
    written = "" if getattr(tokenizer, "chat_template", None) is None else _written(tokenizer)
    around = [text for text in _added_tokens(tokenizer) if text in written]
    return tuple(dict.fromkeys(text for text in special + around if len(text) > 1))


def _added_tokens(tokenizer: Any) -> list[str]:
    """The texts of the tokens that were added to the vocabulary, special or not, but for white space."""
    texts = [token.content for token in tokenizer.added_tokens_decoder.values()]
    return [text for text in texts if len(text) > 1 and not text.isspace()]


def _written(tokenizer: Any) -> str:
    """What the template makes of one exchange."""
    messages = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": ANSWER}]
    return _text(tokenizer, messages)


def _text(tokenizer: Any, messages: list[dict[str, str]]) -> str:
    return str(tokenizer.apply_chat_template(messages, chat_template=_template(tokenizer), tokenize=False, **ALOUD))


def _template(tokenizer: Any) -> str:
    """The chat template in force, for which every day is the same."""
    template = str(tokenizer.get_chat_template())
    return _ONE_DAY + template if DATED in template else template


def _answer_form(tokenizer: Any, output: str) -> str:
    """The output as it stands after the prompt: the plain form ends in a colon, so a space comes first."""
    return output if tokenizer.chat_template is not None else f" {output}"


@lru_cache(maxsize=8)
def _front(tokenizer: Any) -> tuple[int, ...]:
    """What the tokenizer itself puts before a text, such as Gemma's beginning of text, without which it reads badly.
    A chat template writes it; in the plain form we do."""
    text = "a"
    bare = [int(token) for token in tokenizer(text, add_special_tokens=False)["input_ids"]]
    whole = [int(token) for token in tokenizer(text)["input_ids"]]
    starts = [place for place in range(len(whole)) if whole[place : place + len(bare)] == bare]
    return tuple(whole[: starts[0]]) if starts else ()


def _render_plain(tokenizer: Any, prompt: Prompt) -> list[int]:
    ids = [*_front(tokenizer)]
    ids += plain_ids(tokenizer, lines.SYSTEM.format(system=prompt.system)) if prompt.system else []
    for customer, bot in prompt.history:
        turn = lines.CUSTOMER.format(text=lines.said(customer)) + lines.BOT + f" {lines.said(bot)}"
        ids += [*plain_ids(tokenizer, turn), end_of_turn(tokenizer), *plain_ids(tokenizer, lines.END)]
    return ids + plain_ids(tokenizer, lines.CUSTOMER.format(text=lines.said(prompt.message)) + lines.BOT)
