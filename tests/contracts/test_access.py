import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from camfleet_contracts import key_entries
from camfleet_contracts.access import (
    KeyMiddleware,
    Message,
    Receive,
    RefusedToListen,
    Scope,
    Send,
    check_exposure,
    check_key,
    is_allowed,
    parse_networks,
)
from camfleet_contracts.keys import Key, KeyStore
from camfleet_contracts.settings import read_settings


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    store = KeyStore(tmp_path / "keys.json")
    store.ensure()
    return store


def test_loopback_needs_no_network_list_and_everything_else_does() -> None:
    assert check_exposure("127.0.0.1", read_settings()) == ()
    with pytest.raises(RefusedToListen, match=r"0\.0\.0\.0.*ALLOW_CIDR"):
        check_exposure("0.0.0.0", read_settings(allow_cidr=""))
    networks = check_exposure("0.0.0.0", read_settings(allow_cidr="192.168.0.0/16, fd00::/8"))
    assert is_allowed("192.168.3.4", networks)
    assert is_allowed("::ffff:192.168.3.4", networks)
    assert is_allowed("127.0.0.1", networks)
    assert is_allowed("::ffff:127.0.0.1", networks)
    assert not is_allowed("10.0.0.1", networks)
    assert not is_allowed("unknown", networks)


def test_a_bad_network_is_named() -> None:
    with pytest.raises(RefusedToListen, match="ALLOW_CIDR"):
        parse_networks("192.168")


async def _ok(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})


def answers(app: KeyMiddleware, kind: str, path: str = "/v1", **scope: Any) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    full = {"type": kind, "path": path, "headers": [], "client": ("127.0.0.1", 1), **scope}
    asyncio.run(app(full, receive, send))
    return sent


def answer(app: KeyMiddleware, path: str = "/v1", **scope: Any) -> Message:
    return answers(app, "http", path, **scope)[0]


@pytest.fixture
def presented(keys: KeyStore) -> dict[str, dict[str, Any]]:
    plain = keys.add("wall", "viewer")
    cookie = keys.new_session(Key("wall", "viewer"))
    return {
        "bearer": {"headers": [(b"authorization", f"Bearer {plain}".encode())]},
        "x-api-key": {"headers": [(b"x-api-key", plain.encode())]},
        "query": {"query_string": f"apiKey={plain}".encode()},
        "cookie": {"headers": [(b"cookie", f"camfleet_session={cookie}".encode())]},
        "wrong": {"headers": [(b"x-api-key", b"guess")]},
        "nothing": {},
    }


@pytest.mark.parametrize(
    ("way", "status"),
    [
        ("bearer", 200),
        ("x-api-key", 200),
        ("query", 200),
        ("cookie", 200),
        ("wrong", 401),
        ("nothing", 401),
    ],
)
def test_http_takes_a_key_in_every_documented_way(
    keys: KeyStore, presented: dict[str, dict[str, Any]], way: str, status: int
) -> None:
    assert answer(KeyMiddleware(_ok, keys), **presented[way])["status"] == status


@pytest.mark.parametrize(
    ("way", "reason"), [("nothing", b"a key is needed"), ("wrong", b"this key is unknown")]
)
def test_a_wrong_key_is_told_from_none(
    keys: KeyStore, presented: dict[str, dict[str, Any]], way: str, reason: bytes
) -> None:
    assert reason in answers(KeyMiddleware(_ok, keys), "http", **presented[way])[1]["body"]


@pytest.mark.parametrize(("way", "lines"), [("nothing", 0), ("bearer", 0), ("wrong", 1)])
def test_the_log_tells_who_presents_a_wrong_key(
    keys: KeyStore,
    presented: dict[str, dict[str, Any]],
    caplog: pytest.LogCaptureFixture,
    way: str,
    lines: int,
) -> None:
    answer(KeyMiddleware(_ok, keys), client=("10.0.0.9", 1), **presented[way])
    assert caplog.messages == ["wrong key peer=10.0.0.9 times=1"] * lines


def test_health_is_open(keys: KeyStore) -> None:
    assert answer(KeyMiddleware(_ok, keys), path="/healthz")["status"] == 200


@pytest.mark.parametrize(("networks", "code"), [("", 4401), ("192.168.0.0/16", 4403)])
def test_a_websocket_is_told_why_it_is_refused(keys: KeyStore, networks: str, code: int) -> None:
    app = KeyMiddleware(_ok, keys, networks=parse_networks(networks))
    accepted, closed = answers(app, "websocket", client=("10.0.0.1", 1))
    assert accepted["type"] == "websocket.accept"
    assert (closed["type"], closed["code"]) == ("websocket.close", code)


def test_strangers_are_refused_even_with_a_key(keys: KeyStore) -> None:
    plain = keys.add("wall", "viewer")
    app = KeyMiddleware(_ok, keys, networks=parse_networks("192.168.0.0/16"))
    headers = [(b"x-api-key", plain.encode())]
    assert answer(app, client=("10.0.0.1", 1), headers=headers)["status"] == 403
    assert answer(app, client=("192.168.0.9", 1), headers=headers)["status"] == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8553", 200),
        ("localhost", 200),
        ("[::1]:8553", 200),
        ("camera.attacker.example:8553", 403),
        ("127.0.0.1.attacker.example", 403),
        ("", 403),
    ],
)
def test_a_name_made_to_lead_to_loopback_opens_nothing(
    keys: KeyStore, host: str, status: int
) -> None:
    app = KeyMiddleware(_ok, keys, loopback_open=True)
    headers = [(b"host", host.encode())]
    assert answer(app, headers=headers)["status"] == status
    with_key = [*headers, (b"x-api-key", keys.add("wall", "viewer").encode())]
    assert answer(app, headers=with_key)["status"] == 200
    assert answer(app, path="/healthz", headers=headers)["status"] == 200


@pytest.fixture
def held_scrypt(keys: KeyStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A chosen key whose check takes until the event is set."""
    keys.ensure(SecretStr("chosen"))
    may_end = threading.Event()
    scrypt = key_entries._scrypt

    def held(plain: str, salt: bytes) -> str:
        may_end.wait(60)
        return scrypt(plain, salt)

    monkeypatch.setattr(key_entries, "_scrypt", held)
    yield may_end
    may_end.set()


def guess(number: int) -> dict[str, Any]:
    return {"headers": [(b"x-api-key", f"guess {number}".encode())]}


def test_the_loop_runs_on_while_a_key_is_checked(
    keys: KeyStore, held_scrypt: threading.Event
) -> None:
    async def check_beside_the_loop() -> Key | None:
        check = asyncio.ensure_future(check_key(keys, "chosen"))
        asyncio.get_running_loop().call_soon(held_scrypt.set)
        return await check

    assert asyncio.run(check_beside_the_loop()) == Key("admin", "admin", keys.list()[0].created)


def test_wrong_keys_beyond_the_limit_are_refused_and_known_keys_pass(
    keys: KeyStore, held_scrypt: threading.Event
) -> None:
    plain = keys.add("wall", "viewer")
    app = KeyMiddleware(_ok, keys)
    waiting = [keys.start_check(f"guess {number}") for number in range(8)]
    refused = answer(app, **guess(8))
    assert (refused["status"], (b"retry-after", b"1") in refused["headers"]) == (429, True)
    assert answer(app, path="/healthz", **guess(8))["status"] == 200
    assert answer(app, headers=[(b"x-api-key", plain.encode())])["status"] == 200
    held_scrypt.set()
    assert [check.result(60) for check in waiting] == [None] * 8
    assert answer(app, **guess(8))["status"] == 401
