"""The command itself: help, login links, keys, doctor, and the record of a fleet that runs."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from camfleet.cli.application import build_app
from camfleet.cli.errors import CommandError
from camfleet.cli.fleet.run_record import recorded_run, running_pid
from camfleet.cli.settings import command_settings
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.settings import read_settings
from cli_runs import CommandLine
from processes import BIN


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "state" / "keys.json")


def test_examples_and_paragraphs_of_every_help_fit_a_terminal_of_80_columns() -> None:
    too_long = [
        (verb, line)
        for verb, command in _verbs(get_command(build_app()), "camfleet")
        for line in (command.help or "").split("\n")[1:]  # the first line is wrapped
        if len(line) > 78
    ]
    assert too_long == []


def test_every_verb_has_an_example() -> None:
    verbs = dict(_verbs(get_command(build_app()), "camfleet"))
    leaves = {name: verb.help for name, verb in verbs.items() if not hasattr(verb, "commands")}
    examples = {name: text.partition("Example")[2] for name, text in leaves.items()}
    assert [name for name, text in examples.items() if name not in text] == []


def _verbs(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    yield name, command
    for verb, below in getattr(command, "commands", {}).items():
        yield from _verbs(below, f"{name} {verb}")


def test_help_imports_no_schema_or_vendor() -> None:
    heavy = ["pydantic", "httpx", "av", "cv2", "grpc", "numpy"]
    program = (
        "import sys; from camfleet.cli.application import build_app; build_app()\n"
        "print([name for name in sys.argv[1:] if name in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program, *heavy], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "[]\n"


@pytest.mark.parametrize("program", ["", "-analytics", "-capture", "-server", "-workbench"])
def test_every_program_tells_its_version(program: str) -> None:
    said = subprocess.check_output([BIN / f"camfleet{program}", "--version"], text=True)
    assert said.startswith(f"camfleet{program} {version('camfleet')}")


def test_a_login_link_works_once(camfleet: CommandLine, keys: KeyStore) -> None:
    link = json.loads(camfleet.run("url", "--json").out)["url"]
    address, _, token = link.partition("/login?token=")
    assert address == "http://127.0.0.1:1"
    used = keys.use_login(token)
    assert used is not None
    assert used.role == "admin"
    assert keys.use_login(token) is None


def test_a_link_that_leads_nowhere_says_so(camfleet: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as page:
        camfleet.set(STREAMER_PORT=page.getsockname()[1])
        assert camfleet.run("url").err == ""
    assert "nobody listens there now; `camfleet up` starts" in camfleet.run("url").err


def test_the_jupyter_link_is_for_admins_only(camfleet: CommandLine) -> None:
    assert "http://127.0.0.1:8888/lab?token=" in camfleet.run("url", "--jupyter").out
    assert camfleet.run("url", "--jupyter", "--role", "viewer").code == 1


def test_url_names_the_public_address_where_there_is_one(camfleet: CommandLine) -> None:
    camfleet.set(CAMFLEET_PUBLIC_URL="https://box.lan", JUPYTER_BASE_URL="/jupyter/")
    assert "https://box.lan/login?token=" in camfleet.run("url").out
    assert "https://box.lan/jupyter/lab?token=" in camfleet.run("url", "--jupyter").out


def test_keys_are_made_listed_and_revoked(camfleet: CommandLine, keys: KeyStore) -> None:
    plain = camfleet.run("key", "add", "grafana").out.strip()
    made = keys.check(plain)
    assert made is not None
    assert (made.name, made.role) == ("grafana", "viewer")
    assert json.loads(camfleet.run("key", "list", "--json").out)[0]["name"] == "grafana"
    assert camfleet.run("key", "revoke", "grafana").code == 0
    assert keys.check(plain) is None


def test_a_damaged_key_file_is_told_in_a_line(camfleet: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "keys.json").write_text("{")
    outcome = camfleet.run("key", "list")
    assert outcome.code == 1
    assert outcome.err.startswith(f"error: {tmp_path}/state/keys.json is damaged; ")


def test_a_key_that_is_taken_or_missing_is_named(camfleet: CommandLine) -> None:
    camfleet.run("key", "add", "grafana")
    assert "'grafana' is there already" in camfleet.run("key", "add", "grafana").err
    assert "key 'other' does not exist" in camfleet.run("key", "revoke", "other").err


def test_doctor_says_what_is_there(camfleet: CommandLine) -> None:
    camfleet.make_volume()
    findings = json.loads(camfleet.run("doctor", "--json").out)
    verdicts = {finding["check"]: finding["verdict"] for finding in findings}
    assert verdicts["OpenCV"] == "ok"
    assert verdicts["no TensorFlow"] == "ok"
    assert verdicts["PyAV"] == "ok"
    assert verdicts["runtime openvino"] == verdicts["format onnx"] == "ok"
    assert verdicts["runtime hailo"] == verdicts["format hailo"] == "note"
    assert verdicts["cameras.yaml"] == "ok"
    assert verdicts["model server"] == "note"


def test_doctor_ends_with_1_when_something_must_be_mended(camfleet: CommandLine) -> None:
    camfleet.make_volume()
    (camfleet.models / "config.json").write_text("{")
    assert camfleet.run("doctor").code == 1


def test_the_record_of_a_fleet_that_has_ended_is_ignored(
    camfleet: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir(exist_ok=True)
    record = {"pid": os.getpid(), "started": 1.0, "settings": {"streamer_port": 5999}}
    (tmp_path / "state" / "run.json").write_text(json.dumps(record))
    assert ":5999/" not in camfleet.run("url").out


def test_links_are_those_of_the_running_fleet_with_tls(
    camfleet: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = {"tls_cert": "cert.pem", "tls_key": "key.pem"}
    settings = read_settings(state_dir=tmp_path / "state", bind_address="192.0.2.7", **files)
    with recorded_run(settings):
        assert camfleet.run("url").out.startswith("https://192.0.2.7:")
        assert command_settings().tls_cert == tmp_path / "cert.pem"
    public = settings.model_copy(update={"public_url": "https://box.example"})
    with recorded_run(public):
        assert camfleet.run("url").out.startswith("https://box.example/login?")


def test_a_command_in_another_folder_uses_the_folders_of_the_running_fleet(
    camfleet: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("CAMFLEET_CACHE", "CAMFLEET_RECORDINGS"):
        monkeypatch.delenv(variable, raising=False)
    with recorded_run(read_settings(state_dir=tmp_path / "state")):
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        settings = command_settings()
        assert settings.cache_dir == tmp_path / "var" / "cache"
        assert settings.recordings_dir == tmp_path / "var" / "recordings"
    assert camfleet.run("url").code == 0


def test_a_second_fleet_on_a_state_folder_leaves_the_record_of_the_first(tmp_path: Path) -> None:
    settings = read_settings(state_dir=tmp_path)
    with recorded_run(settings):
        with pytest.raises(CommandError, match="runs already"), recorded_run(settings):
            pass
        assert running_pid(tmp_path) == os.getpid()
    assert running_pid(tmp_path) is None


def test_a_list_without_keys_says_how_to_make_one(camfleet: CommandLine) -> None:
    assert "camfleet key add" in camfleet.run("key", "list").err
