"""What is served follows config.json and the volume, and never gets worse by a bad change."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

import fakes_runtimes
from camfleet_contracts.folder_watch import FolderWatch
from camfleet_contracts.serving_config import roll_back
from camfleet_server.errors import (
    ModelNotFound,
    ModelNotReady,
    ModelVersionNotFound,
    ModelVersionRetired,
    ReloadFailed,
    UnknownLabel,
)
from camfleet_server.reload.repository import ModelRepository, VersionFiles
from camfleet_server.types import VersionState
from model_volume import LOAD_LIMIT_S, Volume, running_core
from waiting import wait_until


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    return Volume(tmp_path)


def test_new_version_is_served_and_the_old_one_retired(volume: Volume) -> None:
    volume.serve("adder")
    volume.publish_adder("adder", 1, addend=1)
    with running_core(volume) as core:
        core.wait_for("adder", 1)
        assert core.add("adder") == 1
        volume.publish_adder("adder", 2, addend=2)
        core.wait_for("adder", 1, VersionState.END)
        assert core.add("adder") == 2
        with pytest.raises(ModelVersionRetired):
            core.add("adder", version=1)


def test_missing_config_leaves_the_server_unready_until_it_appears(volume: Volume) -> None:
    volume.publish_adder("adder", 1, addend=1)
    with running_core(volume) as core:
        fault = core.wait_for_fault("config.json: cannot be read")
        assert "No such file" in fault
        assert not core.plane.ready()
        volume.serve("adder")
        core.wait_for("adder", 1)
        assert core.plane.ready()
        assert core.plane.faults() == ()


def test_broken_config_changes_nothing_and_names_the_line(volume: Volume) -> None:
    volume.serve("adder")
    volume.publish_adder("adder", 1, addend=1)
    with running_core(volume) as core:
        core.wait_for("adder", 1)
        volume.write_config('{"model_config_list": [\n{"config": ')
        assert "config.json:2" in core.wait_for_fault("config.json")
        assert "config.json:2" in core.plane.all_statuses()["config.json"][0].reason
        assert core.add("adder") == 1
        with pytest.raises(ReloadFailed, match=r"config\.json:2"):
            core.plane.reload()
        volume.write_config()
        wait_until(lambda: core.plane.faults() == (), 60, "the fault to be gone")


def test_bad_entry_costs_only_itself_and_not_even_its_served_model(volume: Volume) -> None:
    volume.serve("adder")
    volume.serve("other")
    for name in ("adder", "other"):
        volume.publish_adder(name, 1, addend=1)
    with running_core(volume) as core:
        core.wait_for("adder", 1)
        core.wait_for("other", 1)
        volume.serve("adder", nireq="many")
        assert "adder: adder" not in core.wait_for_fault("adder: nireq")
        assert core.add("adder") == core.add("other") == 1


def test_what_goes_wrong_with_one_model_leaves_the_others_followed(
    volume: Volume, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    read_version = ModelRepository.read_version

    def fail_for_one(repository: ModelRepository, name: str, *where: Any) -> VersionFiles:
        if name == "odd":
            raise RuntimeError("nobody thought of this")
        return read_version(repository, name, *where)

    monkeypatch.setattr(ModelRepository, "read_version", fail_for_one)
    for name in ("odd", "adder"):
        volume.serve(name)
        volume.publish_adder(name, 1, addend=1)
    with running_core(volume, poll_s=0.02) as core:
        core.wait_for("adder", 1)
        assert "nobody thought of this" in core.wait_for_fault("odd: cannot be followed")
        volume.publish_adder("adder", 2, addend=2)
        core.wait_for_answer("adder", 2)
    assert caplog.text.count("model cannot be followed") == 1


def test_a_model_without_files_is_told_once_by_the_log(
    volume: Volume, caplog: pytest.LogCaptureFixture
) -> None:
    volume.serve("adder")
    volume.serve("other")
    with running_core(volume, poll_s=0.02) as core:
        core.wait_for_fault("adder: no version found")
        volume.publish_adder("other", 1, addend=1)
        core.wait_for("other", 1)
    assert caplog.text.count("model waits model=adder reason=no version found in ") == 1


def test_one_requested_reload_takes_an_emptied_folder_up(volume: Volume) -> None:
    volume.serve("adder")
    folder = volume.publish_adder("adder", 1, addend=1)
    with running_core(volume, poll_s=0.0) as core:
        core.wait_for("adder", 1)
        shutil.rmtree(folder)
        assert core.plane.reload()
        with pytest.raises(ModelNotReady, match="no version found"):
            core.add("adder")


def test_reload_tells_that_a_removed_model_went(volume: Volume) -> None:
    volume.serve("adder")
    volume.publish_adder("adder", 1, addend=1)
    with running_core(volume, poll_s=0.0) as core:
        core.wait_for("adder", 1)
        volume.remove("adder")
        assert core.plane.reload()
        assert not core.plane.reload()


def test_labels_follow_their_file_and_a_bad_one_leaves_the_former(volume: Volume) -> None:
    volume.serve("adder")
    volume.publish_adder("adder", 3, addend=3)
    labels = volume.root / "adder" / "version_labels.json"
    labels.write_text('{"stable": 3}')
    with running_core(volume) as core:
        core.wait_for("adder", 3)
        assert core.plane.labelled_version("adder", "stable") == 3
        labels.write_text('{"stable": "three"}')
        fault = core.wait_for_fault("version_labels.json")
        assert "'stable' must be the number of a version, got 'three'" in fault
        assert core.plane.labelled_version("adder", "stable") == 3
        assert core.add("adder") == 3
        labels.unlink()
        wait_until(lambda: core.plane.faults() == (), 60, "the fault to be gone")
        with pytest.raises(UnknownLabel):
            core.plane.labelled_version("adder", "stable")


def test_config_changed_by_hand_can_be_rolled_back(volume: Volume) -> None:
    volume.serve("adder")
    volume.publish_adder("adder", 1, addend=1)
    with running_core(volume) as core:
        core.wait_for("adder", 1)
        volume.remove("adder")
        core.wait_for("adder", 1, VersionState.END)
        roll_back(volume.config_path)
        core.wait_for("adder", 1)


def test_failed_load_is_not_tried_again_until_something_changes(
    volume: Volume, caplog: pytest.LogCaptureFixture
) -> None:
    volume.serve("adder")
    volume.publish_garbage("adder", 1)
    with caplog.at_level("INFO"), running_core(volume, poll_s=0.02) as core:
        core.wait_for("adder", 1, VersionState.END)
        core.plane.reload()  # one explicit second try
        passes = [core.plane.model_ready("adder") for _ in range(100)]
        assert not any(passes)
    assert caplog.text.count("version refused") == 2


def test_changed_config_that_cannot_be_loaded_keeps_what_is_served(volume: Volume) -> None:
    volume.serve("adder")
    volume.publish_adder("adder", 1, addend=1)
    with running_core(volume) as core:
        core.wait_for("adder", 1)
        volume.serve("adder", plugin_config={"NO_SUCH_OPTION": "1"})
        assert "NO_SUCH_OPTION" in core.wait_for_fault("NO_SUCH_OPTION")
        assert core.add("adder") == 1
        volume.serve("adder", nireq=3)
        wait_until(lambda: core.plane.faults() == (), 60, "the fault to be gone")


def test_removed_model_drains_ends_and_says_so(volume: Volume) -> None:
    volume.serve("adder")
    volume.publish_adder("adder", 1, addend=1)
    with running_core(volume) as core:
        core.wait_for("adder", 1)
        volume.remove("adder")
        core.wait_for("adder", 1, VersionState.END)
        with pytest.raises(ModelVersionRetired):
            core.add("adder")


@pytest.mark.parametrize(
    ("policy", "available"),
    [
        (None, {3}),
        ({"all": {}}, {1, 2, 3}),
        ({"latest": {"num_versions": 2}}, {2, 3}),
        ({"specific": {"versions": [1]}}, {1}),
    ],
    ids=["default", "all", "latest", "specific"],
)
def test_version_policy_decides_what_is_served(
    volume: Volume, policy: dict[str, object] | None, available: set[int]
) -> None:
    for version in (1, 2, 3):
        volume.publish_adder("adder", version, addend=version)
    volume.serve("adder", model_version_policy=policy)
    with running_core(volume) as core:
        for version in available:  # ready comes after 15 s also without them
            core.wait_for("adder", version)
        assert set(core.plane.model_metadata("adder").versions) == available
        assert core.add("adder") == max(available)


def test_unknown_names_and_versions_are_told_apart(volume: Volume) -> None:
    volume.serve("adder")
    volume.serve("empty")
    volume.publish_adder("adder", 1, addend=1)
    with running_core(volume) as core:
        core.wait_for("adder", 1)
        with pytest.raises(ModelNotFound):
            core.add("no-such-model")
        with pytest.raises(ModelVersionNotFound):
            core.add("adder", version=9)
        with pytest.raises(ModelNotReady, match=r"put the model's files into .*empty/1"):
            core.add("empty")
        (told,) = core.plane.statuses("empty")
        assert "put the model's files into" in told.reason


def test_reload_under_way_ends_with_the_server(
    volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(fakes_runtimes.__file__).parent))
    volume.serve("adder")
    volume.publish_adder("adder", 1, addend=1, runtimes=["hanging"])
    with ThreadPoolExecutor(1) as pool:
        with running_core(volume, fakes_runtimes.TABLE, probe_limit_s=60) as core:
            core.wait_for("adder", 1, VersionState.LOADING)
            reload = pool.submit(core.plane.reload)
        with pytest.raises(ReloadFailed, match="stopping"):
            reload.result(LOAD_LIMIT_S)


@pytest.mark.parametrize(
    "path", ["x" * 300, "x" * 300 + ".xml", "x\0y"], ids=["long", "file", "nul"]
)
def test_a_path_that_cannot_be_asked_for_costs_its_model_alone(volume: Volume, path: str) -> None:
    volume.publish_adder("adder", 1, addend=1)
    volume.serve("bad", base_path=path)
    with running_core(volume) as core:
        core.wait_for_fault("bad: ")
        volume.serve("adder")
        core.plane.reload(timeout_s=LOAD_LIMIT_S)
        assert core.add("adder") == 1


def test_a_reload_is_answered_when_the_volume_cannot_be_watched(
    volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FolderWatch, "follow", Mock(side_effect=OSError))
    volume.write_config()
    with running_core(volume) as core:
        assert not core.plane.reload(timeout_s=LOAD_LIMIT_S)
