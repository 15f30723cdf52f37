"""`camfleet model log NAME`: who published a version, when, from what, and how good it was."""

import json
import signal
import sys
from pathlib import Path

import pytest

from camfleet.cli.errors import CommandError
from camfleet.cli.packages.publish import PublishOptions, publish
from camfleet.cli.packages.verdict import Verdict
from camfleet.cli.settings import command_settings
from camfleet_contracts.model_manifest import read_manifest
from camfleet_contracts.serving_config import read_serving_config
from camfleet_contracts.trail import Trail
from camfleet_contracts.volume import is_staging, versions_of
from cli_runs import CommandLine
from model_volume import save_adder
from processes import Service


def logged(camfleet: CommandLine, name: str) -> list[dict[str, object]]:
    versions: list[dict[str, object]] = json.loads(camfleet.run("model", "log", name, "--json").out)
    return versions


def test_what_the_user_says_of_a_version_is_in_its_log(
    camfleet: CommandLine, adder_folder: Path
) -> None:
    camfleet.run("model", "publish", str(adder_folder))
    words = ("--metric", "mAP=0.61", "--metric", "agreement=0.98", "--note", "rain", "--by", "ada")
    camfleet.run("model", "publish", str(adder_folder), *words)
    newest, oldest = logged(camfleet, "adder")
    assert (newest["version"], newest["by"], newest["parent"]) == (2, "ada", "adder:1")
    assert newest["metrics"] == {"mAP": 0.61, "agreement": 0.98}
    assert (oldest["parent"], oldest["source"]) == ("", "camfleet model publish")
    shown = camfleet.run("model", "log", "adder").out
    assert "mAP 0.61" in shown
    assert "made from adder:1" in shown
    assert "rain" in shown


def test_a_kernel_of_jupyter_is_noted_as_the_source(
    camfleet: CommandLine, adder_folder: Path
) -> None:
    notebooks = command_settings().notebooks_dir.absolute()
    camfleet.set(JPY_SESSION_NAME=notebooks / "night" / "train.ipynb", CAMFLEET_USER="scientist")
    camfleet.run("model", "publish", str(adder_folder))
    [version] = logged(camfleet, "adder")
    assert (version["source"], version["by"]) == ("night/train.ipynb", "scientist")


def test_what_a_tool_noted_in_the_package_goes_along(
    camfleet: CommandLine, adder_folder: Path
) -> None:
    trail = {"parent": "adder-f32:3", "calibration_sha256": "ab" * 32, "run": "mlflow-7"}
    (adder_folder / "model.json").write_text(json.dumps({"trail": trail}))
    camfleet.run("model", "publish", str(adder_folder), "--metric", "mAP=0.5")
    manifest = read_manifest(camfleet.models / "adder" / "1")
    assert manifest is not None
    assert manifest.trail is not None
    assert manifest.trail.parent == "adder-f32:3"
    assert manifest.trail.calibration_sha256 == "ab" * 32
    assert manifest.trail.metrics == {"mAP": 0.5}
    assert (manifest.trail.model_extra or {})["run"] == "mlflow-7"


def test_versions_copied_by_hand_are_shown_without_a_trail(camfleet: CommandLine) -> None:
    save_adder(camfleet.models / "adder" / "1", 1)
    outcome = camfleet.run("model", "log", "adder")
    assert "nothing is noted" in outcome.err
    assert outcome.code == 0


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("model", "log", "nobody"), "has no version on the volume"),
        (("model", "log", "../x"), "model id '../x'"),
        (("model", "publish", ".", "--metric", "mAP"), "must be name=number"),
    ],
)
def test_what_cannot_be_said_is_said_by_name(
    camfleet: CommandLine, words: tuple[str, ...], reason: str
) -> None:
    outcome = camfleet.run(*words)
    assert outcome.code == 1
    assert reason in outcome.err


def test_a_publisher_that_fails_leaves_the_model_of_another_served(
    camfleet: CommandLine, adder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of two adds the entry and fails; the second found it there and relies on it."""

    def other_publishes_meanwhile(*_: object) -> Verdict:
        monkeypatch.undo()
        monkeypatch.setenv("MODELS_DIR", str(camfleet.models))
        publish(settings, adder_folder, PublishOptions(wait_s=0))
        return Verdict("END", "its probe failed")

    settings = command_settings()
    monkeypatch.setattr("camfleet.cli.packages.publish.wait_for_verdict", other_publishes_meanwhile)
    with pytest.raises(CommandError, match="refused and taken back: its probe failed"):
        publish(settings, adder_folder, PublishOptions(trail=Trail(by="first")))
    assert list(versions_of(camfleet.models / "adder")) == [2]
    assert [m.name for m in read_serving_config(camfleet.models / "config.json").models] == [
        "adder"
    ]


_DIES_WHILE_COPYING = """
import pathlib, sys, time
from camfleet.cli.packages import publish as module
from camfleet.cli.settings import command_settings

def copies_half(package, folder, report):
    (folder / "model.xml").write_text("half of it")
    print("half is there", flush=True)
    time.sleep(600)

module._copy = copies_half
module.publish(command_settings(), pathlib.Path(sys.argv[1]), module.PublishOptions())
"""


def staged(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if is_staging(path.name)]


def test_a_publisher_that_is_killed_leaves_nothing_that_counts(
    camfleet: CommandLine, adder_folder: Path
) -> None:
    service = Service([sys.executable, "-c", _DIES_WHILE_COPYING, str(adder_folder)], {})
    service.logged("half is there")
    service.process.send_signal(signal.SIGKILL)
    assert service.stop() == -signal.SIGKILL
    folder = camfleet.models / "adder"
    assert len(staged(folder)) == 1
    assert not versions_of(folder)
    assert not (camfleet.models / "config.json").exists()
    camfleet.run("model", "publish", str(adder_folder), "--wait", "0")
    assert list(versions_of(folder)) == [1]
    assert not staged(folder)
