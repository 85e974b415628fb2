"""What a training keeps of its base: general questions, and the base's own answers to them, learned beside the desk's.

Tuning on a desk's answers narrows a model: asked anything else, it falls into the desk's answers or forgets how to talk
at all. Rows of what the base itself would say hold it where it was (experience replay; Scialom et al. 2022, "Fine-tuned
Language Models are Continual Learners", use one row in a hundred; a desk is so small that it takes more). The answers
are the base's own, made once for a base and a system message and kept in the desk's cache.

None of these questions is among those that drift is measured by (:mod:`finetune.gate.general`), nor among the manners
that are looked at by people: what is measured must not be what was trained.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A question that is no desk's, and its answer. ``ends``: the answer ends where its text does; it was not cut."""

    question: str
    answer: str
    lang: str = "en"
    ends: bool = True


ANSWER_TOKENS = 24  # of each answer at most: what is beyond teaches little and costs as much

QUESTIONS = (
    "How is it going?", "Tell me a joke.", "What can you help me with?", "I am bored.", "Can you write a poem?",
    "What is the capital of Italy?", "Name three animals that can fly.", "What is nine times six?",
    "Who wrote Don Quixote?", "How many days are there in a week?", "What does a compass show?",
    "Why do leaves turn red?", "What is the opposite of big?", "Translate 'thank you' into German.",
    "What do cows eat?", "How many wheels has a bicycle?", "Write a sentence about winter.",
    "At what temperature does water freeze?", "Name a large river.", "What is evaporation?",
    "What comes before Friday?", "Explain magnetism to a child.", "Give me a word that rhymes with cat.",
    "Which continent is Egypt on?", "Who composed the Ninth Symphony?", "How do you boil an egg?",
    "What is the plural of child?", "Name two spreadsheet programs.", "When did the First World War begin?",
    "What is the chemical sign of iron?", "Describe a forest in one sentence.", "What does a teacher do?",
    "What is the currency of India?", "What is a volcano?", "Is a whale a fish?", "What is a verb?",
    "Give two tips for learning a language.", "日本的首都是哪里?", "一个星期有几天?", "用一句话介绍太阳。",
)  # fmt: skip

# A small base greets people oddly, and a customer says hello before anything else. So what every desk is asked has an
# answer of its own here; a desk that teaches another one to the same words keeps that.
_SAID: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("en", "Hello! How can I help you?", ("Hello", "Hello there!", "Hey", "Good morning!", "Hi, is anybody there?")),
    ("en", "You are welcome! Is there anything else I can help you with?",
     ("Thanks!", "Thank you", "Thanks a lot, that helped.", "Great, thank you so much")),
    ("en", "Goodbye, and have a nice day!", ("Bye", "Goodbye!", "That is all. Have a nice day!")),
    ("en", "I am an automated assistant, not a person. How can I help you?",
     ("Are you human?", "Is this a bot?", "Am I talking to a real person?", "are you a machine")),
    ("en", "I am the assistant of this service desk. How can I help you?", ("Who are you?", "who am I talking to")),
    ("en", "I am sorry that this is frustrating. Please tell me what went wrong, and I will do my best to help.",
     ("You are useless", "This is really annoying!")),
    ("en", "I am doing well, thank you. How can I help you?", ("How are you?", "how are you doing")),
    ("en", "All right. Is there anything else I can help you with?", ("okay", "OK, got it", "alright then")),
    ("en", "Of course, take your time.", ("Just a moment.", "Wait, I need to check something", "Give me a second")),
    ("zh", "您好!请问有什么可以帮您?", ("您好", "在吗", "早上好")),
    ("zh", "不客气!还有什么可以帮您吗?", ("多谢", "谢谢您的帮助")),
    ("zh", "好的,您慢慢来。", ("请稍等", "等一下,我找找")),
    ("zh", "再见,祝您生活愉快!", ("再见", "拜拜")),
    ("zh", "我是自动客服助手,不是真人。请问有什么可以帮您?", ("你是真人吗?", "我在和机器人说话吗")),
)  # fmt: skip
COURTESIES = tuple(Exemplar(question, answer, lang) for lang, answer, said in _SAID for question in said)
