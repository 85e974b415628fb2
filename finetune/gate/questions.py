"""What versions are asked to be judged by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Protocol

from bot.types import Expected, Prompt
from store.words import BASE, Exchange, Version


class Question(Protocol):
    """What is asked and what should be said: a pair of the store, or a question of a file."""

    @property
    def instruction(self) -> str: ...
    @property
    def history(self) -> tuple[Exchange, ...]: ...
    @property
    def output(self) -> str: ...
    @property
    def lang(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class FileQuestion:
    """A question that is in no store. ``lang`` None: told by the script of the answer."""

    instruction: str
    output: str
    history: tuple[Exchange, ...] = ()
    lang: str | None = None


@dataclass(frozen=True, slots=True)
class Questions:
    """Prompts in their order. ``limits``: the most tokens of the answer to a prompt, where that is less than a reply
    may have; ``drafts``: what a version may well answer, which saves the time to generate it."""

    prompts: Sequence[Prompt]
    limits: Mapping[Prompt, int] = field(default_factory=lambda: MappingProxyType({}))
    drafts: Mapping[Prompt, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def unique(self) -> list[Prompt]:
        """The prompts without repetitions, in their order."""
        return list(dict.fromkeys(self.prompts))

    def only(self, prompts: Sequence[Prompt]) -> Questions:
        """These of them, with the same limits and drafts."""
        return replace(self, prompts=prompts)

    def to(self, version: Version) -> Questions:
        """As they are put to *version*: the bare base was never taught what is expected, so drafts would only cost."""
        return replace(self, drafts=MappingProxyType({})) if version == BASE else self

    def expected(self, prompts: Sequence[Prompt], most: int) -> Expected:
        """What is known of the answers to *prompts*, of which none may have more than *most* tokens."""
        limits = tuple(self.limits.get(prompt, most) for prompt in prompts) if self.limits else None
        return Expected(limits, tuple(map(self.drafts.get, prompts)) if self.drafts else None)

    def by_size(self) -> list[Prompt]:
        """Each prompt once, those with similar limits and lengths together: a batch takes as long as its longest
        answer."""
        return sorted(self.unique, key=lambda prompt: (self.limits.get(prompt, 0), _length(prompt)))


def prompt_of(question: Question, system: str) -> Prompt:
    """*question* as the chat would ask it."""
    return Prompt(system, tuple((customer, bot) for customer, bot in question.history), question.instruction)


def _length(prompt: Prompt) -> int:
    """Characters, which is near enough to tokens to bring similar lengths together."""
    return len(prompt.message) + sum(len(text) for exchange in prompt.history for text in exchange)
