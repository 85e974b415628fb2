"""What a base knew before it learned the desk's answers: fifty questions that have nothing to do with any desk.

Tuning narrows a model: it learns what the desk says and forgets other things. How far it has gone is measured without
judging any answer: the base's own answers to these questions are kept once, and each version is asked how likely it
finds them. The **drift** is how much less likely than the base does, in nats per token: 0 is none, and each 0.7 halves
the probability of every word the base would say.
"""

from __future__ import annotations

from dataclasses import dataclass

LIMIT = 2.5
"""Nats per token from which the gate warns. The default recipe on the sample desk came to 1.6: such a version still
talks of other things, in the desk's tone. At 2.5 a word the base was sure of is left with a twelfth of its chance."""
ANSWER_TOKENS = 32  # of each of the base's answers: enough to tell, and fifty of them are asked in half a minute

QUESTIONS = (
    "What is the capital of France?", "Name three primary colours.", "What is seven times eight?",
    "Who wrote Romeo and Juliet?", "What is the largest planet of our solar system?", "How many days has a leap year?",
    "What does a thermometer measure?", "Why is the sky blue?", "What is the opposite of cold?",
    "Translate 'good morning' into Spanish.", "What do bees make?", "How many legs has a spider?",
    "Write a sentence about the sea.", "What is the boiling point of water in degrees Celsius?",
    "Name an animal that lives in the desert.", "What is photosynthesis?", "What comes after Wednesday?",
    "Explain gravity to a child.", "Give me a word that rhymes with light.", "What is the square root of 81?",
    "Which ocean lies between Europe and America?", "What is a haiku?", "Who painted the Mona Lisa?",
    "How do you make tea?", "What is the plural of mouse?", "Name two programming languages.",
    "What is a triangle?", "When did the Second World War end?", "What is the chemical sign of gold?",
    "Describe a rainbow in one sentence.", "What is the difference between a lake and a river?",
    "How many minutes are there in two hours?", "What does a doctor do?", "Name a musical instrument with strings.",
    "What is the currency of Japan?", "Summarise the story of Cinderella in two sentences.", "What is an island?",
    "Is a tomato a fruit or a vegetable?", "What is the tallest mountain on Earth?", "What is a noun?",
    "Give three tips for sleeping well.", "What is 15 percent of 200?", "Which season follows autumn?",
    "What is the heart for?", "Complete the proverb: the early bird", "中国的首都是哪里?", "一年有几个月?",
    "用一句话介绍月亮。", "水是由什么组成的?", "请写出三种水果的名字。",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a version has gone from the base: ``nats`` per token on ``questions`` general questions."""

    nats: float
    questions: int

    @property
    def far(self) -> bool:
        """Whether the gate warns."""
        return self.nats > LIMIT

    @property
    def sentence(self) -> str:
        """For the operator."""
        told = f"On {self.questions} general questions it is {self.nats:.2f} nats a token away from the base"
        if not self.far:
            return f"{told}."
        return (
            f"{told}, past {LIMIT:g}: it may answer other questions oddly. "
            "Fewer epochs or a lower learning rate keep it closer."
        )
