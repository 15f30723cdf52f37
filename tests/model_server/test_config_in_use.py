"""config.json and mapping_config.json on a volume that is being served."""

import json
import os
from pathlib import Path

import pytest

from camfleet_contracts.model_manifest import ModelManifest
from camfleet_server.reload import loader
from camfleet_server.reload.manifests import publish_manifest
from camfleet_server.runtimes.base import Servable
from camfleet_server.types import Manifest, VersionState
from model_volume import Volume, running_core, save_adder
from waiting import wait_until

ENTRIES = [
    {"name": "adder", "base_path": "adder", "mean": 1, "note": "unknown"},
    {"name": "cloud", "base_path": "s3://bucket/cloud"},
    {"name": "moved", "base_path": "${CAMFLEET_NO_SUCH_VARIABLE}/moved"},
]


def test_what_is_refused_is_told_under_its_name_and_the_rest_is_served(tmp_path: Path) -> None:
    volume = Volume(tmp_path)
    volume.publish_adder("adder", 1, addend=3)
    config = {"model_config_list": [{"config": entry} for entry in ENTRIES]}
    volume.write_config(json.dumps(config | {"pipeline_config_list": [{"name": "both"}]}))
    with running_core(volume) as core:
        core.wait_for("adder", 1)
        assert core.add("adder") == 2
        told = {
            name: statuses[0].reason
            for name, statuses in core.plane.all_statuses().items()
            if name != "adder"
        }
    assert told["cloud"].endswith("and give the folder")
    assert "is not set in the environment" in told["moved"]
    assert "DAG pipelines are not served here" in told["both"]


def test_models_of_one_folder_have_manifests_of_their_own(tmp_path: Path) -> None:
    volume = Volume(tmp_path)
    save_adder(tmp_path / "adder" / "1", addend=1)
    for name in ("one", "other"):
        volume.serve(name, base_path="adder")
    with running_core(volume) as core:
        for name in ("one", "other"):
            core.wait_for(name, 1)
            assert json.loads(core.plane.manifest(name).text)["id"] == name


def test_a_mapping_that_changes_reloads_the_version(tmp_path: Path) -> None:
    volume = Volume(tmp_path)
    volume.serve("adder")
    folder = volume.publish_adder("adder", 1, addend=3)
    with running_core(volume) as core:
        core.wait_for("adder", 1)
        (folder / "mapping_config.json").write_text('{"outputs": {"y": "sum"}}')
        wait_until(
            lambda: core.plane.model_metadata("adder").outputs[0].name == "sum", 60, "the new name"
        )
        assert core.plane.model_metadata("adder").inputs[0].name == "x"


def test_names_of_files_that_are_no_utf8_are_told_in_what_can_be_sent(tmp_path: Path) -> None:
    volume = Volume(tmp_path)
    volume.serve("latin")
    (tmp_path / "latin" / "1").mkdir(parents=True)
    (tmp_path / "latin" / "1" / os.fsdecode(b"mod\xe8le.xmm")).touch()
    with running_core(volume) as core:
        status = core.wait_for("latin", 1, VersionState.END)
        told = (status.reason, *core.plane.faults(), core.plane.last_loads()[0].reason)
    assert all(r"it holds mod\udce8le.xmm" in text for text in told)


def test_links_that_lead_nowhere_are_named(tmp_path: Path) -> None:
    volume = Volume(tmp_path)
    for name in ("file", "folder"):
        volume.serve(name)
        (tmp_path / name).mkdir()
    (tmp_path / "file" / "1").mkdir()
    (tmp_path / "file" / "1" / "model.onnx").symlink_to("../../blobs/0123")
    (tmp_path / "folder" / "1").symlink_to("/home/user/models/folder/1")
    with running_core(volume) as core:
        reason = core.wait_for("file", 1, VersionState.END).reason
        assert "it holds model.onnx, a link that leads nowhere" in reason
        core.wait_for_fault(f"{tmp_path}/folder/1 is a link that leads nowhere from here")


def test_a_load_that_fails_at_its_very_end_costs_its_model_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = Volume.of_adder(tmp_path)
    for name in ("odd", "odder"):  # as many as there are threads
        volume.serve(name)
        volume.publish_adder(name, 1, addend=1, id="odd")

    def fail_for_odd_ones(manifest: ModelManifest, servable: Servable) -> Manifest:
        if manifest.id == "odd":
            raise RuntimeError("nobody thought of this")
        return publish_manifest(manifest, servable)

    monkeypatch.setattr(f"{loader.__name__}.publish_manifest", fail_for_odd_ones)
    with running_core(volume) as core:
        for name in ("odd", "odder"):
            assert "nobody thought" in core.wait_for(name, 1, VersionState.END).reason
        core.wait_for("adder", 1)


def test_two_folders_of_one_number_are_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    volume = Volume(tmp_path)
    volume.serve("adder")
    volume.publish_adder("adder", 1, addend=3)
    (tmp_path / "adder" / "01").mkdir()
    with running_core(volume) as core:
        core.wait_for("adder", 1)
    assert "has the number of 1" in caplog.text
