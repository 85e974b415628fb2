"""Who comes in: by the link, by the password, and by nothing else."""

from __future__ import annotations

import asyncio
import os
import re
import stat
from types import SimpleNamespace

import aiohttp
import pytest
from click.testing import CliRunner

from store.home import Home
from tests.web.conftest import PASSWORD, TOKEN, Client, client, holds, serving, with_password, with_token
from tui.cli.root import cli
from tui.web.guesses import A_MINUTE, A_MINUTE_IN_ALL, AT_ONCE, Guesses, neighbours
from tui.web.minute_log import MinuteLog
from tui.web.secret import MOST_LOGINS, Logins

PATHS = ("/", "/ws", "/ws/abc", "/static/js/textual.js", "/page/desk.js", "/download/x", "/nothing")
BASIC = {"Authorization": aiohttp.encode_basic_auth("ann", PASSWORD)}


# -- the token -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("wrong", ["", "?token=", "?token=wrong", f"?Token={TOKEN}", f"?token={TOKEN}x"])
async def test_nothing_is_served_without_the_token(stranger: Client, path: str, wrong: str) -> None:
    answer = await stranger.get(path + wrong)
    assert answer.status == 401
    assert "Set-Cookie" not in answer.headers
    assert TOKEN not in await answer.text()


async def test_the_link_is_exchanged_for_a_cookie_that_only_the_browser_sees(stranger: Client) -> None:
    answer = await stranger.get(f"/?token={TOKEN}", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    cookie = answer.headers["Set-Cookie"]
    assert TOKEN not in cookie
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    again = await stranger.get(f"/?token={TOKEN}", allow_redirects=False)
    assert (again.status, "Set-Cookie" in again.headers) == (303, False)
    page = await stranger.get("/")
    assert page.status == 200
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "script-src 'self';" in page.headers["Content-Security-Policy"]
    assert TOKEN not in await page.text()
    for path in ("/static/js/textual.js", "/static/css/xterm.css", "/page/desk.js", "/page/desk.css"):
        assert (await stranger.get(path)).status == 200
    stranger.session.cookie_jar.clear()
    assert (await stranger.get("/")).status == 401
    with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
        await stranger.ws_connect("/ws")


async def test_behind_tls_the_cookie_is_for_tls_alone(stranger: Client) -> None:
    answer = await stranger.get(f"/?token={TOKEN}", allow_redirects=False, headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in answer.headers["Set-Cookie"].split("; ")


async def test_a_right_token_is_taken_however_many_wrong_ones_came_before(stranger: Client) -> None:
    for number in range(3 * A_MINUTE):
        assert (await stranger.get(f"/?token=wrong{number}")).status == 401
    assert (await stranger.get(f"/?token={TOKEN}")).status == 200


async def test_a_cookie_of_another_server_opens_nothing(home: Home, stranger: Client) -> None:
    await stranger.get(f"/?token={TOKEN}")
    [cookie] = stranger.session.cookie_jar
    other = await client(with_token(home))
    for name in (cookie.key, "deskloop-0"):
        assert (await other.get("/", headers={"Cookie": f"{name}={cookie.value}"})).status == 401
    await other.close()


def test_the_browsers_that_are_known_are_bounded() -> None:
    logins = Logins()
    first, second = logins.new(), logins.new()
    for _ in range(MOST_LOGINS - 1):
        assert logins.who(first) is not None
        logins.new()
    assert logins.who(first) is not None
    assert logins.who(second) is None
    assert logins.who(None) is None


def test_the_token_is_new_at_every_start_and_nobody_else_sees_it(home: Home) -> None:
    links = []
    for _ in range(2):
        with serving(home) as (process, link):
            links.append(link)
            token = re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=([\w-]{43})", link)
            assert token is not None
            for entry in ("cmdline", "environ"):
                with open(f"/proc/{process.pid}/{entry}", "rb") as file:  # noqa: PTH123
                    assert token[1].encode() not in file.read()
    assert len(set(links)) == 2
    assert not [path for path in home.root.rglob("*.log") if b"token=" in path.read_bytes()]


def test_a_token_of_ones_own_stays(home: Home) -> None:
    with serving(home, DESKLOOP_TOKEN=TOKEN) as (_, link):
        assert link.endswith(f"/?token={TOKEN}")


# -- the password --------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "header", [None, "Basic", "Basic !!!", "Basic 6QM=", "Bearer x", aiohttp.encode_basic_auth("", "wrong")]
)
async def test_nothing_is_served_without_the_password(home: Home, path: str, header: str | None) -> None:
    visitor = await client(with_password(home))
    for query in ("", f"?token={PASSWORD}"):
        answer = await visitor.get(path + query, headers={"Authorization": header} if header else {})
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
        assert "Set-Cookie" not in answer.headers
    await visitor.close()


async def test_the_password_opens_the_page_and_then_its_cookie_does(home: Home) -> None:
    visitor = await client(with_password(home))
    page = await visitor.get("/", headers=BASIC)
    assert page.status == 200
    assert f"ws://{visitor.host}:{visitor.port}/ws" in await page.text()
    assert (await visitor.get("/page/desk.js")).status == 200
    visitor.session.cookie_jar.clear()
    assert (await visitor.get("/page/desk.js")).status == 401
    with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
        await visitor.ws_connect("/ws")
    await visitor.close()


async def test_who_guesses_a_password_has_few_tries_and_shuts_nobody_out_who_is_in(home: Home) -> None:
    visitor = await client(with_password(home))
    await visitor.get("/", headers=BASIC)
    wrong = {"Authorization": aiohttp.encode_basic_auth("ann", "wrong"), "Cookie": "x=y"}
    stranger = await client(with_password(home))
    statuses = [(await stranger.get("/", headers=wrong)).status for _ in range(A_MINUTE + 3)]
    assert statuses == [401] * A_MINUTE + [429] * 3
    assert (await stranger.get("/", headers=BASIC)).status == 429  # unread: nobody learns that it was right
    assert (await visitor.get("/")).status == 200
    await visitor.close()
    await stranger.close()


async def test_few_guesses_wait_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting, gate = 0, asyncio.Event()

    async def sleep(seconds: float) -> None:
        nonlocal waiting
        waiting += 1
        await gate.wait()

    monkeypatch.setattr("tui.web.guesses.asyncio", SimpleNamespace(sleep=sleep))
    guesses = Guesses()
    tasks = [asyncio.create_task(guesses.wrong("192.0.2.1")) for _ in range(1000)]
    await holds(lambda: sum(not task.done() for task in tasks) == AT_ONCE)
    assert waiting == AT_ONCE
    gate.set()
    await asyncio.gather(*tasks)


async def test_guesses_are_counted_by_address_in_all_and_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.web.guesses.WRONG_SECONDS", 0.0)
    now = 0.0
    guesses = Guesses(lambda: now)
    for _ in range(A_MINUTE):
        assert not guesses.too_many("192.0.2.1")
        await guesses.wrong("192.0.2.1")
    assert guesses.too_many("192.0.2.1")
    assert guesses.too_many("::ffff:192.0.2.1")
    for number in range(A_MINUTE_IN_ALL):
        await guesses.wrong(f"198.51.100.{number}")
    assert guesses.too_many("203.0.113.1")
    now = 60.0
    assert not guesses.too_many("192.0.2.1")


@pytest.mark.parametrize(
    ("address", "counted"),
    [("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
     ("2001:db8:1:2::9", "2001:db8:1:2::/64"), ("fe80::1%eth0", "fe80::/64"), (None, "unknown"), ("x", "unknown")],
)  # fmt: skip
def test_what_counts_as_one_address(address: str | None, counted: str) -> None:
    assert neighbours(address) == counted


@pytest.mark.parametrize(
    ("host", "given", "why"),
    [("0.0.0.0", {}, "a password is needed"), ("192.0.2.1", {}, "a password is needed"),
     ("::", {}, "a password is needed"), ("my.host", {}, "a password is needed"),
     ("0.0.0.0", {"DESKLOOP_TOKEN": TOKEN}, "a password is needed"),
     ("127.0.0.1", {"DESKLOOP_PASSWORD": "short"}, "shorter than 8"),
     ("127.0.0.1", {"DESKLOOP_PASSWORD": ""}, "shorter than 8"),
     ("127.0.0.1", {"DESKLOOP_TOKEN": "short"}, "shorter than 16"),
     ("127.0.0.1", {"DESKLOOP_TOKEN": "has spaces, is long"}, "can't be in a link"),
     ("127.0.0.1", {"DESKLOOP_TOKEN": TOKEN, "DESKLOOP_PASSWORD": PASSWORD}, "not both"),
     ("192.0.2.1", {"DESKLOOP_PASSWORD": PASSWORD}, "can't be used")],
)  # fmt: skip
def test_what_is_not_served(
    home: Home, host: str, given: dict[str, str], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DESKLOOP_TOKEN", "DESKLOOP_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(cli, ["serve", "--host", host, "--port", "0", "--home", str(home.root)])
    assert result.exit_code == 1
    assert why in result.stderr
    assert not {"DESKLOOP_TOKEN", "DESKLOOP_PASSWORD"} & set(os.environ)


# -- other hosts and sites -----------------------------------------------------------------------------
async def test_other_web_sites_cannot_speak_to_the_desk(stranger: Client) -> None:
    await stranger.get(f"/?token={TOKEN}")
    for host in (
        "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "[", "", "evil@127.0.0.1",
        "127.0.0.1#evil.example", "127.0.0.1/evil", "127.0.0.1:evil", "[::1%25eth0]", "127.0.0.1@evil.example",
    ):  # fmt: skip
        assert (await stranger.get("/", headers={"Host": host})).status in (400, 403)
    assert stranger.port is not None
    for origin in ("https://evil.example", "null", "http://[", f"http://127.0.0.1:{stranger.port + 1}"):
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await stranger.ws_connect("/ws", headers={"Origin": origin})
    through_a_tunnel = {"Host": "localhost:9000", "Origin": "http://localhost:9000"}
    assert (await stranger.get(f"/?token={TOKEN}", headers=through_a_tunnel, allow_redirects=False)).status == 303


async def test_behind_a_proxy_with_tls_the_page_opens_a_secure_web_socket(home: Home) -> None:
    headers = {**BASIC, "Host": "desk.example", "X-Forwarded-Proto": "https"}
    made = await client(with_password(home, "0.0.0.0"))
    page = await made.get("/", headers=headers)
    assert "wss://desk.example/ws" in await page.text()
    assert "connect-src 'self' wss://desk.example" in page.headers["Content-Security-Policy"]
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):  # the password alone is not enough
        await made.ws_connect("/ws", headers=headers | {"Origin": "https://evil.example"})
    await made.close()


async def test_a_host_cannot_write_the_policy_or_the_page(home: Home) -> None:
    made = await client(with_password(home, "0.0.0.0"))
    headers = {**BASIC, "Host": "x;script-src * <b>'\""}
    answer = await made.get("/", headers=headers)
    assert "script-src *" not in answer.headers.get("Content-Security-Policy", "")
    assert "<b>" not in await answer.text()
    await made.close()


# -- the log -------------------------------------------------------------------------------------------
async def test_refusals_are_a_line_a_minute_with_their_counts(home: Home) -> None:
    server = with_token(home)
    stranger = await client(server)
    for _ in range(300):
        await stranger.get("/")
        await stranger.get(f"/?token=secret{TOKEN}")
        await stranger.get("/", headers={"Host": "evil.example"})
    await stranger.close()
    server.log.write()
    server.log.write()
    log = home.logs / "serve.log"
    [line] = log.read_text().splitlines()
    assert all(f"300 {kind}" in line for kind in ("without the token", "with a wrong token", "named another host"))
    assert TOKEN not in line
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_what_libraries_say_is_counted_without_what_came_from_outside(home: Home) -> None:
    import logging

    log = MinuteLog(home.logs / "serve.log")
    logger = logging.Logger("a.library")
    logger.addHandler(log)
    for number in range(1000):
        try:
            raise ValueError(f"GET /?token={TOKEN}")
        except ValueError:
            logger.exception("Error handling request from %s", TOKEN)
        logger.warning(f"kind {number}\x1b[31m\nforged line")
    log.write()
    text = (home.logs / "serve.log").read_text()
    assert "1000 a.library: Error handling request from %s (ValueError)" in text
    assert TOKEN not in text
    assert "\x1b" not in text
    assert "forged" not in text
    assert "of other kinds" in text
    assert len(text) < 10_000
