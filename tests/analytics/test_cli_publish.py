"""`camfleet model publish` on a volume with and without a real model server."""

import errno
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from camfleet.cli.errors import CommandError
from camfleet.cli.packages.package import Package
from camfleet.cli.packages.publish import PublishOptions, publish
from camfleet.cli.packages.verdict import Verdict, wait_for_verdict
from camfleet.cli.settings import command_settings
from camfleet.inference.model_client import ModelClient
from camfleet_contracts.files import locked
from camfleet_contracts.model_manifest import read_manifest
from camfleet_contracts.serving_config import read_serving_config
from camfleet_contracts.volume import versions_of
from camfleet_server.runtimes.openvino.api import ov
from cli_runs import CommandLine, contents
from model_volume import opset
from processes import running
from waiting import wait_until


@pytest.fixture
def server(camfleet: CommandLine) -> Iterator[CommandLine]:
    """The command beside a real server on the same volume."""
    camfleet.models.mkdir(parents=True)
    config = camfleet.models / "config.json"
    config.write_text('{"model_config_list": []}')
    options = ["--config_path", str(config), "--port", "auto", "--rest_port", "auto"]
    with running("camfleet-server", *options) as service:
        port = service.logged(r"grpc=\S+:(\d+)").group(1)
        rest = service.logged(r"rest=\S+:(\d+)").group(1)
        camfleet.set(CAMFLEET_SERVER=f"127.0.0.1:{port}", GRPC_PORT=port, REST_PORT=rest)
        yield camfleet


def save_classifier(folder: Path, classes: int, labels: list[str]) -> Path:
    """The mean of each channel, as scores of `classes` classes."""
    x = opset.parameter([1, 3, 8, 8], np.float32, name="x")
    mean = opset.reduce_mean(x, np.array([2, 3]), keep_dims=False)
    weights = opset.constant(np.ones((3, classes), np.float32) / 765)
    y = opset.matmul(mean, weights, transpose_a=False, transpose_b=False)
    folder.mkdir()
    ov.save_model(ov.Model([y], [x], "classifier"), folder / "model.xml")
    manifest = {"labels": labels, "preprocess": {}, "postprocess": {"decoder": "classification"}}
    (folder / "model.json").write_text(json.dumps(manifest))
    return folder


def test_server_serves_what_is_published_and_the_command_says_so(
    server: CommandLine, adder_folder: Path
) -> None:
    outcome = server.run("model", "publish", str(adder_folder))
    assert outcome.code == 0, outcome.err
    assert "adder version 1 published, added to config.json" in outcome.err
    assert "adder version 1 is AVAILABLE" in outcome.err
    outcome = server.run("model", "publish", str(adder_folder))
    assert "adder version 2 is AVAILABLE" in outcome.err
    manifest = read_manifest(server.models / "adder" / "2")
    assert manifest is not None
    assert set(manifest.files) == {"model.xml", "model.bin"}


def test_misspelt_keys_of_model_json_are_told(camfleet: CommandLine, adder_folder: Path) -> None:
    (adder_folder / "model.json").write_text('{"preprocess": {"color": "BGR"}}')
    outcome = camfleet.run("model", "publish", str(adder_folder))
    assert "nobody reads preprocess.color (colour?); see docs/models.md" in outcome.err


def test_version_that_the_server_refuses_leaves_no_trace(
    server: CommandLine, adder_folder: Path, tmp_path: Path
) -> None:
    server.run("model", "publish", str(adder_folder))
    before, log = contents(server.models), server.run("model", "log", "--json").out
    garbage = save_garbage(tmp_path / "garbage")
    for name in ("adder", "new/model"):
        outcome = server.run("model", "publish", str(garbage), "--id", name)
        assert outcome.code == 1
        assert "was refused and taken back: " in outcome.err
        assert "cannot be read" in outcome.err
    assert contents(server.models) == before
    assert [m.name for m in read_serving_config(server.models / "config.json").models] == ["adder"]
    assert "AVAILABLE" in server.run("model", "list").out
    wait_until(lambda: "new.model" not in server.run("model", "list").out, 60, "it is forgotten")
    assert server.run("model", "log", "--json").out == log


def test_wrong_number_of_labels_is_found_before_anybody_counts_on_it(
    server: CommandLine, tmp_path: Path
) -> None:
    folder = save_classifier(tmp_path / "pets", 2, ["cat", "dog", "bird"])
    outcome = server.run("model", "publish", str(folder))
    assert outcome.code == 1
    assert "it was taken back" in outcome.err
    assert "3 scores" in outcome.err
    assert not (server.models / "pets").exists()
    wait_until(lambda: "pets" not in server.run("model", "list").out, 60, "it is not listed")
    folder = save_classifier(tmp_path / "animals", 2, ["cat", "dog"])
    assert server.run("model", "publish", str(folder)).code == 0


def save_garbage(folder: Path) -> Path:
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"this is no model")
    return folder


@pytest.mark.parametrize("is_first", [True, False], ids=["first version", "next version"])
def test_what_follows_a_refusal_at_once_is_judged_by_itself(
    server: CommandLine, tmp_path: Path, *, is_first: bool
) -> None:
    right = save_classifier(tmp_path / "right", 2, ["cat", "dog"])
    mislabelled = save_classifier(tmp_path / "mislabelled", 2, ["cat", "dog", "bird"])
    garbage = save_garbage(tmp_path / "garbage")
    if not is_first:
        assert server.run("model", "publish", str(right), "--id", "pets").code == 0
    for wrong in (mislabelled, garbage):
        assert server.run("model", "publish", str(wrong), "--id", "pets").code == 1
        outcome = server.run("model", "publish", str(right), "--id", "pets")
        assert outcome.code == 0, outcome.err
        assert "is AVAILABLE" in outcome.err


def test_labels_of_model_json_win_over_the_file_it_names_and_stay(
    camfleet: CommandLine, tmp_path: Path
) -> None:
    folder = save_classifier(tmp_path / "pets", 2, ["cat", "dog"])
    (folder / "labels.txt").write_text("one\ntwo\n")
    document = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(document | {"label_file": "labels.txt"}))
    assert camfleet.run("model", "publish", str(folder)).code == 0
    manifest = read_manifest(camfleet.models / "pets" / "1")
    assert manifest is not None
    assert manifest.labels == ("cat", "dog")


def test_without_a_server_it_waits_on_the_volume(camfleet: CommandLine, adder_folder: Path) -> None:
    outcome = camfleet.run(
        "model", "publish", str(adder_folder), "--id", "me/adder", "--version", "7"
    )
    assert outcome.code == 0, outcome.err
    assert f"made the model volume {camfleet.models}; MODELS_DIR" in outcome.err
    assert "no model server answers" in outcome.err
    assert list(versions_of(camfleet.models / "me.adder")) == [7]
    document = json.loads((camfleet.models / "me.adder" / "7" / "model.json").read_text())
    assert document["id"] == "me/adder"
    again = camfleet.run(
        "model", "publish", str(adder_folder), "--id", "me/adder", "--version", "7"
    )
    assert (again.code, "leave --version out" in again.err) == (1, True)


def test_a_number_that_is_no_version_is_refused_in_a_line(
    camfleet: CommandLine, adder_folder: Path
) -> None:
    outcome = camfleet.run("model", "publish", str(adder_folder), "--version", str(2**63))
    assert outcome.code == 1
    assert outcome.err.startswith(f"error: adder version {2**63}: nobody can ask for it")
    assert not (camfleet.models / "adder").exists()


def test_two_publishers_at_once_get_two_versions(camfleet: CommandLine, adder_folder: Path) -> None:
    settings = command_settings()
    options = PublishOptions(serve=False)
    threads = [
        threading.Thread(target=publish, args=(settings, adder_folder, options)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert list(versions_of(camfleet.models / "adder")) == [1, 2, 3, 4]


def test_a_version_that_gave_way_to_a_newer_one_is_not_waited_for(
    server: CommandLine, adder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = "camfleet.cli.packages.publish.wait_for_verdict"

    def other_publishes_meanwhile(*asked: Any) -> Verdict | None:
        monkeypatch.setattr(target, wait_for_verdict)
        wait_for_verdict(*asked)
        publish(command_settings(), adder_folder, PublishOptions())
        return wait_for_verdict(*asked)

    monkeypatch.setattr(target, other_publishes_meanwhile)
    outcome = server.run("model", "publish", str(adder_folder))
    assert outcome.code == 0
    assert "adder version 1 gave way to version 2, which is newer" in outcome.err


def test_interrupted_wait_leaves_nothing_behind(
    camfleet: CommandLine, adder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("camfleet.cli.packages.publish.wait_for_verdict", interrupted)
    with pytest.raises(KeyboardInterrupt):
        publish(command_settings(), adder_folder, PublishOptions())
    assert not (camfleet.models / "adder").exists()
    assert not read_serving_config(camfleet.models / "config.json").models


def test_nobody_publishes_beside_a_version_while_it_is_taken_back(
    camfleet: CommandLine, adder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise CommandError("refused")

    def withdraw(models: Path, name: str) -> None:
        with pytest.raises(BlockingIOError), locked(models / name / "publish", wait=False):
            pass
        taken_back.append(name)

    taken_back: list[str] = []
    monkeypatch.setattr("camfleet.cli.packages.publish.wait_for_verdict", refused)
    monkeypatch.setattr("camfleet.cli.packages.publish.withdraw", withdraw)
    assert camfleet.run("model", "publish", str(adder_folder)).code == 1
    assert taken_back == ["adder"]


def test_what_others_have_in_the_folder_of_the_model_stays(
    camfleet: CommandLine, adder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise CommandError("refused")

    labels = camfleet.models / "adder" / "version_labels.json"
    labels.parent.mkdir(parents=True)
    labels.write_text("{}")
    monkeypatch.setattr("camfleet.cli.packages.publish.wait_for_verdict", refused)
    assert camfleet.run("model", "publish", str(adder_folder)).code == 1
    assert labels.read_text() == "{}"
    assert not versions_of(labels.parent)


def test_full_disk_is_said_and_leaves_nothing_behind(
    camfleet: CommandLine, adder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_package: Package, folder: Path, *_: object) -> None:
        (folder / "model.xml").write_text("half of it")
        raise OSError(errno.ENOSPC, "No space left on device", str(folder / "model.bin"))

    monkeypatch.setattr("camfleet.cli.packages.publish._copy", full)
    outcome = camfleet.run("model", "publish", str(adder_folder))
    assert (outcome.code, "free some space and repeat" in outcome.err) == (1, True)
    assert not (camfleet.models / "adder").exists()


def test_colours_of_a_file_reach_clients_and_stay_in_their_file(
    server: CommandLine, adder_folder: Path
) -> None:
    (adder_folder / "colors.txt").write_text("0,128,255\n")
    manifest = {"labels": ["cat"], "colors_file": "colors.txt"}
    (adder_folder / "model.json").write_text(json.dumps(manifest))
    assert server.run("model", "publish", str(adder_folder)).code == 0
    assert "label_colors" not in json.loads((server.models / "adder/1/model.json").read_text())
    client = ModelClient(command_settings().server)
    try:
        assert client.current("adder").manifest.label_colors == ((0, 128, 255),)
    finally:
        client.close()


def test_a_volume_that_is_full_names_the_file(
    camfleet: CommandLine, adder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_models: Path, _name: str, _version: None, fill: Callable[[Path], None]) -> None:
        folder = camfleet.models / "staging"
        folder.mkdir(parents=True)
        for path in adder_folder.iterdir():
            (folder / path.name).symlink_to("/dev/full")
        fill(folder)

    monkeypatch.setattr("camfleet.cli.packages.publish.publish_version", full)
    outcome = camfleet.run("model", "publish", str(adder_folder))
    assert outcome.code == 1
    assert "/staging/model." in outcome.err
    assert "no space left on device; free some space and repeat" in outcome.err
