"""Who somebody is: names in the usual greetings and closings, and dates of birth."""

from __future__ import annotations

import re
from collections.abc import Iterator

from store.personal.finding import Finding
from store.personal.labels import label_before
from store.personal.places import UPPER

_ONE = rf"[{UPPER}][^\W\d_]+(?:['’\-][^\W\d_]+)*|[{UPPER}]\."
_LINK = r"(?:van der|van den|van de|ten|ter|van|von|zu|de la|de los|de|den|del|della|di|da|dos|das|do|du|le|la|O['’]) ?"
_LAST = rf"(?:{_LINK})?(?:{_ONE})"
_NAME = rf"(?P<name>{_LAST}(?: {_LAST}){{0,3}})"
_WHOLE = rf"(?P<name>(?:{_ONE})(?: {_LAST}){{1,3}})"  # two words at least
# Words that begin with a capital letter after a greeting and are nobody's name.
_NOBODY_WORDS = """customer customers client clients team support sir madam friend friends all everyone everybody valued colleague
    colleagues guest user member shop store service services sales help desk helpdesk company manager department
    office staff reader subscriber partner there again folks guys people agent operator admin bot chatbot assistant
    mr mrs ms miss sirs ladies gentlemen whom recruiter hiring the your our my this and or please thank thanks i we you
    kunde kundin kunden kundenservice kundendienst damen herren herr frau team zusammen leute freunde service ihr euer
    client cliente clienti clienta madame monsieur messieurs mesdames tous équipe service votre notre le la l les
    señor señora señores equipo amigo amigos todos tienda su vuestro el los atención
    signore signora signori squadra gentile servizio assistenza tutti il lo vostro spett spettabile
    klant klanten heer mevrouw iedereen allemaal klantenservice uw het de onze
    senhor senhora senhores equipe equipa atendimento suporte o a seu sua
    pan pani państwo panie panowie zespole zespół zespołu klient kliencie drogi droga szanowni obsługa
    soporte asistencia suporte assistência assistance ayuda aiuto ajuda pomoc hulp hilfe obsługo clientes gente chicos chicas ragazzi ragazze
    pessoal galera ludzie wszyscy wszystkim jongens mensen collega collega's kollegen kolleginnen jungs mädels chers chères colegas colleghi
    amici amis vrienden przyjaciele boa bom buenas buenos good guten goede dzień
    best kind warm regards mit met con com z von from sent"""
_NOBODY = frozenset(_NOBODY_WORDS.split())
_EN_TITLE = r"(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Sir|Madam|Professor|Doctor)\b\.?"
# Each with what one of is in every text that it could find something in, in lower case.
_GREETINGS = (
    # A title says that a name follows; what stands before the title is a greeting.
    (("mr", "mrs ", "ms ", "ms.", "miss ", "mx ", "dr.", "dr ", "prof", "doctor"), rf"\b(?:[Dd]ear|[Hh]ello|[Hh]i|[Hh]ey|[Gg]ood (?:morning|afternoon|evening)|[Gg]reetings)[ ,]+{_EN_TITLE} {_NAME}"),
    (("herr", "frau"), rf"\b(?:[Ss]ehr geehrter?|[Gg]eehrter?|[Ll]iebe[r]?|[Hh]allo|[Gg]uten (?:Tag|Morgen|Abend)|[Gg]rüß Gott|[Mm]oin)[ ,]+(?:Herrn?|Frau)(?: (?:Dr|Prof)\.)* {_NAME}"),
    (("monsieur", "madame", "mademoiselle", " m.", " mme", " mlle", " dr", "docteur"), rf"\b(?:[Bb]onjour|[Bb]onsoir|[Cc]her|[Cc]hère|[Ss]alut)[ ,]+(?:[Mm]onsieur|[Mm]adame|[Mm]ademoiselle|M\.|Mme\.?|Mlle\.?|Dr\.?|Docteur) {_NAME}"),
    ((" sr", " señor", " don", " doña", " d.", " dña", " dr"), rf"\b(?:[Ee]stimad[oa]|[Aa]preciad[oa]|[Qq]uerid[oa]|[Hh]ola|[Bb]uen(?:os|as) (?:días|tardes|noches))[ ,]+(?:[Ss]r\.?|[Ss]ra\.?|[Ss]rta\.?|[Ss]eñor(?:a|ita)?|[Dd]on|[Dd]oña|[Dd]\.|[Dd]ña\.|Dra?\.) {_NAME}"),
    ((" sig", " dott", " avv", " ing."), rf"\b(?:[Gg]entile|[Gg]ent\.mo|[Ee]gregio|[Cc]ar[oa]|[Ss]alve|[Bb]uon ?giorno|[Bb]uonasera|[Ss]pett\.le)[ ,]+(?:[Ss]ig\.ra|[Ss]ig\.na|[Ss]ig\.|[Ss]ignora?|[Ss]ignorina|[Dd]ott\.ssa|[Dd]ott\.|[Dd]ottor(?:essa)?|[Aa]vv\.|[Ii]ng\.) {_NAME}"),
    (("heer ", "mevr", "meneer", " mw.", " dhr.", " dr."), rf"\b(?:[Gg]eachte|[Bb]este|[Hh]allo|[Gg]oede(?:morgen|middag|navond)|[Ll]ieve)[ ,]+(?:heer|mevrouw|meneer|mevr\.|mw\.|dhr\.|dr\.) {_NAME}"),
    ((" ex", " sr", " senhor", " dona", " d.", " dr"), rf"\b(?:[Cc]ar[oa]|[Pp]rezad[oa]|[Ee]x\.?m[oa]\.?|[Oo]lá|[Bb]om dia|[Bb]oa (?:tarde|noite)|[Ee]stimad[oa])[ ,]+(?:[Ss]r\.ª|[Ss]r\.|[Ss]ra?\.|[Ss]enhora?|[Dd]ona|[Dd]\.|Dra?\.) {_NAME}"),
    ((" pan",), rf"\b(?:[Ss]zanown[aey]|[Dd]rog[ai]|[Dd]zień dobry|[Ww]itam)[ ,]+(?:Pani[e]?|Pana|Panu|Pan) {_NAME}"),
    # Without a title: what ends the greeting must follow.
    (("dear", "hi ", "hello", "hey", "lieb", "hallo", "cher", "chère", "bonjour", "estimad", "querid", "hola", "gentile", "caro ", "cara ", "ciao", "beste", "lieve", "prezad", "olá", "drog", "cześć"), rf"\b(?:[Dd]ear|Hi|Hello|Hey|Liebe[r]?|Hallo|Cher|Chère|Bonjour|Estimad[oa]|Querid[oa]|Hola|Gentile|Car[oa]|Ciao|Beste|Lieve|Prezad[oa]|Olá|Drog[ai]|Cześć) {_NAME}(?=\s*(?:[,!:–]|\n))"),
    # What somebody says of themselves.
    (("y name", "ull name"), rf"\b[Mm]y (?:full )?name(?: is|'s|’s) {_NAME}"),
    (("this is",), rf"\b[Tt]his is {_WHOLE} (?:speaking|here|from)\b"),
    (("mein name", "ich hei", "ich bin"), rf"\b(?:[Mm]ein Name (?:ist|lautet)|[Ii]ch hei(?:ß|ss)e|[Ii]ch bin (?:Herr|Frau)) {_NAME}"),
    (("appelle", "mon nom", "je suis"), rf"\b(?:[Jj]e m['’]appelle|[Mm]on nom est|[Jj]e suis (?:M\.|Mme|Monsieur|Madame)) {_NAME}"),
    (("me llamo", "mi nombre"), rf"\b(?:[Mm]e llamo|[Mm]i nombre es) {_NAME}"),
    (("mi chiamo", "mio nome"), rf"\b(?:[Mm]i chiamo|[Ii]l mio nome è) {_NAME}"),
    (("mijn naam", "ik heet"), rf"\b(?:[Mm]ijn naam is|[Ii]k heet) {_NAME}"),
    (("chamo", "meu nome"), rf"\b(?:[Cc]hamo-me|[Mm]e chamo|(?:[Oo] )?[Mm]eu nome é) {_NAME}"),
    (("nazywam", "mam na imi"), rf"\b(?:[Nn]azywam się|[Mm]am na imię) {_NAME}"),
    (("name:", "name :", "nom:", "nom :", "nombre:", "nome:", "naam:", "nazwisko:"), rf"(?:^|\n)\s*(?:Name|Full name|Vor- und Nachname|Nom|Nombre|Nome|Naam|Imię i nazwisko)\s*: *{_NAME}"),
)  # fmt: skip
# Who it is, at the beginning: first and last name after a greeting, so that "this is Really Bad" is none.
_HELLO = re.compile(
    rf"\W*(?i:hi|hey|hello|hallo|guten (?:tag|morgen|abend)|moin|bonjour|bonsoir|salut|hola|buen(?:os|as) \w+|ciao|buon ?giorno|buonasera|salve|"
    rf"hoi|goede(?:morgen|middag|navond)|good (?:morning|afternoon|evening)|oi|olá|bom dia|boa (?:tarde|noite)|hej|cześć|dzień dobry|witam)(?: there| again)?[\s,.!]+"
    rf"(?i:this is|it['’]?s|hier ist|hier|c['’]est|ici|soy|sono|met|dit is|é|aqui é|sou|aqui fala|tu|tutaj|z tej strony)(?i: (?:again|noch ?mal|wieder|encore))? {_WHOLE}(?=[\s,.!?]|$)"
)
_CLOSINGS = (
    # Closings: what stands on the next line, or after a comma at the end.
    rf"\b(?:(?:[Kk]ind|[Bb]est|[Ww]arm|[Mm]any)? ?[Rr]egards|[Bb]est wishes|[Ss]incerely(?: yours)?|[Yy]ours (?:truly|sincerely|faithfully)|[Rr]espectfully|Cheers|Thanks|Thank you|Many thanks|Best|"
    r"(?:[Mm]it )?(?:[Ff]reundlichen?|[Bb]esten?|[Vv]iele[n]?|[Ll]iebe[n]?|[Hh]erzliche[n]?|[Ss]chöne[n]?) Grü(?:ß|ss)en?|Gru(?:ß|ss)|MfG|LG|VG|"
    r"(?:[Bb]ien )?[Cc]ordialement|[Ss]incèrement|[Bb]ien à vous|(?:[Ss]incères|[Mm]eilleures|[Cc]ordiales) salutations|[Rr]espectueusement|"
    r"(?:[Uu]n )?(?:[Cc]ordial )?[Ss]aludos?(?: cordiales?)?|[Aa]tentamente|[Cc]ordialmente|"
    r"(?:[Cc]ordiali|[Dd]istinti|[Mm]igliori|[Tt]anti) saluti|[Ss]aluti|"
    r"[Mm]et (?:vriendelijke|hartelijke) groet(?:en)?|[Vv]riendelijke groet(?:en)?|[Gg]roet(?:en|jes)?|[Hh]oogachtend|"
    r"[Aa]tenciosamente|(?:[Cc]om os )?(?:[Mm]elhores )?[Cc]umprimentos|[Aa]braços|Att\.?|Danke|Vielen Dank|Merci|Bises|Bisous|Gracias|Muchas gracias|Grazie|Bedankt|Dank u|Obrigad[oa]|Dziękuję|Dzięki|"
    rf"(?:[Zz] )?(?:poważaniem|wyrazami szacunku)|[Pp]ozdrawiam(?: serdecznie)?|[Pp]ozdrowienia)(?:,? *\n\s*|, +|[.!] *\n\s*){_NAME}(?=\s*(?:$|\n|[.,]?\s*$))",
    r"\b(?:[Cc]ordialement|[Aa]tentamente|Pozdrawiam|Grü(?:ß|ss)en?|groet(?:en)?|saluti|poważaniem|Cumprimentos|Atenciosamente|salutations|Saludos) "
    rf"{_WHOLE}(?=\s*(?:$|\n|[.,]?\s*$))",
    rf"\b(?:LG|VG|MfG) {_NAME}(?=\s*$)",
)  # fmt: skip
_CLOSING_SIGNS = (
    "egards", "ishes", "incerely", "yours", "espectfully", "cheers", "thank", "best", "grüß", "gruß", "grüss", "gruss", "mfg", "lg",
    "vg", "ordial", "incèrement", "bien à vous", "salutations", "espectueu", "saludo", "tentamente", "saluti", "groet", "hoogachtend",
    "tenciosamente", "umprimentos", "braços", "att", "poważaniem", "szacunku", "dank", "merci", "bises", "bisous", "gracias", "grazie", "obrigad", "dzięk", "ozdrawiam", "ozdrowienia",
)  # fmt: skip
_CLOSING = 160  # characters at the end of a text in which a closing and a name stand
_COMPILED_GREETINGS = tuple((signs, re.compile(pattern)) for signs, pattern in _GREETINGS)
_COMPILED_CLOSINGS = tuple(re.compile(pattern) for pattern in _CLOSINGS)
_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹"
    "洪靳霍关甘柴鲍柯阮桂柳骆焦鲁葛岳祝左翟梅庞詹倪严牛温季俞章伍韦尤毕聂向邢齐莫庄管舒耿牟路凌费纪盛童甄项曲游席卫屈覃翁景单柏宁"
    "熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文申裴"
)
_HAN_NAME = rf"(?P<name>(?:欧阳|司马|诸葛|上官|[{_SURNAMES}])[\u4e00-\u9fff]{{1,2}})"
_CHINESE = tuple(map(re.compile, (
    rf"(?:我叫|我的名字[是叫]|名字叫|我是叫|本人|姓名[是为]?[:：]? ?|收[件货]人[是为]?[:：]? ?|户名[是为]?[:：]? ?|^[您你]好[，,！! ]*我是|联系人[是为]?[:：]? ?){_HAN_NAME}(?=[^\u4e00-\u9fff]|$|想|要|的|是|在|有|，)",
    rf"(?:谢谢|此致|敬上|祝好|敬礼)[!！。]?\s*\n\s*{_HAN_NAME}(?=\s*$)",
    rf"(?:^|[\n。！])(?P<name>(?:欧阳|司马|诸葛|上官|[{_SURNAMES}]))(?:先生|女士|小姐|太太)(?=[您你]好|[，,：:！])",
    rf"(?:尊敬的|亲爱的|[您你]好[，, ]?)(?P<name>(?:欧阳|司马|诸葛|上官|[{_SURNAMES}])[\u4e00-\u9fff]{{0,2}}?)(?:先生|女士|小姐|太太)",
)))  # fmt: skip

_MONTHS = (
    r"(?:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|se[pt]|o[ck]t|nov|de[cz]|janv|f[ée]vr|mars|avr|juin|juil|ao[ûu]|d[ée]c|ene|abr|ago|dic|"
    r"gen|mag|giu|lug|set|ott|mrt|maart|mei|fev|maio|out|dez|stycz|lut|kwie|maj|czerw|lip|sierp|wrze|pa[źz]dz|listop|grud)[^\W\d_]*\.?"
)
_YEAR = r"(?:19\d\d|20[01]\d)"  # of somebody who writes to a shop
_BIRTH = re.compile(
    rf"(?<![0-9A-Za-z.\-/])(?:\d{{1,2}}(?:\.|º|er|st|nd|rd|th)?(?: de)? {_MONTHS}(?: de|,)? {_YEAR}|{_MONTHS} \d{{1,2}}(?:st|nd|rd|th)?,? {_YEAR}|"
    rf"\d{{1,2}}([./\-]) ?\d{{1,2}}\1 ?(?:{_YEAR}|\d\d)|(?<!\d )\d{{1,2}} \d{{1,2}} {_YEAR}(?! ?\d)|{_YEAR}([./\-])\d{{1,2}}\2\d{{1,2}}|{_YEAR} ?年 ?\d{{1,2}} ?月 ?\d{{1,2}} ?[日号]?)(?![0-9A-Za-z\-/]|\.\d)",
    re.IGNORECASE,
)
_BIRTH_SIGNS = (
    "born", "birth", "dob", "d.o.b", "gebor", "geb.", "geb ", "geburt", "né ", "née ", "naissance", "anniv", "nac", "nasc",
    "cumple", "nato", "nata", "complea", "geboorte", "verjaar", "urodz", "ur.", "出生", "生日", "生于",
)  # fmt: skip
_BORN_AFTER = re.compile(r",? ?(?:geboren|geb\.|born|出生|nacid[oa]|nat[oa]\b|urodz)", re.IGNORECASE)


def names(text: str) -> Iterator[Finding]:
    """Names in greetings, closings, and where somebody says theirs. "Dear customer" and "your team" are none."""
    lower = text.lower()
    matches = [
        match
        for signs, pattern in _COMPILED_GREETINGS
        if any(sign in lower for sign in signs)
        for match in pattern.finditer(text)
    ]
    if hello := _HELLO.match(text):
        matches.append(hello)
    end = max(0, len(text) - _CLOSING)
    if any(sign in lower[end:] for sign in _CLOSING_SIGNS):
        matches += [match for pattern in _COMPILED_CLOSINGS for match in pattern.finditer(text, end)]
    for match in matches:
        words = [word.strip(".'’").lower() for word in re.split(r"[ \-]", match["name"]) if word[:1].isupper()]
        if words and words[0] not in _NOBODY and words[-1] not in _NOBODY:
            yield Finding(match.start("name"), match.end("name"), "name")
    if not text.isascii():
        for pattern in _CHINESE:
            for match in pattern.finditer(text):
                yield Finding(match.start("name"), match.end("name"), "name")


def birthdates(text: str) -> Iterator[Finding]:
    """Dates of which a word says that somebody was born then."""
    lower = text.lower()
    if not any(sign in lower for sign in _BIRTH_SIGNS):
        return
    for match in _BIRTH.finditer(text):
        if label_before(text, match.start())[0] == "birth" or _BORN_AFTER.match(text, match.end()):
            yield Finding(match.start(), match.end(), "birthdate")
