"""The one renderer: chat, training and gate turn a prompt into token ids here and nowhere else."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2.exceptions import TemplateError

from bot.types import Prompt

# What a base without a chat template (Pythia, say) is given. Plain words, one speaker a line.
PLAIN_SYSTEM = "{system}\n\n"
PLAIN_CUSTOMER = "Customer: {text}\n"
PLAIN_BOT = "Agent:"
# Text of ours between the end of an answer and the next turn in the plain form.
PLAIN_END = "\n"


def renderer_version() -> str:
    """The hash of this module's text: a part of the base's fingerprint, since a prompt that is rendered otherwise
    makes another model of the same weights."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]


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
        messages, add_generation_prompt=True, tokenize=True, return_dict=False, sanitize_control_tokens=True
    )
    return [int(token) for token in ids]


def render_pair(tokenizer: Any, prompt: Prompt, output: str) -> tuple[list[int], list[int]]:
    """Token ids of prompt, output and end of turn, and a mask of the same length: 1 where the model is to learn.

    The mask goes by position: in many bases the end-of-turn token is the padding token too, and masking by id
    would teach the bot never to stop."""
    question = render(tokenizer, prompt)
    answer = [*plain_ids(tokenizer, _answer_form(tokenizer, output)), end_of_turn(tokenizer)]
    return question + answer, [0] * len(question) + [1] * len(answer)


@lru_cache(maxsize=8)
def end_of_turn(tokenizer: Any) -> int:
    """The id of the token that ends the bot's turn: what the chat template writes after an answer, which need not be
    the tokenizer's end of text (it isn't in Qwen's untuned bases); without such a token the end of text. Raises
    :class:`ValueError` if there is neither."""
    if getattr(tokenizer, "chat_template", None) is not None:
        answer = "An answer."
        messages = [{"role": "user", "content": "A question?"}, {"role": "assistant", "content": answer}]
        rest = tokenizer.apply_chat_template(messages, tokenize=False).rpartition(answer)[2]
        marks = {mark: rest.index(mark) for mark in _control_tokens(tokenizer) if mark in rest}
        if marks:
            return int(tokenizer.convert_tokens_to_ids(min(marks, key=lambda mark: (marks[mark], -len(mark)))))
    if tokenizer.eos_token_id is None:
        raise ValueError("This model's tokenizer has no end-of-turn token.")
    return int(tokenizer.eos_token_id)


@lru_cache(maxsize=8)
def takes_system(tokenizer: Any) -> bool:
    """Whether the chat template has a place for a system message."""
    mark = "A system message."
    messages = [{"role": "system", "content": mark}, {"role": "user", "content": "A question?"}]
    try:
        return mark in tokenizer.apply_chat_template(messages, tokenize=False)
    except TemplateError:
        return False


@lru_cache(maxsize=8)
def default_system(tokenizer: Any) -> str:
    """What the chat template says to the bot where nobody says anything; empty if nothing."""
    if not takes_system(tokenizer):
        return ""
    user = {"role": "user", "content": "A question?"}
    alone = str(tokenizer.apply_chat_template([user], tokenize=False))
    silent = str(tokenizer.apply_chat_template([{"role": "system", "content": ""}, user], tokenize=False))
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


def _control_tokens(tokenizer: Any) -> list[str]:
    return [
        token.content for token in tokenizer.added_tokens_decoder.values() if token.special and len(token.content) > 1
    ]


def _answer_form(tokenizer: Any, output: str) -> str:
    """The output as it stands after the prompt: the plain form ends in a colon, so a space comes first."""
    return output if tokenizer.chat_template is not None else f" {output}"


def _render_plain(tokenizer: Any, prompt: Prompt) -> list[int]:
    ids = plain_ids(tokenizer, PLAIN_SYSTEM.format(system=prompt.system)) if prompt.system else []
    for customer, bot in prompt.history:
        ids += plain_ids(tokenizer, PLAIN_CUSTOMER.format(text=customer) + PLAIN_BOT + f" {bot}")
        ids += [end_of_turn(tokenizer), *plain_ids(tokenizer, PLAIN_END)]
    return ids + plain_ids(tokenizer, PLAIN_CUSTOMER.format(text=prompt.message) + PLAIN_BOT)
