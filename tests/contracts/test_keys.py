import copy
import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from camfleet_contracts import key_entries
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
    files = [path for path in tmp_path.iterdir() if path.suffix != ".lock"]
    assert {path.name: path.stat().st_mode & 0o777 for path in files} == {
        "keys.json": 0o600,
        "service.key": 0o600,
        "session.key": 0o600,
    }


@pytest.mark.parametrize("name", ["service.key", "session.key"])
def test_an_empty_secret_is_made_anew(keys: KeyStore, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("\n")
    keys.fleet_secret()
    keys.new_session(Key("link", "admin"))
    assert len((tmp_path / name).read_text()) > 32
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_a_state_folder_has_its_files_from_the_first_start_on_and_keeps_them(
    keys: KeyStore, tmp_path: Path
) -> None:
    made = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert tmp_path / "keys.json" in made
    keys.ensure()
    assert made == {path: path.read_bytes() for path in tmp_path.iterdir()}


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


def test_a_state_folder_that_cannot_be_written_is_named_with_its_cause(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")

    with pytest.raises(FolderNotWritable, match="state cannot be written: "):
        KeyStore(tmp_path / "state" / "keys.json").ensure()
