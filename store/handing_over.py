"""What a customer is told where the conversation is handed over to people: the desk's own sentence, or a default."""

from __future__ import annotations

from store.settings import Settings
from store.text import detect_language

DEFAULTS = {
    "en": "I am not sure about this, so I have passed your question on. One of my colleagues will answer you here.",
    "zh": "这个问题我不太确定, 已经转给我的同事。他们会在这里回复您。",
    "ja": "こちらについては確かなお答えができないため、担当者に引き継ぎました。こちらでご返信いたします。",
    "ko": "이 질문은 제가 확실히 답변드리기 어려워 담당자에게 전달했습니다. 여기에서 답변드리겠습니다.",
    "de": "Das weiß ich nicht sicher und habe Ihre Frage weitergegeben. Jemand aus unserem Team antwortet Ihnen hier.",
    "fr": "Je n'en suis pas certain et j'ai transmis votre question. Un de mes collègues vous répondra ici.",
    "es": "No estoy seguro de esto y he pasado su pregunta. Uno de mis compañeros le responderá aquí.",
    "it": "Non ne sono sicuro e ho inoltrato la sua domanda. Un mio collega le risponderà qui.",
    "nl": "Dit weet ik niet zeker en ik heb uw vraag doorgegeven. Een collega antwoordt u hier.",
    "pl": "Nie mam co do tego pewności, więc przekazałem Pana/Pani pytanie. Kolega odpowie tutaj.",
    "pt": "Não tenho a certeza e passei a sua pergunta. Um dos meus colegas vai responder-lhe aqui.",
}


def hand_over_sentence(settings: Settings, message: str, lang: str | None = None) -> str:
    """The sentence for a customer who wrote *message*, in the language *lang* (None: told by its script, where English
    stands for all that are written with spaces). A desk that names one sentence has it said to everybody whose language
    it names none for."""
    own = {name.casefold(): str(sentence) for name, sentence in settings.hand_over_message.items()}
    told = lang or detect_language(message)
    if not own:
        return DEFAULTS.get(told, DEFAULTS["en"])
    return own.get(told) or own.get("en") or next(iter(own.values()))
