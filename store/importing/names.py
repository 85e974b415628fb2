"""The one table of names: what columns, messages, roles and splits are called in the files of other programs.

Every form of file is read by it. A name is compared folded (:func:`fold`): "Customer Message", "customer-message" and
"customerMessage" are one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

Value = TypeVar("Value")

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BETWEEN = re.compile(r"[\W_]+")


@lru_cache(maxsize=4096)
def fold(name: str) -> str:
    """*name* in the form in which names are compared."""
    return _BETWEEN.sub("_", _HUMP.sub("_", name[:200]).casefold()).strip("_")


def words(listed: str) -> frozenset[str]:
    """The words of a list that is written with spaces between them."""
    return frozenset(listed.split())


def folded(row: Mapping[Any, Value]) -> dict[str, Value]:
    """*row* under folded names; of two that fold to one, the first."""
    found: dict[str, Value] = {}
    for name, value in row.items():
        if isinstance(name, str):
            found.setdefault(fold(name), value)
    return found


def first(row: Mapping[str, Value], names: Iterable[str]) -> Value | None:
    """The value of the first of *names* that *row* has one for."""
    return next((row[name] for name in names if row.get(name) is not None), None)


# -- columns ---------------------------------------------------------------------------------------
# What a column can be named for by whoever imports. The last three are of tables with one message a row.
ROLES = ("instruction", "input", "output", "history", "category", "lang", "split", "conversation", "role", "text")

# Names of the two sides; of several that a row has, the first counts.
QUESTIONS = (
    "instruction", "question", "query", "prompt", "customer_message", "user_message", "customer_question", "request",
    "utterance", "input_text", "frage", "pregunta", "domanda", "vraag", "pergunta", "kundenfrage", "问题", "提问",
    "質問", "질문", "q",
)  # fmt: skip
ANSWERS = (
    "output", "response", "answer", "completion", "reply", "target", "answers", "responses", "replies", "outputs",
    "completions", "targets", "agent_response", "agent_reply", "agent_message", "assistant_message", "bot_response",
    "output_text", "solution", "resolution", "antwort", "réponse", "reponse", "respuesta", "risposta", "antwoord",
    "resposta", "回答", "答案", "回复", "回覆", "答え", "답변", "a",
)  # fmt: skip
# Who speaks: in a help desk's table these are as often people's names, so they count beside a name of above only.
QUESTIONERS = ("human", "customer", "user")
ANSWERERS = ("assistant", "agent", "bot", "gpt")
# Names that are a side only where nothing better is there.
WEAK_QUESTIONS = ("input", "description", "message", "body", "subject", "title", "context")
WEAK_ANSWERS = ("body", "content", "text")
SEVERAL = frozenset({"answers", "responses", "replies", "outputs", "completions", "targets"})  # lists, by their name
BELOW = ("input", "context")  # put below the question, as the models of that data were trained
CATEGORY = ("category", "intent")
LANGUAGE = ("lang", "language", "locale")
SPLIT = ("split", "partition", "data_split", "dataset_split")
SPLIT_TOO = ("subset", "set", "fold")  # these say as often something else

# A column called "FAQ Question" or "Answer (agent)" holds one of the words, and none that makes it something else.
_QUESTION_WORDS = frozenset({"instruction", "question", "query", "prompt", "request", "frage", "pregunta", "domanda"})
_ANSWER_WORDS = frozenset({"output", "response", "answer", "completion", "reply", "antwort", "respuesta", "risposta"})
_MESSAGES = frozenset({"description", "message", "body", "subject"})  # beside these, a "customer" is a name
_OTHER_WORDS = words(
    "id ids uid date time times name names count number no status at on type url link email mail score rate rating "
    "start end length size lang language created updated key index idx category tags tag tokens version source model "
    "seconds minutes hours sent"
)


# -- dialogues -------------------------------------------------------------------------------------
# Where a row keeps its messages; of several, the first that holds some.
CARRIERS = (
    "turns", "messages", "conversations", "conversation", "dialogue", "dialog", "dialogues", "chat", "thread",
    "utterances", "comments", "conversation_parts", "replies", "contents",
)  # fmt: skip
WHOLE = frozenset({"turns", "dialogue", "dialog", "comments", "conversation_parts"})  # kept as conversations, too
TEXTS = (
    "content", "value", "text", "utterance", "message", "plain_body", "body_text", "body", "html_body", "comment",
    "comment_body", "comment_text", "message_body", "message_text", "message_content", "msg",
)  # fmt: skip
SPEAKERS = (
    "role",
    "from",
    "speaker",
    "author",
    "sender",
    "who",
    "user_type",
    "author_type",
    "sender_type",
    "author_role",
)
AUTHORS = ("author_id", "sender_id", "user_id", "from_id")  # numbers: who writes first is the customer
REQUESTERS = ("requester_id", "customer_id", "submitter_id", "contact_id")
INCOMING = ("incoming", "inbound", "is_inbound", "is_incoming", "is_customer", "from_customer", "is_user")
OUTGOING = ("outgoing", "outbound", "from_agent", "is_agent", "is_bot", "by_agent", "is_outbound", "from_me")
CONVERSATION = (
    "conversation_id", "ticket_id", "conversation", "ticket", "thread_id", "dialogue_id", "dialog_id", "chat_id",
    "session_id", "case_id", "conv_id", "case_number", "ticket_number", "thread", "case",
)  # fmt: skip
# Whose a conversation is, the plainest first; a number of its own will do to find it again.
CUSTOMERS = (
    "customer", "customer_name", "customer_email", "requester", *REQUESTERS, "user_id", *CONVERSATION,
)  # fmt: skip
ORDER = ("turn_index", "turn_id", "turn", "position", "sequence", "seq", "message_index", "message_number")
TIMES = ("created_at", "timestamp", "created", "sent_at", "time", "date", "datetime", "create_time", "created_time",
         "comment_created_at", "message_created_at", "created_datetime", "sent_datetime")  # fmt: skip

CUSTOMER, BOT, SYSTEM, NOTE, TOOL = "customer", "bot", "system", "note", "tool"
_SIDES = {
    CUSTOMER: "customer user human client prompter visitor guest buyer end_user enduser requester caller shopper "
    "contact lead questioner consumer member patient passenger usr person inquirer asker incoming inbound kunde "
    "kundin cliente usuario utilisateur klant question q 用户 客户 顾客 买家 顧客 お客様 고객",
    BOT: "bot assistant agent gpt chatgpt model bard bing ai operator support admin claude gemini llama staff "
    "representative rep advisor adviser helpdesk seller chatbot employee service support_agent human_agent "
    "customer_service customer_support answerer responder outgoing outbound sys answer a copilot "
    "agente asistente assistente atendente berater beraterin mitarbeiter mitarbeiterin conseiller medewerker "
    "customer_care customer_success client_service csr 客服 机器人 助手 卖家 オペレーター 상담원",
    SYSTEM: "system developer instruction system_prompt",
    NOTE: "note internal_note private_note agent_note internal whisper",
    TOOL: "function_call observation tool tool_call tool_response tool_calls tool_result function ipython environment",
}
SIDES = {word: side for side, listed in _SIDES.items() for word in words(listed)}
DIRECTIONS = ("direction",)
_CARING = words("care success service services relations support help desk team")  # beside "customer": who helps them


@lru_cache(maxsize=1024)
def side_of(word: str) -> str | None:
    """The side that *word* names: by the table, or because one of its words does and no other names another side
    ("Virtual assistant", "User 2", "gpt-4"). None if it is not known."""
    key = fold(word)
    if key in SIDES:
        return SIDES[key]
    parts = [part for part in key.split("_") if len(part) > 1]
    sides = {SIDES[part] for part in parts if part in SIDES} | ({BOT} if _CARING & set(parts) else set())
    return sides.pop() if len(sides) == 1 and len(parts) <= 3 else None


def split_of(word: str) -> str | None:
    """The side, train or heldout, that *word* names; None if it names none ("Test", "test.csv", "train_sft")."""
    key = fold(word)
    return SPLITS.get(key) or SPLITS.get(key.split("_")[0].removesuffix("set"))


# -- splits and wrappers ---------------------------------------------------------------------------
_SPLITS = {
    "train": "train training trn",
    "heldout": "heldout held_out holdout hold_out test testing validation valid val dev development eval evaluation",
}
SPLITS = {word: side for side, listed in _SPLITS.items() for word in words(listed)}
NAMES_OF = {  # every name that stands for a role of ROLES
    "instruction": {*QUESTIONS, *QUESTIONERS},
    "output": {*ANSWERS, *ANSWERERS},
    "input": set(BELOW),
    "history": {"history"},
    "category": set(CATEGORY),
    "lang": set(LANGUAGE),
    "split": set(SPLIT),
    "conversation": set(CONVERSATION),
    "role": set(SPEAKERS),
    "text": set(TEXTS),
}
INNER = ("row", "fields", "attributes", "chat", "example", "ticket", "record", "conversation", "data")


@lru_cache(maxsize=1024)
def sides_of(names: tuple[str, ...]) -> tuple[str | None, str | None, bool]:
    """The columns of the question and of the answer among *names* (folded), and whether both are sure: by names that
    mean nothing else. None for a side that no column is for, or that two are equally fit for."""
    question, answer = _among(names, QUESTIONS), _among(names, ANSWERS)
    if question is None and not set(names) & _MESSAGES:
        question = _among(names, QUESTIONERS)
    if answer is None and question is not None:
        answer = _among(names, ANSWERERS)
    if question and answer:
        return question, answer, True
    question = None if question in QUESTIONERS else question
    question = question or _by_word(names, _QUESTION_WORDS, _ANSWER_WORDS)
    answer = answer or _by_word(names, _ANSWER_WORDS, _QUESTION_WORDS) or _among(names, WEAK_ANSWERS)
    if question is None:
        question = _among(tuple(name for name in names if name != answer), WEAK_QUESTIONS)
    return question, answer, False


def _among(names: tuple[str, ...], known: tuple[str, ...]) -> str | None:
    return next((name for name in known if name in names), None)


def _by_word(names: tuple[str, ...], wanted: frozenset[str], others: frozenset[str]) -> str | None:
    """The only one of *names* that holds one of *wanted*, and none that says it is something else."""
    fitting = [
        name for name in names if wanted & (parts := set(name.split("_"))) and not parts & (_OTHER_WORDS | others)
    ]
    return fitting[0] if len(fitting) == 1 else None
