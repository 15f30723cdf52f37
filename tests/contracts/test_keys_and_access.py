import asyncio
import copy
import json
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
from camfleet_contracts.files import FolderNotWritable
from camfleet_contracts.key_entries import BadKeyFile, Entry, find_entry
from camfleet_contracts.keys import Key, KeyStore
from camfleet_contracts.settings import read_settings


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    store = KeyStore(tmp_path / "keys.json")
    store.ensure()
    return store


def test_a_key_is_known_until_it_is_revoked(keys: KeyStore) -> None:
    plain = keys.add("wall", "viewer")
    found = keys.check(plain)
    assert found is not None
    assert (found.name, found.role) == ("wall", "viewer")
    keys.revoke("wall")
    assert keys.check(plain) is None


def test_boxes_that_are_given_one_secret_know_each_other(tmp_path: Path) -> None:
    here, there = (KeyStore(tmp_path / box / "keys.json") for box in ("here", "there"))
    here.ensure()
    for box in (here, there):
        box.ensure(shared=SecretStr("given to every box of the fleet\n"))
    assert here.fleet_secret() == there.fleet_secret() == "given to every box of the fleet"
    found = there.check(here.fleet_secret())
    assert found is not None
    assert found.role == "service"


def test_secret_that_can_be_guessed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMFLEET_SERVICE_KEY", "short")
    with pytest.raises(ValueError, match="at least 24"):
        read_settings()


def test_a_key_revoked_while_it_is_checked_is_not_known_afterwards(
    keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.ensure(SecretStr("chosen"))

    def revoked_meanwhile(entries: list[Entry], presented: str) -> Entry | None:
        found = find_entry(entries, presented)
        if keys.list():
            keys.revoke("admin")
            keys.list()  # as another thread, reads the file again
        return found

    monkeypatch.setattr("camfleet_contracts.keys.find_entry", revoked_meanwhile)
    keys.check("chosen")
    assert keys.check("chosen") is None


def test_no_plain_key_is_on_disk_and_the_files_are_private(keys: KeyStore, tmp_path: Path) -> None:
    plain = keys.add("wall", "admin")
    assert plain not in (tmp_path / "keys.json").read_text()
    assert {p.stat().st_mode & 0o777 for p in tmp_path.glob("*.*") if p.is_file()} >= {0o600}
    assert (tmp_path / "service.key").stat().st_mode & 0o777 == 0o600


def test_another_process_sees_a_new_key_at_once(keys: KeyStore, tmp_path: Path) -> None:
    other = KeyStore(tmp_path / "keys.json")
    assert other.list() == []
    plain = keys.add("late", "service")
    assert other.check(plain) is not None


def test_the_seed_becomes_the_admin_key_and_may_change(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys.json")
    store.ensure(SecretStr("first"))
    store.ensure(SecretStr("second"))
    assert store.check("first") is None
    assert [key.role for key in store.list()] == ["admin"]
    assert store.check("second") is not None


@pytest.mark.parametrize(
    ("name", "role"),
    [("wall", "king"), ("taken", "viewer"), (" ", "viewer"), ("x" * 65, "viewer")],
)
def test_a_key_needs_a_free_name_and_a_known_role(keys: KeyStore, name: str, role: str) -> None:
    keys.add("taken", "viewer")
    with pytest.raises(ValueError, match=r"role 'king'|is there already|use 1 to 64"):
        keys.add(name, role)


@pytest.mark.parametrize("name", ["link", "service", "a|b", "a\nb", "a\x00"])
def test_a_key_may_not_have_a_name_that_sessions_need(keys: KeyStore, name: str) -> None:
    with pytest.raises(ValueError, match=r"is reserved|not allowed"):
        keys.add(name, "viewer")


def watched_scrypt(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What scrypt is computed of from now on."""
    computed: list[str] = []
    scrypt = key_entries._scrypt

    def counted(plain: str, salt: bytes) -> str:
        computed.append(plain)
        return scrypt(plain, salt)

    monkeypatch.setattr(key_entries, "_scrypt", counted)
    return computed


def test_wrong_keys_cost_no_scrypt_when_all_keys_are_random(
    keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = keys.add("wall", "viewer")
    computed = watched_scrypt(monkeypatch)
    assert keys.check("guess") is None
    assert keys.check(plain) is not None
    assert computed == []


@pytest.mark.parametrize("text", ["{", "null", '{"keys": [{}], "logins": []}', '{"keys": []}'])
def test_a_damaged_file_is_named_and_costs_who_runs_nothing(
    keys: KeyStore, tmp_path: Path, text: str
) -> None:
    plain = keys.add("wall", "viewer")
    assert keys.check(plain) is not None
    (tmp_path / "keys.json").write_text(text)
    assert keys.check(plain) == Key("wall", "viewer", keys.list()[0].created)
    with pytest.raises(BadKeyFile, match=r"keys\.json is damaged; bring it back"):
        KeyStore(tmp_path / "keys.json").ensure()


def test_a_file_of_before_keeps_its_keys_and_sessions(keys: KeyStore, tmp_path: Path) -> None:
    salt = bytes(16)
    scrypt = key_entries._scrypt("of before", salt)
    entry = {"name": "wall", "role": "viewer", "created": "", "salt": salt.hex(), "scrypt": scrypt}
    (tmp_path / "keys.json").write_text(json.dumps({"version": 1, "keys": [entry], "logins": []}))
    assert keys.check("of before") == Key("wall", "viewer")
    assert keys.check_session(keys.new_session(Key("wall", "viewer"))) == Key("wall", "viewer")
    assert keys.check(keys.add("late", "viewer")) is not None


def test_a_wrong_key_is_computed_once_until_the_file_changes(
    keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.ensure(SecretStr("chosen"))
    computed = watched_scrypt(monkeypatch)
    assert [keys.check("guess"), keys.check("guess")] == [None, None]
    assert computed == ["guess"]
    keys.ensure(SecretStr("guess"))
    found = keys.check("guess")
    assert found is not None
    assert found.name == "admin"


def test_few_wrong_keys_are_remembered(keys: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    keys.ensure(SecretStr("chosen"))
    monkeypatch.setattr(key_entries, "_scrypt", lambda plain, _: plain)
    for number in range(600):
        keys.check(f"guess {number}")
    assert 0 < len(keys._content.refused) <= 256


def test_a_copy_of_the_store_reads_the_same_file(keys: KeyStore) -> None:
    other = copy.deepcopy(keys)
    assert other.check(keys.add("wall", "viewer")) is not None


def test_revoking_an_unknown_key_is_an_error(keys: KeyStore) -> None:
    with pytest.raises(KeyError):
        keys.revoke("nobody")


def test_a_login_link_works_once(keys: KeyStore) -> None:
    token = keys.new_login()
    assert keys.use_login(token) == Key("link", "admin")
    assert keys.use_login(token) is None


def test_a_login_link_expires(keys: KeyStore) -> None:
    assert keys.use_login(keys.new_login(lifetime_s=-1)) is None


def test_a_session_holds_its_role_and_cannot_be_forged(keys: KeyStore) -> None:
    cookie = keys.new_session(Key("link", "viewer"))
    assert keys.check_session(cookie) == Key("link", "viewer")
    forged = cookie.replace(b"viewer".hex(), b"admin".hex())
    assert keys.check_session(forged) is None
    assert keys.check_session("nonsense") is None
    assert keys.check_session(keys.new_session(Key("link", "viewer"), lifetime_s=-1)) is None


def test_a_session_ends_with_its_key(keys: KeyStore) -> None:
    keys.add("wall", "viewer")
    cookie = keys.new_session(Key("wall", "viewer"))
    keys.revoke("wall")
    assert keys.check_session(cookie) is None


def test_a_session_of_a_revoked_key_does_not_serve_the_next_of_its_name(keys: KeyStore) -> None:
    keys.add("bob", "admin")
    cookie = keys.new_session(Key("bob", "admin"))
    keys.revoke("bob")
    keys.add("bob", "viewer")
    assert keys.check_session(cookie) is None


def test_a_session_takes_its_role_from_the_store(keys: KeyStore) -> None:
    keys.add("bob", "viewer")
    assert keys.check_session(keys.new_session(Key("bob", "admin"))) == Key("bob", "viewer")


def test_a_session_ends_when_the_seed_changes(keys: KeyStore) -> None:
    keys.ensure(SecretStr("first"))
    cookie = keys.new_session(Key("admin", "admin"))
    assert keys.check_session(cookie) == Key("admin", "admin")
    keys.ensure(SecretStr("second"))
    assert keys.check_session(cookie) is None


@pytest.mark.parametrize("key", [Key("link", "admin"), Key("service", "service")])
def test_a_session_without_an_entry_ends_with_the_secret_of_sessions(
    keys: KeyStore, tmp_path: Path, key: Key
) -> None:
    cookie = keys.new_session(key)
    secret = tmp_path / "session.key"
    assert secret.stat().st_mode & 0o777 == 0o600
    (tmp_path / "service.key").unlink()
    assert keys.check_session(cookie) == key
    secret.unlink()
    assert keys.check_session(cookie) is None


def test_loopback_needs_no_network_list_and_everything_else_does() -> None:
    assert check_exposure("127.0.0.1", read_settings()) == ()
    with pytest.raises(RefusedToListen, match=r"0\.0\.0\.0.*ALLOW_CIDR"):
        check_exposure("0.0.0.0", read_settings(allow_cidr=""))
    networks = check_exposure("0.0.0.0", read_settings(allow_cidr="192.168.0.0/16, fd00::/8"))
    assert is_allowed("192.168.3.4", networks)
    assert is_allowed("::ffff:192.168.3.4", networks)
    assert is_allowed("127.0.0.1", networks)
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


def test_a_state_folder_that_cannot_be_written_is_named_with_its_cause(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")

    with pytest.raises(FolderNotWritable, match="state cannot be written: "):
        KeyStore(tmp_path / "state" / "keys.json").ensure()
