"""Where somebody lives, and where somebody's machine is: street addresses and IP addresses.

A shop's, a hotel's and a museum's address are no secret. So a street counts where a word before it says that it is
somebody's ("my address", "deliver to") and none speaks of a shop.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from itertools import zip_longest

from store.personal.finding import Finding
from store.personal.labels import label_before

UPPER = "A-ZÀ-ÖØ-ÞĄĆĘŁŃŚŹŻČĎĚŇŘŠŤŮŽŐŰ"
_CAP = rf"[{UPPER}][^\W\d_]*(?:['’.\-][^\W\d_]+)*\.?"
# A full stop ends the sentence, but after "St."
_TOWN = rf"(?:[{UPPER}][^\W\d_]{{0,2}}\.(?= )|[{UPPER}][^\W\d_]*(?:['’\-][^\W\d_]+)*)"
_CITY = rf"{_TOWN}(?:[ \-](?:[a-zà-ÿ]{{1,4}}[ \-])?{_TOWN}){{0,3}}"
_SMALL = r"(?:(?:de la|de las|de los|de l['’]|de|del|della|delle|dei|degli|di|da|dal|do|dos|das|du|des|d['’]|la|le|les|l['’]|"
_SMALL += r"el|los|las|e|y|et|von|van|van de|van der|der|den|het) ?)"
_NO = r"\d{1,4}(?: ?[A-Za-z](?![^\W\d_]))?(?: ?[-–/] ?\d{1,4}[A-Za-z]?)?"
_US_STREET = (
    r"(?:Street|St|Avenue|Ave|Av|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Way|Place|Pl|Terrace|Ter|Close|Crescent|"
    r"Square|Sq|Parkway|Pkwy|Highway|Hwy|Circle|Cir|Trail|Trl|Gardens?|Grove|Mews|Row|Hill|Alley|Loop|Path|Pike|Plaza|"
    r"Walk|View|Park|Point|Ridge|Run|Turnpike|Green|Meadows?|Mount|Rise|Bridge|Crossing|Cove|Creek|Heights|Junction|Key|"
    r"Knolls?|Landing|Manor|Mills?|Pass|Pine|Port|Shores?|Springs?|Spur|Station|Summit|Track|Valley|Village|Vista|Wells|Yard)"
)
# Each: what a street with its number looks like, what may stand between that and the town, and the postcode with the town.
_STREETS = {
    "en": (
        rf"\b\d{{1,5}}[A-Za-z]?,? (?:[NSEW]\.? )?(?:{_CAP} |\d{{1,3}}(?:st|nd|rd|th) ){{1,4}}?{_US_STREET}\b\.?(?: [NSEW]{{1,2}}\b)?",
        r"(?:,? (?:Apt|Apartment|Suite|Ste|Unit|Flat|Fl|#)\.? ?#?\w{1,5})?",
        rf",?\s+(?:{_CITY},?\s+){{1,3}}(?:[A-Z]{{2}},? \d{{5}}(?:-\d{{4}})?|[A-Z]{{1,2}}\d[A-Z\d]? ?\d[A-Z]{{2}})\b",
    ),
    "de": (
        rf"\b(?:[{UPPER}][^\W\d_]*(?:-[{UPPER}][^\W\d_]*)*(?:stra(?:ß|ss)e|str\.|weg|gasse|platz|allee|ring|damm|ufer|steig|chaussee|"
        rf"promenade|markt|graben|wall|stieg|pfad|berg|hof|park)|(?:{_CAP}[ -]){{1,3}}(?:Stra(?:ß|ss)e|Str\.|Weg|Gasse|Platz|Allee|Ring|Damm|"
        rf"Ufer|Chaussee|Promenade)|(?:Am|An der|Auf dem|Auf der|Im|In der|Zum|Zur|Unter den|Hinter der) {_CAP}(?: {_CAP})?) {_NO}",
        "",
        rf",?\s+(?:(?:D|A|CH)-)?\d{{4,5}}\s+{_CITY}",
    ),
    "fr": (
        rf"\b\d{{1,4}}(?: ?(?:bis|ter|quater|[A-D]))?,? (?:[Rr]ue|[Aa]venue|[Aa]v\.|[Bb]oulevard|[Bb]d\.?|[Pp]lace|[Cc]hemin|[Aa]llée|[Ii]mpasse|"
        rf"[Qq]uai|[Rr]oute|[Cc]ours|[Ss]quare|[Pp]assage|[Ss]entier|[Vv]illa|[Rr]uelle|[Ff]aubourg) {_SMALL}{{0,3}}{_CAP}(?:[ -]{_SMALL}{{0,2}}{_CAP}){{0,3}}",
        r"(?:,? (?:appartement|appt?\.?|bâtiment|bât\.?|étage) ?\w{1,4})?",
        rf",?\s+(?:F-|B-)?\d{{5}}\s+{_CITY}",
    ),
    "es": (
        rf"(?:\b(?:[Cc]alle|[Aa]venida|[Aa]vda\.?|[Aa]v\.|[Pp]laza|[Pp]za\.?|[Pp]aseo|[Pp]º|[Rr]onda|[Cc]amino|[Cc]arretera|[Tt]raves[ií]a|[Gg]lorieta|"
        rf"[Cc]uesta|[Pp]asaje|[Cc]allej[óo]n|[Rr]ambla|[Aa]lameda|[Cc]allejuela|[Cc]añada|[Uu]rbanizaci[óo]n|[Vv][íi]a)|\b[Cc]/) ?{_SMALL}{{0,3}}{_CAP}(?: {_SMALL}{{0,2}}{_CAP}){{0,3}},? (?:n[.º°]* ?)?{_NO}",
        r"(?:,? (?:piso |puerta |escalera |bloque )?\d{1,2}(?!\d) ?[ºª°]?(?: ?[A-Z]\b)?)?",
        rf",?\s+(?:{_CITY},\s+)?\d{{5}}(?:\s+{_CITY})?",
    ),
    "it": (
        rf"\b(?:[Vv]ia|[Vv]iale|[Pp]iazza|[Pp]iazzale|[Pp]iazzetta|[Cc]orso|[Ll]argo|[Vv]icolo|[Ss]trada|[Cc]ontrada|[Bb]orgo|[Ss]tretto|[Rr]otonda|[Cc]anale|[Ll]ungomare|[Ss]alita|[Rr]ione) "
        rf"{_SMALL}{{0,3}}{_CAP}(?: {_SMALL}{{0,2}}{_CAP}){{0,3}},? (?:n[.º°]* ?)?{_NO}",
        r"(?:,? (?:[Aa]ppartamento|[Ii]nterno|int\.|[Pp]iano|scala) ?\w{1,4})?",
        rf",?\s+\d{{5}},?\s+{_CITY}",
    ),
    "nl": (
        rf"\b[{UPPER}][^\W\d_]*(?:[ -]{_CAP}){{0,2}}(?:straat|laan|weg|plein|gracht|kade|singel|dijk|hof|pad|steeg|dreef|ring|plantsoen|baan|park|"
        rf"boulevard|markt|wal) {_NO}",
        r"(?: ?(?:bis|hs|[IVX]{1,3}))?",
        rf",?\s+\d{{4}} ?[A-Z]{{2}},?\s+{_CITY}",
    ),
    "pt": (
        rf"\b(?:[Rr]ua|[Aa]venida|[Aa]v\.?|[Tt]ravessa|[Pp]ra[çc]a|[Ll]argo|[Aa]lameda|[Ee]strada|[Rr]odovia|[Bb]eco|[Cc]alçada|[Rr]\.) "
        rf"{_SMALL}{{0,3}}{_CAP}(?: {_SMALL}{{0,2}}{_CAP}){{0,4}},? (?:n[.º°]* ?)?{_NO}",
        r"(?:,? (?:\d{1,2}(?!\d)[.º°]* ?(?:[Ee]sq\.?|[Dd]to\.?|andar)?|[Aa]pto?\.? ?\d+|[Bb]loco \w+))?",
        rf",?\s+(?:{_CITY},?\s+)?(?:\d{{4}}-\d{{3}}|\d{{5}}-\d{{3}})(?:\s+(?:d[aeo]s? )?{_CITY})?",
    ),
    "pl": (
        rf"\b(?:ul\.|[Uu]lic[ay]|al\.|[Aa]lej[aei]|pl\.|[Pp]lac[u]?|os\.|[Oo]siedl[eu]) ?(?:\d{{1,2}} )?{_CAP}(?: {_CAP}){{0,3}} {_NO}(?:/\d{{1,3}})?",
        r"(?: ?m\. ?\d{1,3})?",
        rf",?\s+\d{{2}}-\d{{3}}\s+{_CITY}",
    ),
}  # fmt: skip
_PATTERNS = {
    lang: re.compile(f"(?:{street}){between}(?:{town})?") for lang, (street, between, town) in _STREETS.items()
}
# Signs of each language's streets, to look for before its pattern is tried. All are lower case.
_SIGNS = {
    "de": ("straße", "strasse", "str.", "weg ", "gasse", "platz", "allee", "ring ", "damm ", "ufer ", "steig ", "chaussee", "promenade",
           "markt ", "graben ", "wall ", "stieg ", "pfad ", "berg ", "hof ", "park ",),
    "fr": ("rue", "avenue", "av.", "boulevard", "bd", "place", "chemin", "allée", "impasse", "quai", "route", "cours", "square", "passage", "sentier", "villa", "faubourg"),
    "es": ("calle", "c/", "avenida", "avda", "av.", "plaza", "pza", "paseo", "pº", "ronda", "camino", "carretera", "traves", "glorieta", "cuesta", "pasaje", "rambla", "alameda", "cañada", "urbanizaci", "vía", "via"),
    "it": ("via", "piazza", "corso", "largo", "vicolo", "strada", "contrada", "borgo", "stretto", "rotonda", "canale", "lungomare", "salita", "rione"),
    "nl": ("straat", "laan", "weg ", "plein", "gracht", "kade", "singel", "dijk", "hof ", "pad ", "steeg", "dreef", "ring ", "plantsoen", "baan ", "park ", "boulevard", "markt ", "wal "),
    "pt": ("rua", "avenida", "av", "travessa", "praça", "praca", "largo", "alameda", "estrada", "rodovia", "beco", "calçada", "r. "),
    "pl": ("ul.", "ulic", "al.", "alej", "pl.", "plac", "os.", "osiedl"),
}  # fmt: skip
_CHINESE = re.compile(
    r"(?:[\u4e00-\u9fff]{2,6}(?:省|自治区))?(?:[\u4e00-\u9fff]{2,6}市)?(?:[\u4e00-\u9fff]{1,6}[区县镇乡])*"
    r"[\u4e00-\u9fff0-9]{1,8}(?:路|街|道|巷|弄|胡同|里|村)\d{1,5}[号弄](?:[\u4e00-\u9fff]{0,6}?[A-Za-z0-9]{1,5}[号座栋幢楼室层单元户]{1,2})*"
)
_LED_IN = re.compile("(?:[\u4e00-\u9fff]{0,5}[是在为到于])*")
# Streets have a hundred types. After a word that says whose it is, what ends in a postcode and a town is an address.
_POSTAL = re.compile(
    r"[\s:,\-–]*(?:(?:is|now|at|to|it|the|new|from|on|in|lautet|ist|jetzt|nun|an|nach|die|est|le|au|à|es|ahora|en|a|la|el|al|è|ora|nu|op|naar|é|agora|"
    r"em|na|no|para|jest|teraz|przy|pod|w)\b[\s:]*){0,4}"
    r"(?P<address>(?P<street>(?:[^\n!?;]{2,60}?(?:,\s*|\s*\n\s*|\s+)){1,3}?)(?<![\dA-Za-z])(?:"
    rf"(?:[A-Z]{{1,2}}-)?\d{{4,5}},?\s+{_CITY}|\d{{4}} ?[A-Z]{{2}},?\s+{_CITY}|\d{{2}}-\d{{3}}\s+{_CITY}|\d{{4}}-\d{{3}}\s+{_CITY}|"
    rf"\d{{5}}-?\d{{3}},?\s+{_CITY}(?: ?[/\-] ?[A-Z]{{2}}\b)?|{_CITY},?\s+(?:[A-Z]{{2,4}}\.?,? )?\d{{5}}(?:-\d{{4}})?\b|"
    rf"{_CITY},?\s+[A-Z]{{1,2}}\d[A-Z\d]? ?\d[A-Z]{{2}}\b)(?: \([A-Z]{{2}}\))?)"
)
_POSTCODE = re.compile(
    r"(?<![\w.,])(?:\d{5}(?:-?\d{3,4})?\b|\d{4},?\s+[^\W\d_a-z]|\d{4} ?[A-Z]{2}\b|\d{2}-\d{3}\b|\d{4}-\d{3}\b|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b)"
)
_AT_MOST = 250  # characters of an address, and of the words before it that say whose it is
_SMALL_WORD = re.compile(r"\b[a-zà-ÿ]{3,}")
_HOUSE = re.compile(r"\d|[Ss]/[Nn]|\b(?:rue|avenue|boulevard|chemin|allée|impasse|quai|route|place)\b")
_ENGLISH_NUMBER = re.compile(r"\d{1,5}[A-Za-z]?,? (?:[A-Z]|\d)")
_SOMEBODYS = re.compile(
    r"\bmy (?:new |home |billing |postal |shipping |delivery |mailing |old |current )?(?:address|house|flat|home|place)|\bI (?:now )?live\b|\bI(?:'m| am) at\b|"
    r"\b(?:ship|deliver|send|post|mail|sent|shipped|delivered)\b[^.!?]{0,30}\bto\b|(?:shipping|delivery|billing|home|mailing|postal) address|\bmoved to\b|address:|"
    r"wohne|(?:liefer|rechnungs|privat|wohn)?(?:adresse|anschrift)|(?:liefer|schick|send)\w*[^.!?]{0,30}\b(?:an|nach)\b|umgezogen|wohnhaft|"
    r"habite|adresse|domicili|livr\w+[^.!?]{0,30}\b(?:à|au)\b|envoy\w+[^.!?]{0,30}\b(?:à|au)\b|déménag|"
    r"\bvivo\b|direcci[óo]n|domicilio|env[íi]\w*[^.!?]{0,30}\ba\b|mudado|"
    r"\babito\b|indirizzo|residen(?:te|za)|sped\w+[^.!?]{0,30}\ba\b|consegn\w+[^.!?]{0,30}\b(?:a|in)\b|trasferit|"
    r"\bwoon\b|adres\b|bezorg\w*[^.!?]{0,30}\b(?:op|naar)\b|stu(?:ur|ren)[^.!?]{0,30}\bnaar\b|verhuisd|"
    r"\bmoro\b|morada|endere[çc]o|envi\w+[^.!?]{0,30}\bpara\b|entreg\w+[^.!?]{0,30}\b(?:na|em|para)\b|mudei|"
    r"mieszkam|adres(?:em|u)?\b|wys[łl]\w+[^.!?]{0,30}\bna\b|dostarcz\w+|przeprowadzi|zamieszka|"
    r"我的?(?:新|收货)?地址|新地址|收货地址|住在|我家|寄到|送到|发到|收货|搬到",
    re.IGNORECASE,
)
_SHOPS = re.compile(
    r"\b(?:our\b|visit|store|shop|office|headquarters?|located|hotel|restaurant|museum|theat|warehouse|showroom|branch|park|return(?:s)? (?:address|cent)|(?:their|its|the|his|her) address|rated|house at|"
    r"unser|filiale|laden|gesch[äa]ft|b[üu]ro|zentrale|sitz|ausstellung|"
    r"notre|nos\b|magasin|boutique|agence|siège|situé|"
    r"nuestr|tienda|oficina|sede|ubicad|sucursal|"
    r"nostr|negozio|ufficio|situat|punto vendita|"
    r"onze|ons\b|winkel|kantoor|gevestigd|vestiging|"
    r"noss|loja|escrit[óo]rio|situad|ag[êe]ncia|"
    r"nasz|sklep|biur|siedzib|salon)|公司|门店|酒店|总部|位于|店|院|馆|景点",
    re.IGNORECASE,
)
_BEFORE = 70  # characters before a street in which a word says whose it is

_IPV4 = re.compile(r"(?<![\w.\-/:])\d{1,3}(?:\.\d{1,3}){3}(?![\w\-]|\.\d)", re.ASCII)
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])", re.ASCII)
_RESOLVERS = frozenset({"8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "4.4.4.4", "114.114.114.114"})


def ips(text: str) -> Iterator[Finding]:
    """Public addresses of machines; private ones, everybody's resolvers and numbers of versions are none."""
    for match in _IPV4.finditer(text):
        label = label_before(text, match.start())[0]
        numbers = match[0].split(".")
        # 4.18.0.138 is a version, unless it is said to be an address.
        looks = sum(int(number) > 31 for number in numbers) >= 2 and label != "other"
        if (label == "ip" or looks) and match[0] not in _RESOLVERS and _is_public(match[0]):
            yield Finding(match.start(), match.end(), "ip")
    for match in _IPV6.finditer(text):
        if match[0].count(":") >= 3 and _is_public(match[0]):
            yield Finding(match.start(), match.end(), "ip")


def _is_public(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return False


def addresses(text: str) -> Iterator[Finding]:
    """Streets with a number, somebody's: with the postcode and the town that follow."""
    lower = text.lower()
    if "号" in text:
        for match in _CHINESE.finditer(text):
            if _is_somebodys(text, match.start()):
                # "my address is at": Chinese leaves no gap before the town
                start = match.start() + len(_LED_IN.match(match[0])[0])  # type: ignore[index]
                yield Finding(start, match.end(), "address")
    found = list(_postal(text))
    for lang, pattern in _PATTERNS.items():
        if _ENGLISH_NUMBER.search(text) if lang == "en" else any(sign in lower for sign in _SIGNS[lang]):
            for match in pattern.finditer(text):
                if _is_somebodys(text, match.start()):
                    found.append(Finding(match.start(), match.end(), "address"))
    # Two languages may see the same street, and one of them its town too.
    yield from sorted(found, key=lambda one: one.start - one.end)


def _postal(text: str) -> Iterator[Finding]:
    """What ends in a postcode and a town, and begins where a word says whose it is."""
    spans = [(max(0, code.start() - _AT_MOST), code.start()) for code in _POSTCODE.finditer(text)]
    if not spans:
        return
    leads = list(_SOMEBODYS.finditer(text, spans[0][0], spans[-1][1]))
    for lead, following in zip_longest(leads, leads[1:]):
        match = _POSTAL.match(text, lead.end())
        if match is None or _HOUSE.search(match["street"]) is None:
            continue
        if following is not None and following.start() < match.end():
            continue  # "I have moved. My new address is": the last one counts
        words = _SMALL_WORD.findall(match["street"])  # "our shop", before the street that is not Park Lane
        shop = _SHOPS.search(text, max(0, lead.start() - _BEFORE), match.start("address")) or _SHOPS.search(
            " ".join(words)
        )
        if shop is None and len(words) < 5:
            yield Finding(match.start("address"), match.end("address"), "address")


def _is_somebodys(text: str, place: int) -> bool:
    begin = max(0, place - _BEFORE)
    # A word of the street itself may be the one: Chinese leaves no gap.
    return _SHOPS.search(text, begin, place) is None and _SOMEBODYS.search(text, begin, place + 8) is not None
