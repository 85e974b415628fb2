"""Personal data: what is found, what is not, and what is left after redaction."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.desk import Desk
from store.pairs import NewPair
from store.personal import find, kinds, numbers, redact
from store.words import BASE


@pytest.mark.parametrize(
    ("text", "kind", "lang"),
    [
        ("Write to ann.smith@gmail.com, please", "email", "en"),
        ("call me at 415-555-2671", "phone", "en"),
        ("my phone is 4155552671", "phone", "en"),
        ("It is +44 20 7946 0958.", "phone", "en"),
        ("我的手机是13812345678。", "phone", "zh"),
        ("I paid with 4111 1111 1111 1111", "card", "en"),
        ("Auf DE89 3704 0044 0532 0130 00 bitte", "iban", "de"),
        ("to GB82WEST12345698765432 thanks", "iban", "en"),
        ("my number is 536-90-4399", "id", "en"),
        ("身份证 11010519491231002X", "id", "zh"),
        ("AB123456C", "id", "en"),
        ("mi DNI es 12345678Z", "id", "es"),
        ("CPF 390.533.447-05", "id", "pt"),
        # whatever the desk takes the language for
        ("Meine Nummer ist 0171 2345678", "phone", "en"),
        ("Appelez-moi au 06 12 34 56 78", "phone", "en"),
        ("Llámame al 612 345 678", "phone", "en"),
        ("Il mio numero è 347 1234567", "phone", "en"),
        ("bel me op 0612345678", "phone", "en"),
        ("O meu telemóvel é 912 345 678", "phone", "en"),
        ("zadzwoń 601 234 567", "phone", "en"),
        ("à rembourser sur FR14 2004 1010 0505 0001 3M02 606", "iban", "en"),
        ("IBAN IT60X0542811101000000123456", "iban", "en"),
        ("Meine Steuer-ID ist 86095742719", "id", "en"),
        ("mijn BSN is 111222333", "id", "en"),
        ("Mój PESEL to 44051401359", "id", "en"),
        ("Codice fiscale RSSMRA85T10A562S", "id", "en"),
        ("sécu 2 55 08 14 168 025 38", "id", "en"),
        ("o meu NIF é 123456789", "id", "en"),
        ("Mein Reisepass hat die Nummer C01X00T47", "passport", "en"),
        ("passport no. 912803456", "passport", "en"),
        ("护照号E12345678", "passport", "zh"),
        ("Transfer it to account number 31926819", "account", "en"),
        ("Kontonummer 1234567890", "account", "en"),
        ("numer konta 61 1090 1014 0000 0712 1981 2874", "account", "en"),
        ("I was born on March 12, 1984.", "birthdate", "en"),
        ("geboren am 12.03.1984", "birthdate", "en"),
        ("née le 3 mai 1990", "birthdate", "en"),
        ("Nací el 6 de febrero de 1981", "birthdate", "en"),
        ("我出生于1984年3月12日", "birthdate", "zh"),
        ("I live at 12 Baker Street, London NW1 6XE", "address", "en"),
        ("Meine Adresse: Hauptstraße 12, 10115 Berlin", "address", "en"),
        ("J'habite 12 rue de la Paix, 75002 Paris", "address", "en"),
        ("Vivo en Calle Mayor 5, 28013 Madrid", "address", "en"),
        ("Abito in Via Roma 10, 00184 Roma", "address", "en"),
        ("Ik woon op Kerkstraat 12, 1017 GC Amsterdam", "address", "en"),
        ("Moro na Rua das Flores, 123, 4000-123 Porto", "address", "en"),
        ("Mieszkam: ul. Długa 5/7, 00-238 Warszawa", "address", "en"),
        ("我的地址是上海市浦东新区张江路88号3号楼402室", "address", "zh"),
        ("My IP is 84.23.11.9", "ip", "en"),
        ("logins from 2a02:8109:9a40:1d2c::1", "ip", "en"),
        ("Dear Ms Smith, thank you.", "name", "en"),
        ("Sehr geehrte Frau Müller,", "name", "en"),
        ("my name is Ann Lee and it is late", "name", "en"),
        ("Cordialement, Jean Dupont", "name", "en"),
        ("Wann?\n\nViele Grüße\nAnna Schmidt", "name", "en"),
        ("Szanowna Pani Kowalska, dziękujemy", "name", "en"),
        ("我叫王小明，想退货", "name", "zh"),
        # streets of any type, by their postcode
        ("I live at 482 Roberts Prairie Suite 304, Collinsport, TN 76940 and wait", "address", "en"),
        ("Ma nouvelle adresse : avenue de Parent, 11673 Pineau. Merci", "address", "en"),
        ("Dirección de entrega:\nAndador Sinaloa 200\nNueva Roma, QRO 38107", "address", "en"),
        ("Moro na Colônia Ribeiro, 87, São Gabriel, 44596-940 Abreu / CE", "address", "en"),
        ("joignable au 06.12.34.56.78", "phone", "en"),
        ("Móvil 614.58.53.61", "phone", "en"),
        ("we could not reach you at 07422 819716", "phone", "en"),
        ("NIF 23.897.464-G", "id", "en"),
        ("n° de sécu 2 55 08 14 168 025 38, née ici", "id", "en"),
        ("BSN 111 222 333", "id", "en"),
        ("身份证号是210411196608224780", "id", "zh"),  # a district that is gone
        ("账号：6221324003479426341", "account", "zh"),
        ("conta n.º 3206 5812 21199592201 13", "account", "en"),
        ("hallo, hier ist nochmal Angelo Kurz. wo bleibt es", "name", "en"),
        ("Überweisung wie immer. LG Alice", "name", "en"),
        ("Gracias, Agustín", "name", "en"),
        ("刘先生您好，请稍等", "name", "zh"),
    ],
)
def test_what_identifies_a_person_is_found(text: str, kind: str, lang: str) -> None:
    assert kinds([text], lang) == (kind,)
    assert f"[{kind}]" in redact(text, lang)


@pytest.mark.parametrize(
    "text",
    [
        "Write to support@garden.example or customer.service@garden.example",
        "Call +1 800 555 0199, it is free",
        "Order 4155552671 of 2024-05-06 for 1,299.00 EUR",
        "order 100-2345678-1234567",
        "tracking 1Z999AA10123456784, item 12345678",
        "Between 09:00-17:00 on 24.12.2025 and 2025-12-31",
        "DE89 3704 0044 0532 0130 01",  # a wrong check digit
        "4111 1111 1111 1112",
        "Set 255.255.255.0 or 192.168.196.58",
        "Call me about order 4155552671",
        "Rufen Sie wegen Bestellung 0171 2345678 an",
        "la 19.2 o la 8.16.4.136, con firmware 15.7.4.138?",
        "offre Passeport Loisirs, numéro 161001233",
        "Hola Soporte, hola a todos: nada",
        "Gracias, Chicos",
        "hello, this is bad. It's Really bad",
        "Please deliver to our shop, 12 Main Street, Springfield, IL 62704",
        "Version 84.23.11.9 of 2024-03-12, firmware 10.0.19045.2965",
        "Our shop at 12 Main Street, Springfield, IL 62704",
        "Unser Laden in der Hauptstraße 12, 10115 Berlin",
        "Dear Customer, Dear Team,",
        "Sehr geehrte Damen und Herren,",
        "Chère cliente, Bonjour à tous,",
        "Best regards,\nCustomer Service",
        "my name is on the parcel",
        "The order was delivered on 12.03.1984",
        "passport photos, order 912803456",
        "尊敬的客户，您的订单12345678已发货",
        "{{Client Email}} and {{Customer Support Phone Number}}",
    ],
)
def test_the_shops_own_and_other_numbers_are_none(text: str) -> None:
    assert find(text) == []


PIECES = st.sampled_from(
    ["ann@x.org", "415-555-2671", "call ", " ", "+44 20 7946 0958", "4111111111111111", "DE89370400440532013000",
     "536-90-4399", "@", ".", "-", "12", "[email]", "ssn ", "390.533.447-05", "电话"]
)  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=6), max_size=12).map("".join), st.sampled_from(["en", "zh", "de", "xx"]))
@settings(deadline=None)
def test_redaction_never_leaves_a_finding(text: str, lang: str) -> None:
    without = redact(text, lang)
    assert find(without, lang) == []
    assert find(text, lang) or without == text


def test_false_alarms_on_real_data_without_customers_are_rare(shared_data: Path) -> None:
    flagged = total = 0
    for name in ("bitext_cs", "bitext_cs_canned", "dstc9_faq", "esp_faq_en", "esp_faq_zh", "tidb_faq_zh"):
        for line in (shared_data / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            pair = json.loads(line)
            flagged += bool(kinds((pair["instruction"], pair["output"]), "zh" if name.endswith("zh") else "en"))
            total += 1
    assert total > 25_000
    assert flagged <= total / 1000


def test_a_pair_is_flagged_until_it_is_redacted_or_cleared(desk: Desk) -> None:
    news = [
        NewPair("Where is it? I am ann@x.org", "On its way.", split="train"),
        NewPair("And mine?", "Ask bob@x.org or 415-555-2671.", (("I am eve@x.org", "Hi."),), split="train"),
        NewPair("Hello?", "Hello.", split="train"),
    ]
    desk.pairs.add_many(news, "import", "ann")
    assert desk.pair_listing.flagged() == {"email": 2, "phone": 1}
    assert len(desk.pairs.training_set()) == 3
    desk.settings.set("personal_data", "block", "ann")
    assert [pair.instruction for pair, _ in desk.pairs.training_set()] == ["Hello?"]
    assert desk.editing.redact_all([1, 2, 3], "ann").same == 1
    assert desk.pair_listing.flagged() == {}
    edited = desk.pairs.list()
    assert [(pair.instruction, pair.output, pair.history) for pair in edited[1:]] == [
        ("Where is it? I am [email]", "On its way.", ()),
        ("And mine?", "Ask [email] or [phone].", (("I am [email]", "Hi."),)),
    ]
    assert len(desk.pairs.training_set()) == 3
    last = desk.pairs.add(NewPair("Me?", "zoe@x.org", split="train"), "import", "ann")
    assert last is not None
    assert len(desk.pairs.training_set()) == 3
    cleared = desk.editing.clear([last.id, 3, 1], "ann")
    assert (cleared.changed, cleared.same, len(cleared.refused)) == ([last.id], 1, 1)
    assert len(desk.pairs.training_set()) == 4


def test_a_correction_with_personal_data_does_not_wait_while_it_is_blocked(desk: Desk) -> None:
    message = desk.conversations.add_customer(desk.conversations.create("ann").id, "Where?", "ann")
    reply = desk.conversations.begin_reply(message.id, BASE, {})
    desk.conversations.finish_reply(reply.id, "No idea.", "complete")
    desk.judgements.correct(reply.id, "Ask ann@x.org.", "ann")
    assert desk.judgements.waiting() == 1
    desk.settings.set("personal_data", "block", "ann")
    assert desk.judgements.waiting() == 0


def test_an_address_is_found_whole_and_nothing_beside_it() -> None:
    text = "Ich bin umgezogen. Meine neue Anschrift lautet Lisa-Ring 847, 8416 Liezen. Telefonisch geht es nicht."
    assert redact(text) == "Ich bin umgezogen. Meine neue Anschrift lautet [address]. Telefonisch geht es nicht."
    assert redact("Mijn adres is Berendweg 5, 1177OM, Epen. Bellen kan") == "Mijn adres is [address]. Bellen kan"


def test_a_desk_of_before_is_looked_through_again_and_what_was_cleared_stays_cleared(tmp_path: Path) -> None:
    with Desk.open(tmp_path) as desk:
        texts = ("My name is Ann Lee.", "Sehr geehrte Frau Müller, danke.", "Hello?", "My IP is 84.23.11.9")
        ids = [
            desk.pairs.add(NewPair(f"{text} {n}", "Yes.", split="train"), "import", "ann")
            for n, text in enumerate(texts)
        ]
        named, cleared, _, machine = (pair.id for pair in ids if pair is not None)
        assert desk.editing.clear([cleared], "ann").changed == [cleared]
        # as it was before the rules knew names: nothing flagged, one thing that no longer is anything
        desk.db.run("DELETE FROM personal_data")
        desk.db.run("INSERT INTO personal_data (pair_id, kinds) VALUES (?, 'phone')", machine)
        desk.db.run("DELETE FROM _sqlite_migrations WHERE name LIKE 'm015%' OR name LIKE 'm014%'")
        desk.db.run("PRAGMA user_version = 13")
    with Desk.open(tmp_path) as desk:
        rows = {row["pair_id"]: row["kinds"] for row in desk.db.all("SELECT pair_id, kinds FROM personal_data")}
        assert rows == {named: "name", cleared: "name", machine: "ip"}
        assert desk.pair_listing.flagged() == {"name": 1, "ip": 1}
        desk.settings.set("personal_data", "block", "ann")
        assert len(desk.pairs.training_set()) == 2  # the one with nobody in it, and the cleared one


def test_the_page_says_of_how_many_countries_ids_are_known() -> None:
    page = (Path(__file__).parents[2] / "docs" / "personal-data.md").read_text(encoding="utf-8")
    said = re.search(r"national id \| (\d+) countries'", page)
    assert said is not None
    assert int(said[1]) == len(numbers.COUNTRIES)
