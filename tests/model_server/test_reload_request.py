"""TensorFlow Serving's reload request against a real core: config.json, labels, reasons."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.errors import InvalidInput, NoConfigFile, ReloadFailed, UnknownLabel
from camfleet_server.metrics import ServerMetrics
from camfleet_server.reload.config_source import SingleModel
from camfleet_server.reload.reconciler import Reconciler, ReconcilerOptions
from camfleet_server.serving.configuring import LABELS_NAME
from camfleet_server.serving.dataplane import DataPlane
from camfleet_server.serving.registry import Registry
from camfleet_server.types import InferRequest, WantedModel
from model_volume import LOAD_LIMIT_S, Core, Volume, running_core
from waiting import wait_until

ALL: dict[str, dict[str, int]] = {"all": {}}


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Volume:
    volume = Volume(tmp_path_factory.mktemp("reload-request"))
    volume.publish_adder("one", 1, 1.0)
    volume.publish_adder("one", 2, 2.0)
    volume.publish_adder("other", 1, 3.0)
    volume.publish_garbage("garbage", 1)
    volume.serve("one", nireq=1)
    return volume


@pytest.fixture(scope="module")
def running(volume: Volume) -> Iterator[Core]:
    with running_core(volume) as core:
        core.wait_for("one", 2)
        yield core


@pytest.fixture
def core(running: Core, volume: Volume) -> Core:
    """Begins with version 2 of one model, without labels."""
    running.plane.apply_config([WantedModel("one", str(volume.root / "one"))])
    return running


def entries(volume: Volume) -> dict[str, dict[str, object]]:
    document = json.loads(volume.config_path.read_text())
    return {entry["config"]["name"]: entry["config"] for entry in document["model_config_list"]}


def test_models_of_the_request_are_served_and_no_others(core: Core, volume: Volume) -> None:
    assert core.plane.apply_config([WantedModel("other", "other")]) == ()
    assert core.add("other") == 3
    assert list(entries(volume)) == ["other"]
    assert not core.plane.model_ready("one")


def test_other_keys_of_an_entry_stay(core: Core, volume: Volume) -> None:
    volume.serve("one", nireq=1, model_version_policy={"all": {}})
    core.plane.apply_config([WantedModel("one", f"file://{volume.root / 'one'}")])
    assert entries(volume)["one"] == {
        "name": "one",
        "base_path": str(volume.root / "one"),
        "nireq": 1,
    }


def test_labels_lead_to_versions_and_stay_in_a_file(core: Core, volume: Volume) -> None:
    wanted = WantedModel("one", str(volume.root / "one"), ALL, {"stable": 1, "canary": 2})
    assert core.plane.apply_config([wanted]) == ()
    written = json.loads((volume.root / "one" / LABELS_NAME).read_text())
    assert written == {"canary": 2, "stable": 1}
    assert core.plane.labelled_version("one", "stable") == 1
    core.plane.apply_config([WantedModel("one", str(volume.root / "one"), ALL)])
    with pytest.raises(UnknownLabel, match="Unrecognized servable version label: stable"):
        core.plane.labelled_version("one", "stable")


@pytest.mark.parametrize("labels", [{"stable": 1}, {}])
def test_labels_of_a_request_take_the_place_of_a_faulty_file(
    core: Core, volume: Volume, labels: dict[str, int]
) -> None:
    (volume.root / "one" / LABELS_NAME).write_text("not JSON")
    wait_until(lambda: core.plane.statuses("one")[0].reason, LOAD_LIMIT_S, "the file refused")
    wanted = WantedModel("one", str(volume.root / "one"), ALL, labels)
    assert core.plane.apply_config([wanted]) == ()
    assert core.plane.statuses("one")[0].reason == ""


def test_a_label_of_a_version_that_is_not_there_is_not_written(core: Core, volume: Volume) -> None:
    wanted = WantedModel("one", str(volume.root / "one"), ALL, {"stable": 9})
    (fault,) = core.plane.apply_config([wanted])
    assert fault == "one: label 'stable' wants version 9, which is not AVAILABLE"
    assert not (volume.root / "one" / LABELS_NAME).exists()


def test_models_that_cannot_be_loaded_are_named_with_their_reason(
    core: Core, volume: Volume
) -> None:
    wanted = [WantedModel("one", "one"), WantedModel("garbage", "garbage")]
    (fault,) = core.plane.apply_config(wanted)
    assert fault.startswith("garbage: version 1: ")
    assert core.add("one") == 2
    assert set(entries(volume)) == {"one", "garbage"}


@pytest.mark.parametrize(
    ("models", "text"),
    [
        ([WantedModel("", "one")], "a model without a name"),
        ([WantedModel("one", "")], "one: base_path is empty"),
        ([WantedModel("one", "/nowhere")], "one: base_path /nowhere does not exist"),
        ([WantedModel("one", "one")] * 2, "one: named 2 times"),
        ([WantedModel("one", "config.json", labels={"a": 1})], "version_labels need a folder"),
    ],
    ids=["name", "path", "missing", "twice", "labels of a file"],
)
def test_a_config_that_cannot_be_meant_changes_nothing(
    core: Core, volume: Volume, models: list[WantedModel], text: str
) -> None:
    before = volume.config_path.read_text()
    with pytest.raises(InvalidInput, match=text):
        core.plane.apply_config(models)
    assert volume.config_path.read_text() == before


def test_what_config_json_refuses_is_refused(core: Core, volume: Volume) -> None:
    before = volume.config_path.read_text()
    wanted = WantedModel("one", "one", {"specific": {"versions": [0]}})
    with pytest.raises(ReloadFailed, match="one"):
        core.plane.apply_config([wanted])
    assert volume.config_path.read_text() == before


def test_a_model_of_one_file_answers_to_its_path(core: Core, volume: Volume) -> None:
    core.plane.apply_config([WantedModel("single", "one/1/model.xml")])
    for name in ("single", "one/1/model.xml", str(volume.root / "one" / "1" / "model.xml")):
        assert core.add(name) == 1


def test_a_model_of_one_file_tells_its_own_name_whatever_the_spelling(
    core: Core, volume: Volume
) -> None:
    core.plane.apply_config([WantedModel("single", "one/1/model.xml")])
    spelled = "./././one/1/model.xml"
    assert core.plane.model_metadata(spelled).name == "single"
    assert (
        core.plane.infer(InferRequest(spelled, {"x": np.zeros((1, 4), np.float32)})).model
        == "single"
    )
    with pytest.raises(InvalidInput) as refused:
        core.plane.infer(InferRequest(spelled, {}))
    assert refused.value.model == "single"


def test_a_server_of_one_model_has_no_config_to_change(tmp_path: Path) -> None:
    registry, metrics = Registry(), ServerMetrics()
    source = SingleModel(ModelConfig(name="m", base_path=tmp_path))
    reconciler = Reconciler(source, registry, metrics, ReconcilerOptions())
    with pytest.raises(NoConfigFile, match="start it with --config_path"):
        DataPlane(registry, reconciler, metrics).apply_config([WantedModel("m", "m")])
