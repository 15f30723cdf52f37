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

from camfleet.cli import console
from camfleet.cli.application import build_app
from camfleet.cli.errors import CommandError
from camfleet.cli.fleet.run_record import recorded_run, running_pid
from camfleet.cli.settings import command_settings
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.settings import read_settings
from cli_runs import CommandLine
from processes import BIN


@pytest.fixture
def camfleet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    return CommandLine(tmp_path, monkeypatch, capsys)


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


def test_the_first_command_seeds_the_volume(camfleet: CommandLine) -> None:
    assert camfleet.run("model", "list").code == 0
    names = {path.name for path in camfleet.models.iterdir()}
    assert {"catalog.json", "config.json", "cameras.yaml", "examples"} <= names


def test_a_search_among_what_can_be_pulled_makes_no_volume(camfleet: CommandLine) -> None:
    assert "fastestdet-coco" in camfleet.run("model", "search").out
    assert not camfleet.models.exists()


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


def test_search_finds_by_purpose_framework_and_foreign_id(camfleet: CommandLine) -> None:
    assert "yunet-n" in camfleet.run("model", "search", "FACE").out
    assert "yolo-fastest-1.1-body" in camfleet.run("model", "search", "darknet").out
    assert "ssd-mobilenet" in camfleet.run("model", "search", "alwaysai/mobilenet_ssd").out
    assert "nothing in the catalogue" in camfleet.run("model", "search", "zzz").err


def test_search_fits_a_terminal_of_80_columns(
    camfleet: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console.out, "width", 80)
    lines = camfleet.run("model", "search", "person-detect-int8").out.splitlines()
    assert lines[0] == "person-detect-int8  classification, 0.3 MB, Apache-2.0"
    assert 60 < len(lines[1]) <= 80
    assert all(line.startswith("    ") and len(line) <= 80 for line in lines[1:])


def test_a_copied_model_is_added_and_removed(camfleet: CommandLine) -> None:
    camfleet.run("model", "list")
    (camfleet.models / "resnet" / "1").mkdir(parents=True)
    (camfleet.models / "resnet" / "1" / "model.onnx").write_bytes(b"x")
    assert camfleet.run("model", "add", "resnet").code == 0
    assert "already" in camfleet.run("model", "add", "resnet").err
    rows = {
        row["name"]: row
        for row in json.loads(camfleet.run("model", "list", "--json").out)["models"]
    }
    assert rows["resnet"]["served"]
    assert rows["resnet"]["versions"] == [1]
    camfleet.run("model", "remove", "resnet", "--files")
    assert not (camfleet.models / "resnet").exists()
    assert "neither in config.json nor" in camfleet.run("model", "remove", "resnet").err


def test_what_is_no_model_is_not_removed_with_its_files(camfleet: CommandLine) -> None:
    example = camfleet.models / "examples" / "one-usb.yaml"
    example.parent.mkdir(parents=True)
    example.touch()
    outcome = camfleet.run("model", "remove", "examples", "--files")
    assert (outcome.code, "neither in config.json nor" in outcome.err) == (1, True)
    assert example.exists()


def test_what_a_killed_publisher_left_is_removed(camfleet: CommandLine) -> None:
    (camfleet.models / "pets" / ".1.tmp-publish-x").mkdir(parents=True)
    assert camfleet.run("model", "remove", "pets", "--files").code == 0
    assert not (camfleet.models / "pets").exists()


def test_one_version_is_taken_back_with_its_files(camfleet: CommandLine) -> None:
    camfleet.run("model", "list")
    for number in ("6", "7"):
        (camfleet.models / "pets" / number).mkdir(parents=True)
    camfleet.run("model", "add", "pets")
    config = (camfleet.models / "config.json").read_text()
    assert "--files deletes pets/7 and leaves 6" in camfleet.run("model", "remove", "pets:7").err
    assert "it has 6, 7" in camfleet.run("model", "remove", "pets:5", "--files").err
    assert camfleet.run("model", "remove", "pets:7", "--files").code == 0
    assert [path.name for path in (camfleet.models / "pets").iterdir()] == ["6"]
    assert "its only one" in camfleet.run("model", "remove", "pets:6", "--files").err
    assert (camfleet.models / "config.json").read_text() == config


def test_a_model_outside_the_volume_is_served_from_its_folder(
    camfleet: CommandLine, tmp_path: Path
) -> None:
    camfleet.run("model", "list")
    (tmp_path / "srv" / "7").mkdir(parents=True)
    assert camfleet.run("model", "add", "far", "--path", str(tmp_path / "srv")).code == 0
    assert str(tmp_path / "srv") in (camfleet.models / "config.json").read_text()


def test_a_model_without_a_version_is_not_added(camfleet: CommandLine) -> None:
    camfleet.run("model", "list")
    assert "no version folder" in camfleet.run("model", "add", "ghost").err


def test_the_card_of_a_catalogue_model(camfleet: CommandLine) -> None:
    card = camfleet.run("model", "show", "fastestdet-coco").out
    assert "BSD-3-Clause" in card
    assert "input.1 FP32 [1, 3, 352, 352]" in card
    assert "(80 in all)" in card or "none here; camfleet model pull fastestdet-coco" in card


@pytest.mark.parametrize(
    "look", [("model", "list"), ("model", "search"), ("model", "show", "plus")], ids=" ".join
)
def test_looking_at_a_volume_of_ovms_puts_nothing_into_it(
    camfleet: CommandLine, look: tuple[str, ...]
) -> None:
    (camfleet.models / "plus" / "1").mkdir(parents=True)
    entry = {"config": {"name": "plus", "base_path": "plus"}}
    (camfleet.models / "config.json").write_text(json.dumps({"model_config_list": [entry]}))
    assert camfleet.run(*look).code == 0
    assert sorted(path.name for path in camfleet.models.iterdir()) == ["config.json", "plus"]


def test_doctor_says_what_is_there(camfleet: CommandLine) -> None:
    camfleet.run("model", "list")
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
    camfleet.run("model", "list")
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
