import errno
import fcntl
import os
import shutil
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from camfleet_contracts.clock import rfc3339, rfc3339_from_unix
from camfleet_contracts.device import device_id
from camfleet_contracts.files import locked, sha256_of, write_atomically
from camfleet_contracts.names import split_version, stored_name
from camfleet_contracts.settings import read_settings


def test_a_written_file_replaces_the_old_one_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "file.json"
    write_atomically(path, "old")
    write_atomically(path, "new", mode=0o600)
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["file.json"]


def test_a_full_disk_is_told_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*/cameras\.yaml'"):
        write_atomically(tmp_path / "cameras.yaml", "version: 1")
    assert not list(tmp_path.iterdir())


def test_the_lock_of_a_file_admits_one_at_a_time(tmp_path: Path) -> None:
    path, order, inside = tmp_path / "file", [], threading.Event()

    def second() -> None:
        inside.wait(60)
        with locked(path):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with locked(path):
        inside.set()
        order.append("first")
        thread.join(0.1)
    thread.join(60)
    assert order == ["first", "second"]


def test_a_lock_that_its_holder_removed_is_taken_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, steps = tmp_path / "model" / "publish", [lambda: shutil.rmtree(tmp_path / "model")]

    def flock(file: int, how: int, take: Callable[[int, int], None] = fcntl.flock) -> None:
        take(file, how)
        while steps:
            steps.pop()()

    monkeypatch.setattr(fcntl, "flock", flock)
    with locked(path):
        with pytest.raises(BlockingIOError), locked(path, wait=False):
            pass
        assert path.parent.is_dir()


def test_sha256_is_that_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_of(tmp_path / "a").startswith("ba7816bf8f01cfea")


def test_times_are_written_in_utc_with_milliseconds() -> None:
    moment = datetime(2026, 11, 20, 20, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    assert rfc3339(moment) == "2026-11-20T18:00:00.123Z"
    assert rfc3339_from_unix(0) == "1970-01-01T00:00:00.000Z"


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no zone"):
        rfc3339(datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None))


@pytest.mark.parametrize(
    ("given", "name"),
    [("alwaysai/mobilenet_ssd", "alwaysai.mobilenet_ssd"), ("resnet", "resnet")],
)
def test_ids_become_folder_names(given: str, name: str) -> None:
    assert stored_name(given) == name


@pytest.mark.parametrize("bad", ["", "../x", "a/b/c", ".hidden", "a b"])
def test_ids_that_are_no_folder_name_are_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="model id"):
        stored_name(bad)


def test_a_model_may_name_its_version() -> None:
    assert split_version("a/b:3") == ("a.b", 3)
    assert split_version("a") == ("a", None)
    with pytest.raises(ValueError, match="number from 1"):
        split_version("a:0")


def test_the_device_id_is_kept(tmp_path: Path) -> None:
    settings = read_settings(state_dir=tmp_path)
    assert device_id(settings) == device_id(settings)
    assert device_id(read_settings(state_dir=tmp_path, device_id="box-7")) == "box-7"


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RTSP_PORT", "9554")
    monkeypatch.setenv("MODELS_DIR", "/models")
    settings = read_settings(grpc_port=1234, rest_port=None)
    assert (settings.rtsp_port, settings.grpc_port, settings.rest_port) == (9554, 1234, 8000)
    assert settings.cameras_file == Path("/models/cameras.yaml")


def test_a_moved_port_moves_the_address_the_others_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRPC_PORT", "9100")
    settings = read_settings(rtsp_port=9554)
    assert settings.server == "127.0.0.1:9100"
    assert settings.capture == "rtsp://127.0.0.1:9554"
    assert read_settings(server="other:1").server == "other:1"
