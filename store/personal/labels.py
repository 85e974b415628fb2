"""The word that says what a number is: the last one before it counts, so that "call me about order 4155552671" is an
order. And which languages a short text may be in, by its commonest words."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

NEAR = 45  # characters before a number in which a word says what it is

Label = Literal["phone", "id", "passport", "account", "birth", "ip", "other"]

# By language, because a word also tells where a number is from. "" is every language.
PHONE_WORDS = {
    "": r"phone|\btel\b|\bfax\b|whats ?app|\bsms\b|\bmobile?\b|telegram",
    "en": r"\bcall(?:ed|ing)?\b|\bcell\b|\btext(?:ed)? me\b|\b(?:ring|bring|reach) me\b|\breach(?:able)? (?:(?:you|us|him|her|them) )?(?:at|on|under)\b|"
    r"\bmy number is\b",
    "de": r"telefon|handy|\bmobil|\bruf(?:en|t)?\b|anruf|rückruf|erreich|\bmeine nummer\b|durchwahl|festnetz",
    "fr": r"t[ée]l[ée]phon|\bt[ée]l\b|portable|\bappel(?:ez|er|le|é)?\b|rappel(?:ez|er)|joindre|joignable|\bmon num[ée]ro\b|"
    r"\bfixe\b",
    "es": r"tel[ée]fono|\btfno\b|m[óo]vil|celular|\bll[aá]m\w+|contact\w+ (?:al|en el)|\bmi n[úu]mero\b",
    "it": r"telefon|cellulare|\bcell\b|\btrovat\w+ al\b|\btrovarmi al\b|\bchiam\w+|contatt\w+ al\b|recapito|\bil mio numero\b|richiam",
    "nl": r"telefoon|mobiel|\bbel(?:len|t)?\b|terugbel|bereikbaar|bereik\w* (?:me|mij|op)|\bmijn nummer\b",
    "pt": r"telefone|telem[óo]vel|celular|\blig(?:ar|ue|uem|a)\b|contac?t\w+ (?:pelo|para|no)|\bmeu n[úu]mero\b",
    "pl": r"telefon|kom[óo]rk|zadzwo|dzwoni|\bm[óo]j numer\b|oddzwo",
    "sv": r"telefon|mobil|ring(?: mig)?\b",
    "zh": r"电话|手机|致电|联系方式|電話|座机|来电|打给我|联系我",
    "ja": r"電話|携帯|番号は0",
    "ko": r"전화|휴대|연락처",
}
_ID_WORDS = (
    r"\bssn\b|social security|national (?:id|insurance)|\bnhs\b|\bsin\b|\bitin\b|aadhaar|\bpan\b|\bid[- ]?(?:card|number|no)\b|"
    r"identity (?:card|number)|driv(?:er'?s?|ing) licen[cs]e|"
    r"steuer-?id|steuerliche id|identifikationsnummer|\bidnr\b|personalausweis|ausweisnummer|rentenversicherung|"
    r"sozialversicherung|f[üu]hrerschein|"
    r"s[ée]curit[ée] sociale|\bs[ée]cu\b|\bnir\b|carte (?:nationale )?d['’]identit[ée]|"
    r"\bdni\b|\bnie\b|\bnif\b|documento de identidad|c[ée]dula|\bcurp\b|\brut\b|"
    r"codice fiscale|carta d['’]identit[àa]|"
    r"\bbsn\b|burgerservicenummer|sofinummer|identiteitskaart|rijksregisternummer|"
    r"\bcpf\b|contribuinte|cart[ãa]o (?:de|do) cidad[ãa]o|bilhete de identidade|"
    r"\bpesel\w*|dow[óo]d\w* osobist\w*|"
    r"personnummer|henkil|cpr-|身份证|マイナンバー|주민등록"
)
_PASSPORT_WORDS = r"passport|reisepa(?:ss|ß)|\bpass-?(?:nr|nummer)|passeport|pasaporte|passaporto|paspoort|passaporte|paszport|护照|護照"
_ACCOUNT_WORDS = (
    r"\b(?:bank |checking |savings )?account (?:number|no|nr|#)|\bacc(?:oun)?t\.? ?(?:no|nr|number)|\bsort code|routing n|"
    r"bank account|konto-?n(?:umme)?r|bankkonto|\bkonto\b|"
    r"(?:num[ée]ro|n[°º]|no) de compte|\bcompte (?:n[°º]|num[ée]ro|no\b)|compte bancaire|\brib\b|"
    r"(?:n[úu]mero|n[.º°]+) de cuenta|\bcuenta (?:n[.º°]|n[úu]m)|cuenta bancaria|cuenta corriente|"
    r"(?:numero|n[.°]*) (?:di|del) conto|\bconto (?:n\b|nr|num)|conto (?:corrente|bancario)|coordinate bancarie|"
    r"(?:bank)?rekening-?n(?:umme)?r|\brekening (?:nr|num)|bankrekening|"
    r"(?:n[úu]mero|n[.º°]+) d[ae] conta|\bconta (?:n[.º°]|n[úu]m)|conta (?:banc[áa]ria|corrente|poupan[çc]a)|\bnib\b|"
    r"(?:numer\w*|nr) (?:konta|rachunku)|konto bankow\w*|rachun\w+ bankow\w*|"
    "银行账[号户]|银行卡|银行帐[号户]|开户账号|收款账[号户]|打款账[号户]"
)
_BIRTH_WORDS = (
    r"\bborn\b|birth|\bd\.?o\.?b\b|"
    r"geboren|geburts|\bgeb\b|"
    r"\bn[ée]e?\b(?: le)|naissance|anniversaire|"
    r"\bnac[ií]\w*|nacimiento|cumplea[ñn]os|"
    r"\bnat[oa]\b|nascita|compleanno|"
    r"geboorte|verjaardag|\bgeb\b|"
    r"nascid[oa]|nascimento|\bnasci\b|anivers[áa]rio|"
    r"\burodz\w+|\bur\b|"
    r"出生|生日|生于"
)
_IP_WORDS = r"\bip(?:v[46])?\b|ip[- ]?(?:address|adresse|adres)|ip地址"
# Numbers of things. None of them is a person's, and a row of digits after one of them is not looked at again.
_OTHER_WORDS = (
    r"\border|purchase|invoice|ticket|track|shipment|parcel|package|\bref\b|\breference|booking|confirmation|"
    r"\bserial|\bmodel|\bitem|article|product|\bsku\b|\bcase\b|voucher|coupon|vers[iãj]|wersj|firmware|\brelease|\bbuild\b|\bprice|\bamount|"
    r"\bisbn\b|\bean\b|\bpart n|customer (?:no|number|id)|valid until|expir|\bdelivery|delivered|shipped|warranty|"
    r"bestell|rechnung|auftrag|sendung|paket|kunden-?n|artikel|serien|vorgang|gutschein|aktenzeichen|g[üu]ltig|geliefert|liefer|garantie|"
    r"commande|facture|colis|suivi|r[ée]f[ée]rence|\br[ée]f\b|dossier|s[ée]rie|valable|livr(?!eur)|bon d|"
    r"pedido|factura|env[íi]o|seguimiento|referencia|art[íi]culo|n[úu]mero de serie|v[áa]lid|entrega|garant[íi]a|c[óo]digo|"
    r"ordine|fattura|spedizion|tracciament|riferiment|articolo|consegn|pratica|codice (?!fiscale)|"
    r"bestel|factuur|zending|pakket|referentie|levering|geleverd|dossiernummer|"
    r"encomenda|fatura|rastre|refer[êe]ncia|artigo|protocolo|"
    r"zam[óo]wien|faktur|przesy[łl]k|paczk|seryjn|referenc|zg[łl]oszen|wa[żz]n|dostaw|"
    r"订单|单号|运单|快递(?!员)|物流|发票|型号|编号|固件|升级|序列号|货号|版本|单据|金额|价格|截止|有效期|发货"
)
_LABELS = re.compile(
    "|".join(
        f"(?P<{name}>{words})"
        for name, words in (
            ("ip", _IP_WORDS),
            ("passport", _PASSPORT_WORDS),
            ("account", _ACCOUNT_WORDS),
            ("birth", _BIRTH_WORDS),
            ("id", _ID_WORDS),
            ("other", _OTHER_WORDS),
            ("phone", "|".join(PHONE_WORDS.values())),
        )
    ),
    re.IGNORECASE,
)
_PHONE_LANGS = {lang: re.compile(words, re.IGNORECASE) for lang, words in PHONE_WORDS.items() if lang}

_COMMON = {
    "en": "the and is my you i to of for not it have please was this that with on can hello order",
    "de": "der die das und ich ist nicht mein meine mir mich bitte wir sie ein eine für auf mit hallo guten unter von habe",
    "fr": "le la les et je est ne pas mon ma mes vous nous un une pour sur avec bonjour merci au du des ai",
    "es": "el la los y yo es no mi mis usted me un una por para con hola gracias al del en que he mi",
    "it": "il lo la gli e io è non mio mia mi un una per con ciao buongiorno grazie al del sono ho che",
    "nl": "de het en ik is niet mijn u een voor op met hallo graag van ben heb dat kunt me",
    "pt": "o a os as e eu é não meu minha me um uma por para com olá obrigado obrigada ao do da em que",
    "pl": "i w na nie się jest mój moja mi mnie proszę do z dzień dobry to za od mam czy pod o",
    "sv": "och jag är inte min mitt ni ett en för på med hej tack av har det",
}  # fmt: skip
_COMMON_WORDS = {lang: frozenset(words.split()) for lang, words in _COMMON.items()}
_WORDS = re.compile(r"[^\W\d_]+")


@lru_cache(maxsize=32)  # dozens of patterns ask at the same place
def label_before(text: str, place: int) -> tuple[Label | None, str]:
    """What the last telling word before *place* says that a number there is, and that word."""
    last = None
    for match in _LABELS.finditer(text, max(0, place - NEAR), place):
        last = match
    if last is None:
        return None, ""
    return last.lastgroup, last[0]  # type: ignore[return-value]


def phone_languages(word: str) -> tuple[str, ...]:
    """The languages in which *word* speaks of telephones."""
    return tuple(lang for lang, words in _PHONE_LANGS.items() if words.search(word))


def guess(text: str) -> tuple[str, ...]:
    """The languages that *text* may be in, the likeliest first; empty if its words are too few to tell."""
    words = [match[0].lower() for match in _WORDS.finditer(text, 0, 2000)]
    hits = {lang: sum(word in common for word in words) for lang, common in _COMMON_WORDS.items()}
    best = max(hits.values())
    return tuple(
        sorted((lang for lang in hits if hits[lang] and hits[lang] * 3 >= best * 2), key=lambda lang: -hits[lang])
    )
