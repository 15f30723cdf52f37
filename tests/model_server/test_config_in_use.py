"""config.json and mapping_config.json on a volume that is being served."""

import json
from pathlib import Path

import pytest

from model_volume import Volume, running_core
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


def test_a_mapping_that_changes_reloads_the_version(tmp_path: Path) -> None:
    volume = Volume(tmp_path)
    volume.serve("adder")
    folder = volume.publish_adder("adder", 1, addend=3)
    with running_core(volume) as core:
        core.wait_for("adder", 1)
        (folder / "mapping_config.json").write_text('{"outputs": {"y": "sum"}}')
        wait_until(
            lambda: core.plane.model_metadata("adder").outputs[0].name == "sum", 20, "the new name"
        )
        assert core.plane.model_metadata("adder").inputs[0].name == "x"


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
