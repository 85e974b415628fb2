"""Made-up messages to a shop, with and without personal data, in nine languages. Written after the rules that they
measure, by other templates; names, streets, numbers come from faker, check digits from its own or from python-stdnum."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import import_module
from typing import Any

import phonenumbers
from faker import Faker

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "pl", "zh")
LOCALES = {
    "en": ("en_US", "en_GB"), "de": ("de_DE", "de_AT"), "fr": ("fr_FR",), "es": ("es_ES", "es_MX"), "it": ("it_IT",),
    "nl": ("nl_NL",), "pt": ("pt_PT", "pt_BR"), "pl": ("pl_PL",), "zh": ("zh_CN",),
}  # fmt: skip

# {x} is where the datum stands.
TEMPLATES: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "email": ("Could you resend the confirmation to {x}? Nothing arrived.", "{x} is the mail I registered with."),
        "phone": ("If the driver gets lost he can call {x}.", "You can reach me at {x} after six.", "Mobile: {x}"),
        "card": ("I was charged twice on card {x}, please check.", "the card was {x} and it got declined"),
        "iban": ("Please refund to {x}, not to the old one.", "Bank details for the refund: {x}"),
        "id": ("My social security number is {x}, do you need it for the credit check?", "SSN {x}"),
        "passport": ("For the booking: passport number {x}, expires soon.", "Passport no. {x}"),
        "account": ("Transfer it to account number {x} at my bank.", "My bank account is {x}."),
        "birthdate": ("I was born on {x}, so I am old enough.", "Date of birth: {x}"),
        "address": ("Please deliver it to {x}.", "I have moved, my new address is {x}"),
        "ip": ("I keep getting blocked, my IP address is {x}.", "Login attempts come from {x} every night."),
        "name": ("Dear Mr {l}, thank you for your patience.", "Hi, my name is {n} and I lost my parcel.", "When will it be fixed?\n\nKind regards,\n{n}"),
    },
    "de": {
        "email": ("Die Rechnung bitte an {x} schicken.", "Ich habe mich mit {x} angemeldet."),
        "phone": ("Der Fahrer soll vorher unter {x} anrufen.", "Sie erreichen mich abends unter {x}.", "Handy: {x}"),
        "card": ("Von meiner Karte {x} wurde doppelt abgebucht.", "Kreditkarte {x} wird nicht angenommen"),
        "iban": ("Bitte erstatten Sie auf {x}.", "Meine neue Bankverbindung lautet {x}, danke."),
        "id": ("Meine Steuer-ID ist {x}.", "Für das Formular: Steueridentifikationsnummer {x}"),
        "passport": ("Meine Reisepassnummer lautet {x}.", "Reisepass-Nr. {x} für die Buchung"),
        "account": ("Überweisen Sie es auf die Kontonummer {x}.", "Kontonr. {x} bei der Sparkasse"),
        "birthdate": ("Ich bin am {x} geboren.", "Geburtsdatum: {x}"),
        "address": ("Liefern Sie es bitte an {x}.", "Ich bin umgezogen, die neue Anschrift ist {x}"),
        "ip": ("Ich werde gesperrt, meine IP-Adresse ist {x}.", "Die Anmeldungen kommen von {x}."),
        "name": ("Sehr geehrter Herr {l}, vielen Dank für Ihre Geduld.", "Guten Tag, mein Name ist {n}, wo bleibt mein Paket?", "Wann kommt es?\n\nMit freundlichen Grüßen\n{n}"),
    },
    "fr": {
        "email": ("Pouvez-vous renvoyer la facture à {x} ?", "Je me suis inscrit avec {x}."),
        "phone": ("Le livreur peut m'appeler au {x}.", "Je suis joignable le soir au {x}.", "Portable : {x}"),
        "card": ("J'ai été débité deux fois sur la carte {x}.", "ma carte {x} est refusée"),
        "iban": ("Merci de rembourser sur {x}.", "Voici mon nouveau compte : {x}, merci."),
        "id": ("Mon numéro de sécurité sociale est le {x}.", "N° de sécurité sociale {x}"),
        "passport": ("Mon passeport porte le numéro {x}.", "Passeport n° {x} pour la réservation"),
        "account": ("Virez la somme sur le compte bancaire {x}.", "Numéro de compte : {x}"),
        "birthdate": ("Je suis née le {x}.", "Date de naissance : {x}"),
        "address": ("Merci de livrer au {x}.", "J'ai déménagé, ma nouvelle adresse est {x}"),
        "ip": ("Je suis bloqué, mon adresse IP est {x}.", "Les connexions viennent de {x}."),
        "name": ("Bonjour Madame {l}, merci de votre patience.", "Bonjour, je m'appelle {n} et j'attends mon colis.", "Quand arrive-t-il ?\n\nCordialement,\n{n}"),
    },
    "es": {
        "email": ("¿Pueden reenviar la factura a {x}?", "Me registré con {x}."),
        "phone": ("El repartidor puede llamarme al {x}.", "Mi móvil es el {x}, por la tarde.", "Teléfono: {x}"),
        "card": ("Me cobraron dos veces en la tarjeta {x}.", "mi tarjeta {x} no funciona"),
        "iban": ("Por favor, devuelvan el dinero a {x}.", "Mi nueva cuenta: {x}, gracias."),
        "id": ("Mi DNI es {x}.", "Con documento {x} hice la compra."),
        "passport": ("Mi número de pasaporte es {x}.", "Pasaporte {x} para la reserva"),
        "account": ("Hagan la transferencia a la cuenta bancaria {x}.", "Número de cuenta: {x}"),
        "birthdate": ("Nací el {x}.", "Fecha de nacimiento: {x}"),
        "address": ("Envíenlo a {x}.", "Me he mudado, mi nueva dirección es {x}"),
        "ip": ("Estoy bloqueado, mi IP es {x}.", "Las conexiones vienen de {x}."),
        "name": ("Estimado Sr. {l}, gracias por su paciencia.", "Hola, me llamo {n} y espero mi paquete.", "¿Cuándo llega?\n\nUn saludo,\n{n}"),
    },
    "it": {
        "email": ("Potete rimandare la fattura a {x}?", "Mi sono registrato con {x}."),
        "phone": ("Il corriere può chiamarmi al {x}.", "Il mio cellulare è {x}, di sera.", "Tel. {x}"),
        "card": ("Mi avete addebitato due volte la carta {x}.", "la carta {x} viene rifiutata"),
        "iban": ("Vi prego di rimborsare su {x}.", "Ecco le mie coordinate: {x}, grazie."),
        "id": ("Il mio codice fiscale è {x}.", "CF {x} per la fattura"),
        "passport": ("Il numero del mio passaporto è {x}.", "Passaporto n. {x} per la prenotazione"),
        "account": ("Fate il bonifico sul conto corrente {x}.", "Numero di conto: {x}"),
        "birthdate": ("Sono nata il {x}.", "Data di nascita: {x}"),
        "address": ("Spedite a {x}.", "Mi sono trasferito, il nuovo indirizzo è {x}"),
        "ip": ("Sono bloccato, il mio indirizzo IP è {x}.", "Gli accessi vengono da {x}."),
        "name": ("Gentile Signora {l}, grazie della pazienza.", "Buongiorno, mi chiamo {n} e aspetto il pacco.", "Quando arriva?\n\nCordiali saluti,\n{n}"),
    },
    "nl": {
        "email": ("Kunt u de factuur naar {x} sturen?", "Ik heb me aangemeld met {x}."),
        "phone": ("De bezorger kan mij bellen op {x}.", "Ik ben 's avonds bereikbaar op {x}.", "Mobiel: {x}"),
        "card": ("Er is dubbel afgeschreven van kaart {x}.", "mijn kaart {x} wordt geweigerd"),
        "iban": ("Graag terugstorten op {x}.", "Mijn nieuwe rekening is {x}, bedankt."),
        "id": ("Mijn BSN is {x}.", "Burgerservicenummer: {x}"),
        "passport": ("Mijn paspoortnummer is {x}.", "Paspoort {x} voor de boeking"),
        "account": ("Maak het over naar rekeningnummer {x}.", "Mijn bankrekening is {x}."),
        "birthdate": ("Ik ben geboren op {x}.", "Geboortedatum: {x}"),
        "address": ("Graag bezorgen op {x}.", "Ik ben verhuisd, mijn nieuwe adres is {x}"),
        "ip": ("Ik word geblokkeerd, mijn IP-adres is {x}.", "De aanmeldingen komen van {x}."),
        "name": ("Geachte heer {l}, dank voor uw geduld.", "Hallo, mijn naam is {n} en ik wacht op mijn pakket.", "Wanneer komt het?\n\nMet vriendelijke groet,\n{n}"),
    },
    "pt": {
        "email": ("Podem reenviar a fatura para {x}?", "Registei-me com {x}."),
        "phone": ("O estafeta pode ligar para {x}.", "O meu telemóvel é {x}, à noite.", "Telefone: {x}"),
        "card": ("Cobraram duas vezes no cartão {x}.", "o meu cartão {x} foi recusado"),
        "iban": ("Por favor devolvam para {x}.", "Os meus dados: {x}, obrigado."),
        "id": ("O meu NIF é {x}.", "Número de contribuinte: {x}"),
        "passport": ("O número do meu passaporte é {x}.", "Passaporte {x} para a reserva"),
        "account": ("Façam a transferência para a conta bancária {x}.", "Número da conta: {x}"),
        "birthdate": ("Nasci em {x}.", "Data de nascimento: {x}"),
        "address": ("Por favor entreguem na {x}.", "Mudei de casa, a nova morada é {x}"),
        "ip": ("Estou bloqueado, o meu IP é {x}.", "Os acessos vêm de {x}."),
        "name": ("Exma. Sra. {l}, obrigado pela paciência.", "Bom dia, o meu nome é {n} e espero a encomenda.", "Quando chega?\n\nCumprimentos,\n{n}"),
    },
    "pl": {
        "email": ("Proszę wysłać fakturę na {x}.", "Zarejestrowałem się jako {x}."),
        "phone": ("Kurier może dzwonić pod {x}.", "Mój telefon to {x}, wieczorem.", "Tel. kom. {x}"),
        "card": ("Pobrano dwa razy z karty {x}.", "moja karta {x} jest odrzucana"),
        "iban": ("Proszę o zwrot na {x}.", "Moje nowe konto: {x}, dziękuję."),
        "id": ("Mój PESEL to {x}.", "PESEL: {x}"),
        "passport": ("Numer mojego paszportu to {x}.", "Paszport {x} do rezerwacji"),
        "account": ("Przelew na numer konta {x}.", "Nr rachunku: {x}"),
        "birthdate": ("Urodziłem się {x}.", "Data urodzenia: {x}"),
        "address": ("Proszę dostarczyć na adres {x}.", "Przeprowadziłem się, nowy adres to {x}"),
        "ip": ("Jestem zablokowany, mój adres IP to {x}.", "Logowania przychodzą z {x}."),
        "name": ("Szanowny Panie {l}, dziękujemy za cierpliwość.", "Dzień dobry, nazywam się {n} i czekam na paczkę.", "Kiedy dojdzie?\n\nZ poważaniem,\n{n}"),
    },
    "zh": {
        "email": ("请把发票发到{x}，谢谢。", "我用{x}注册的账号。"),
        "phone": ("快递员可以打{x}找我。", "我的手机号是{x}，晚上联系。", "电话：{x}"),
        "card": ("我的卡{x}被扣了两次款。", "银联卡 {x} 付不了款"),
        "iban": ("请退款到 {x} 这个账户。", "我的国际账号 {x}，谢谢。"),
        "id": ("我的身份证号是{x}。", "实名认证：{x}"),
        "passport": ("我的护照号码是{x}。", "护照 {x}，订票用"),
        "account": ("请打到银行账号{x}。", "银行账户：{x}"),
        "birthdate": ("我出生于{x}。", "出生日期：{x}"),
        "address": ("请送到{x}。", "我搬家了，新地址是{x}"),
        "ip": ("我被封了，IP地址是{x}。", "登录来自{x}。"),
        "name": ("尊敬的{l}先生，感谢您的耐心。", "你好，我叫{n}，我的包裹丢了。", "收货人：{n}"),
    },
}  # fmt: skip

# Hard ones without a person in them. {o}: an order's number, {t}: a parcel's, {c}: a product's code, {v}: a version,
# {p}: a price, {d}: a date, {s}: a serial number, {w}: another row of digits.
NEGATIVES: dict[str, tuple[str, ...]] = {
    "en": ("Where is order {o}? I paid {p} on {d}.", "Tracking {t} has not moved since {d}.", "Does {c} work with firmware {v}?", "Invoice {w} shows {p} twice.", "Dear customer, your order {o} was shipped on {d}.", "Dear Support Team, item {c} is broken.", "The serial number is {s}, bought {d}.", "Please call support about ticket {w}.", "Our store at 12 Market Street, Springfield, IL 62704 opens at 9:30.", "Set the gateway to 192.168.{k}.1 and the mask to 255.255.255.0.", "Thanks, Customer Service", "The offer for {p} ends on {d}, code SAVE{k}.", "We opened in 1998 and have 120-150 tables, Monday to Friday 09:00-17:30.", "I am Very Disappointed. ISBN 978-3-16-148410-0 never came.", "Update {v} fixed it. Thanks!"),
    "de": ("Wo ist Bestellung {o}? Bezahlt habe ich {p} am {d}.", "Sendung {t} steht seit dem {d}.", "Läuft {c} mit Version {v}?", "Rechnung {w} zeigt {p} doppelt.", "Sehr geehrte Kundin, Ihre Bestellung {o} ging am {d} raus.", "Sehr geehrte Damen und Herren, Artikel {c} ist defekt.", "Die Seriennummer ist {s}, gekauft am {d}.", "Rufen Sie wegen Ticket {w} an.", "Unser Laden in der Marktstraße 12, 10115 Berlin öffnet um 9:30.", "Gateway 192.168.{k}.1, Maske 255.255.255.0.", "Viele Grüße\nIhr Kundenservice", "Das Angebot für {p} gilt bis {d}, Code SPAR{k}.", "Es gibt 120-150 Plätze, Montag bis Freitag 09:00-17:30.", "Liebes Team, die ISBN 978-3-16-148410-0 kam nie.", "Aktenzeichen {w}, Gutschein {c}."),
    "fr": ("Où est la commande {o} ? J'ai payé {p} le {d}.", "Le colis {t} n'a pas bougé depuis le {d}.", "Est-ce que {c} marche avec la version {v} ?", "La facture {w} indique {p} deux fois.", "Chère cliente, votre commande {o} est partie le {d}.", "Madame, Monsieur, l'article {c} est cassé.", "Le numéro de série est {s}, acheté le {d}.", "Appelez pour le dossier {w}.", "Notre magasin, 12 rue du Marché, 75002 Paris, ouvre à 9h30.", "Passerelle 192.168.{k}.1, masque 255.255.255.0.", "Cordialement,\nLe service client", "L'offre à {p} est valable jusqu'au {d}, code PROMO{k}.", "Nous avons 120-150 places, de 09:00 à 17:30.", "Bonjour à tous, ISBN 978-3-16-148410-0 jamais reçu.", "Référence {w}, bon {c}."),
    "es": ("¿Dónde está el pedido {o}? Pagué {p} el {d}.", "El envío {t} no se mueve desde el {d}.", "¿Funciona {c} con la versión {v}?", "La factura {w} muestra {p} dos veces.", "Estimado cliente, su pedido {o} salió el {d}.", "Hola equipo, el artículo {c} está roto.", "El número de serie es {s}, comprado el {d}.", "Llamen por el ticket {w}.", "Nuestra tienda en Calle Mayor 12, 28013 Madrid abre a las 9:30.", "Puerta de enlace 192.168.{k}.1, máscara 255.255.255.0.", "Un saludo,\nAtención al cliente", "La oferta de {p} termina el {d}, código AHORRA{k}.", "Tenemos 120-150 plazas, de 09:00 a 17:30.", "Buenos días, ISBN 978-3-16-148410-0 no llegó.", "Referencia {w}, vale {c}."),
    "it": ("Dov'è l'ordine {o}? Ho pagato {p} il {d}.", "La spedizione {t} è ferma dal {d}.", "{c} funziona con la versione {v}?", "La fattura {w} riporta {p} due volte.", "Gentile cliente, il suo ordine {o} è partito il {d}.", "Salve a tutti, l'articolo {c} è rotto.", "Il numero di serie è {s}, comprato il {d}.", "Chiamate per la pratica {w}.", "Il nostro negozio in Via Roma 12, 00184 Roma apre alle 9:30.", "Gateway 192.168.{k}.1, maschera 255.255.255.0.", "Cordiali saluti,\nServizio clienti", "L'offerta a {p} vale fino al {d}, codice SCONTO{k}.", "Abbiamo 120-150 posti, dalle 09:00 alle 17:30.", "Buongiorno, ISBN 978-3-16-148410-0 mai arrivato.", "Riferimento {w}, buono {c}."),
    "nl": ("Waar is bestelling {o}? Ik betaalde {p} op {d}.", "Zending {t} staat stil sinds {d}.", "Werkt {c} met versie {v}?", "Factuur {w} toont {p} dubbel.", "Beste klant, uw bestelling {o} is op {d} verstuurd.", "Geachte heer, mevrouw, artikel {c} is kapot.", "Het serienummer is {s}, gekocht op {d}.", "Bel over ticket {w}.", "Onze winkel aan de Kerkstraat 12, 1017 GC Amsterdam opent om 9:30.", "Gateway 192.168.{k}.1, masker 255.255.255.0.", "Met vriendelijke groet,\nKlantenservice", "De aanbieding van {p} geldt tot {d}, code KORTING{k}.", "Er zijn 120-150 plaatsen, van 09:00 tot 17:30.", "Hallo allemaal, ISBN 978-3-16-148410-0 kwam nooit.", "Referentie {w}, bon {c}."),
    "pt": ("Onde está o pedido {o}? Paguei {p} em {d}.", "A encomenda {t} está parada desde {d}.", "O {c} funciona com a versão {v}?", "A fatura {w} mostra {p} duas vezes.", "Caro cliente, o seu pedido {o} saiu em {d}.", "Olá equipa, o artigo {c} está partido.", "O número de série é {s}, comprado em {d}.", "Liguem por causa do ticket {w}.", "A nossa loja na Rua Augusta 12, 1100-048 Lisboa abre às 9:30.", "Gateway 192.168.{k}.1, máscara 255.255.255.0.", "Cumprimentos,\nApoio ao cliente", "A oferta de {p} termina em {d}, código POUPA{k}.", "Temos 120-150 lugares, das 09:00 às 17:30.", "Bom dia, ISBN 978-3-16-148410-0 nunca chegou.", "Referência {w}, vale {c}."),
    "pl": ("Gdzie jest zamówienie {o}? Zapłaciłem {p} dnia {d}.", "Przesyłka {t} stoi od {d}.", "Czy {c} działa z wersją {v}?", "Faktura {w} pokazuje {p} dwa razy.", "Drogi Kliencie, zamówienie {o} wyszło {d}.", "Szanowni Państwo, produkt {c} jest zepsuty.", "Numer seryjny to {s}, kupiony {d}.", "Proszę dzwonić w sprawie zgłoszenia {w}.", "Nasz sklep, ul. Długa 12, 00-238 Warszawa, otwiera o 9:30.", "Brama 192.168.{k}.1, maska 255.255.255.0.", "Z poważaniem,\nObsługa klienta", "Oferta za {p} ważna do {d}, kod RABAT{k}.", "Mamy 120-150 miejsc, od 09:00 do 17:30.", "Dzień dobry, ISBN 978-3-16-148410-0 nie doszedł.", "Numer referencyjny {w}, bon {c}."),
    "zh": ("订单{o}在哪里？我在{d}付了{p}。", "运单{t}从{d}起没有动。", "{c}支持固件{v}吗？", "发票{w}上{p}出现了两次。", "尊敬的客户，您的订单{o}已于{d}发货。", "亲爱的客服，商品{c}坏了。", "序列号是{s}，{d}买的。", "请就工单{w}打电话。", "我们的门店在上海市黄浦区南京东路88号，9:30开门。", "网关192.168.{k}.1，掩码255.255.255.0。", "谢谢，客服中心", "优惠价{p}，截止{d}，代码SAVE{k}。", "共有120-150个座位，09:00-17:30。", "您好，ISBN 978-3-16-148410-0 一直没到。", "编号{w}，优惠券{c}。"),
}  # fmt: skip
AROUND = {
    "en": ("", "Hello, ", "Good morning. "), "de": ("", "Hallo, ", "Guten Morgen. "), "fr": ("", "Bonjour, ", "Bonsoir. "),
    "es": ("", "Hola, ", "Buenas tardes. "), "it": ("", "Salve, ", "Buonasera. "), "nl": ("", "Hallo, ", "Goedemiddag. "),
    "pt": ("", "Olá, ", "Boa tarde. "), "pl": ("", "Witam, ", "Dzień dobry. "), "zh": ("", "你好，", "您好。"),
}  # fmt: skip
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A message; ``kind`` None: nobody in it. The datum stands between two places."""

    text: str
    kind: str | None
    start: int = 0
    end: int = 0


class Maker:
    """Messages of one language, the same for the same seed."""

    def __init__(self, lang: str, seed: int) -> None:
        self.lang, self.random = lang, random.Random(f"{lang} {seed}")
        self._fakers = [Faker(locale) for locale in LOCALES[lang]]
        for faker in self._fakers:
            faker.seed_instance(self.random.random())

    def samples(self, count: int) -> list[Sample]:
        """*count* messages: half with a datum, the kinds in turn; half without."""
        kinds = list(TEMPLATES[self.lang])
        return [self.one(kinds[place // 2 % len(kinds)]) if place % 2 else self.none() for place in range(count)]

    def one(self, kind: str) -> Sample:
        """A message with a datum of *kind*."""
        template = self.random.choice(TEMPLATES[self.lang][kind])
        datum = self.name("{l}" in template) if kind == "name" else str(getattr(self, kind)())
        before, after = re.split(r"\{[xln]\}", template)
        before = ("" if kind == "name" else self.random.choice(AROUND[self.lang])) + before
        return Sample(f"{before}{datum}{after}", kind, len(before), len(before) + len(datum))

    def none(self) -> Sample:
        """A message with numbers and capitals and nobody in it."""
        template = self.random.choice(AROUND[self.lang]) + self.random.choice(NEGATIVES[self.lang])
        return Sample(re.sub(r"\{(\w)\}", lambda match: self._thing(match[1]), template), None)

    def digits(self, count: int) -> str:
        """Digits, the first of them not 0."""
        return str(self.random.randint(10 ** (count - 1), 10**count - 1))

    def _thing(self, what: str) -> str:
        letters = "".join(self.random.choices("ABCDEFGHJKLMNPRSTUVWXYZ", k=3))
        day = date(2023, 1, 1) + timedelta(self.random.randrange(1000))
        return {
            "o": self.random.choice((self.digits(8), self.digits(10), f"{self.digits(3)}-{self.digits(7)}-{self.digits(7)}", f"#{self.digits(6)}")),
            "t": self.random.choice((f"1Z{letters}{self.digits(10)}", self.digits(12), f"RR{self.digits(9)}CN", self.digits(20), self.digits(14))),
            "c": self.random.choice((f"{letters}-{self.digits(4)}", f"{letters}{self.digits(5)}{letters[0]}", f"{self.digits(3)}.{self.digits(3)}.{self.digits(2)}")),
            "v": self.random.choice((f"{self.random.randint(1, 30)}.{self.random.randint(0, 30)}.{self.random.randint(0, 9)}.{self.random.randint(1, 99)}", f"v{self.random.randint(1, 9)}.{self.random.randint(0, 19)}.{self.random.randint(0, 40)}")),
            "p": self.random.choice(("$1,299.00", "89,95 €", "EUR 1.250,00", "¥ 3580", "£24.50")),
            "d": self.random.choice((day.isoformat(), f"{day:%d.%m.%Y}", f"{day:%d/%m/%Y}")),
            "s": self.random.choice((f"SN{self.digits(10)}", f"{letters}{self.digits(9)}", self.digits(15))),
            "w": self.random.choice((self.digits(7), self.digits(9), self.digits(11), f"{self.digits(4)}-{self.digits(6)}", f"{self.digits(3)} {self.digits(3)} {self.digits(3)}")),
            "k": str(self.random.randint(2, 90)),
        }[what]  # fmt: skip

    @property
    def faker(self) -> Any:
        """One of the language's countries."""
        return self.random.choice(self._fakers)

    def email(self) -> str:
        return str(self.faker.free_email()) if self.lang != "zh" else str(self.faker.ascii_free_email())

    def phone(self) -> str:
        region = self.random.choice(LOCALES[self.lang])[-2:]
        faker = next(
            one for one, locale in zip(self._fakers, LOCALES[self.lang], strict=True) if locale.endswith(region)
        )
        kind = phonenumbers.PhoneNumberType
        people = (kind.MOBILE, kind.FIXED_LINE, kind.FIXED_LINE_OR_MOBILE)
        for _ in range(300):
            number = str(faker.phone_number())
            if re.search(r"x\d|\(0\)|\+\d+\(0", number):
                continue
            try:
                parsed = phonenumbers.parse(number, region)
            except phonenumbers.NumberParseException:
                continue
            if phonenumbers.is_valid_number(parsed) and phonenumbers.number_type(parsed) in people:
                return number
        example = phonenumbers.example_number_for_type(region, kind.MOBILE)
        for _ in range(3000):
            example.national_number = int(
                str(example.national_number)[:2] + self.digits(len(str(example.national_number)) - 2)
            )
            if phonenumbers.is_valid_number(example):
                break
        return phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL)

    def card(self) -> str:
        number = str(self.faker.credit_card_number(self.random.choice(("visa", "mastercard"))))
        return number if self.random.random() < 0.5 else " ".join(re.findall(r"\d{1,4}", number))

    def iban(self) -> str:
        # Of the language's own country or of another one; only those whose structure and check digits are right.
        from stdnum import iban

        european = Faker("de_DE")  # China has none
        european.seed_instance(self.random.random())
        while True:
            number = str((european if self.lang == "zh" else self.faker).iban())
            if iban.is_valid(number, check_country=False):
                return number if self.random.random() < 0.5 else " ".join(re.findall(r".{1,4}", number))

    def id(self) -> str:
        if self.lang == "en":
            return str(self._fakers[0].ssn())
        if self.lang == "zh":
            return str(self.faker.ssn())
        if self.lang == "it":
            return str(self.faker.ssn())
        if self.lang == "pl":
            return str(self.faker.pesel())
        if self.lang == "fr":
            body = f"{self.random.randint(1, 2)}{self.random.randint(40, 99)}{self.random.randint(1, 12):02}{self.random.randint(1, 95):02}{self.digits(6)}"
            return f"{body}{97 - int(body) % 97:02}"
        if self.lang == "es":
            number = self.digits(8)
            return number + "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23]
        module, length = {"de": ("de.idnr", 11), "nl": ("nl.bsn", 9), "pt": ("pt.nif", 9)}[self.lang]
        check = import_module(f"stdnum.{module}")
        while not check.is_valid(number := self.digits(length)):
            pass
        return number

    def passport(self) -> str:
        letters = "".join(self.random.choices("CFGHJKLMNPRTVWXYZ", k=9))
        return {
            "en": self.digits(9), "de": f"{letters[0]}{self.digits(2)}{letters[1]}{self.digits(2)}{letters[2]}{self.digits(2)}",
            "fr": f"{self.digits(2)}{letters[:2]}{self.digits(5)}", "es": f"{letters[:3]}{self.digits(6)}", "it": f"Y{letters[0]}{self.digits(7)}",
            "nl": f"N{letters[0]}{self.digits(7)}", "pt": f"{letters[0]}{self.digits(6)}", "pl": f"{letters[:2]} {self.digits(7)}",
            "zh": f"E{self.digits(8)}",
        }[self.lang]  # fmt: skip

    def account(self) -> str:
        return {
            "en": self.digits(8), "de": self.digits(10), "fr": f"{self.digits(5)} {self.digits(5)} {self.digits(11)} {self.digits(2)}",
            "es": f"{self.digits(4)} {self.digits(4)} {self.digits(2)} {self.digits(10)}", "it": self.digits(12), "nl": self.digits(9),
            "pt": f"{self.digits(4)} {self.digits(4)} {self.digits(11)} {self.digits(2)}", "pl": f"{self.digits(2)} " + " ".join(self.digits(4) for _ in range(6)),
            "zh": f"1{self.digits(18)}",
        }[self.lang]  # fmt: skip

    def birthdate(self) -> str:
        day = date(1945, 1, 1) + timedelta(self.random.randrange(22_000))
        if self.lang == "zh":
            return self.random.choice((f"{day.year}年{day.month}月{day.day}日", day.isoformat()))
        month = _MONTHS[self.lang].split()[day.month - 1]
        words = {
            "en": f"{month} {day.day}, {day.year}", "de": f"{day.day}. {month} {day.year}", "es": f"{day.day} de {month} de {day.year}",
            "pt": f"{day.day} de {month} de {day.year}",
        }.get(self.lang, f"{day.day} {month} {day.year}")  # fmt: skip
        numbers = {"en": f"{day:%m/%d/%Y}", "de": f"{day:%d.%m.%Y}", "nl": f"{day:%d-%m-%Y}", "pl": f"{day:%d.%m.%Y}"}
        return self.random.choice((words, numbers.get(self.lang, f"{day:%d/%m/%Y}")))

    def address(self) -> str:
        while True:
            if re.search(r"\d", address := str(self.faker.address()).replace("\n", ", ")) and not re.match(
                r"(?:PSC|Unit|USNV|USS|USCGC|DPO)\b|.*\b(?:APO|FPO|DPO)\b", address
            ):
                return address

    def ip(self) -> str:
        return str(self.faker.ipv4_public()) if self.random.random() < 0.7 else "2" + str(self.faker.ipv6())[1:]

    def name(self, last: bool) -> str:
        faker = self.faker
        if self.lang == "zh":
            return str(faker.last_name()) if last else str(faker.last_name() + faker.first_name())
        return str(faker.last_name()) if last else f"{faker.first_name()} {faker.last_name()}"
