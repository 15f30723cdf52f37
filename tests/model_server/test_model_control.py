"""Loading and unloading on request: what is written, what is put back, what is refused."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from camfleet_contracts.serving_config import changes_of
from camfleet_contracts.volume import publish_version
from camfleet_server.errors import (
    ControlRefused,
    InvalidInput,
    LoadFailed,
    ModelNotFound,
    NoConfigFile,
    ReloadFailed,
)
from camfleet_server.serving.load_overrides import entry_changes
from camfleet_server.serving.model_control import ModelControl
from camfleet_server.serving.registry import Registry, ServedModel, Snapshot
from camfleet_server.types import VersionState, VersionStatus

SERVED = ServedModel("m", {1: object()}, (VersionStatus(1, VersionState.AVAILABLE),))  # type: ignore[dict-item] # never looked into
REFUSED = ServedModel("m", {}, (VersionStatus(1, VersionState.END, "model.xml is truncated"),))
STILL = ServedModel("m", {}, (VersionStatus(1, VersionState.LOADING),))


@dataclass
class Served:
    """A volume, what is served after each reload, and who controls it."""

    config: Path
    outcome: Callable[[], ServedModel] = lambda: SERVED
    registry: Registry = field(default_factory=Registry)
    reloads: list[str | None] = field(default_factory=list)

    def reload(self, timeout_s: float, only: str | None = None) -> bool:
        assert timeout_s > 0
        self.reloads.append(only)
        self.registry.swap(Snapshot({"m": self.outcome()}))
        return True

    def control(self, mode: str = "explicit") -> ModelControl:
        return ModelControl(mode, self.config, self.registry, self)

    def entries(self) -> list[dict[str, Any]]:
        document = json.loads(self.config.read_text())
        return [entry["config"] for entry in document["model_config_list"]]

    def versions(self) -> list[str]:
        return sorted(p.name for p in self.config.parent.glob("m/*") if p.is_dir())


@pytest.fixture
def served(tmp_path: Path) -> Served:
    config = tmp_path / "config.json"
    config.write_text('{"model_config_list": []}')
    return Served(config)


def test_a_load_writes_the_entry_and_waits(served: Served) -> None:
    served.control().load("m", {}, {})
    assert served.entries() == [{"name": "m", "base_path": "m"}]
    assert served.reloads == ["m"]


def test_a_load_of_what_is_configured_keeps_its_entry(served: Served) -> None:
    served.config.write_text(
        '{"model_config_list": [{"config": {"name": "m", "base_path": "m", "nireq": 2}}]}'
    )
    served.control().load("m", {"version_policy": {"all": {}}}, {})
    policy: dict[str, Any] = {"all": {}}
    assert served.entries() == [
        {"name": "m", "base_path": "m", "nireq": 2, "model_version_policy": policy}
    ]


def test_a_load_of_what_is_configured_needs_no_volume_that_can_be_written(served: Served) -> None:
    served.config.write_text('{"model_config_list": [{"config": {"name": "m", "base_path": "m"}}]}')
    served.config.with_name(".config.json.lock").mkdir()  # no lock can be taken
    served.control().load("m", {}, {})
    served.outcome = lambda: REFUSED
    with pytest.raises(LoadFailed, match=r"^failed to load 'm', version 1: model"):
        served.control().load("m", {}, {})
    assert served.reloads == ["m", "m"]


def test_files_become_versions(served: Served) -> None:
    served.control().load("m", {}, {"file:1/model.onnx": b"one", "file:2/sub/labels.txt": b"a"})
    folder = served.config.parent / "m"
    assert (folder / "1" / "model.onnx").read_bytes() == b"one"
    assert (folder / "2" / "sub" / "labels.txt").read_bytes() == b"a"


@pytest.mark.parametrize(
    "manifest",
    [b"{", b"[]", b"\xff", b"[" * 100_000],
    ids=["cut off", "no object", "no text", "too deep"],
)
def test_a_bad_manifest_is_refused_before_any_version_is_published(
    served: Served, manifest: bytes
) -> None:
    files = {"file:1/model.xml": b"<", "file:2/model.xml": b"<", "file:2/model.json": manifest}
    with pytest.raises(InvalidInput, match=r"'file:2/model\.json' - Expected: a JSON object"):
        served.control().load("m", {}, files)
    assert (served.entries(), served.versions(), served.reloads) == ([], [], [])


def test_whatever_ends_publishing_takes_back_the_versions_before(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    publishers: dict[int, Callable[..., object]] = {1: publish_version, 2: stopping}
    monkeypatch.setattr(
        "camfleet_server.serving.model_control.publish_version",
        lambda folder, name, number, fill: publishers[number](folder, name, number, fill),
    )
    with pytest.raises(LoadFailed, match="the server is stopping"):
        served.control().load("m", {}, {"file:1/model.xml": b"<", "file:2/model.xml": b"<"})
    assert (served.entries(), (served.config.parent / "m").exists()) == ([], False)


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [(REFUSED, "version 1: model.xml is truncated"), (STILL, "version 1 still loads")],
    ids=["refused", "too slow"],
)
def test_a_failed_load_leaves_everything_as_it_was(
    served: Served, outcome: ServedModel, reason: str
) -> None:
    served.outcome = lambda: outcome
    with pytest.raises(LoadFailed, match=f"^failed to load 'm', {reason}"):
        served.control().load("m", {}, {"file:1/model.xml": b"<"})
    assert (served.entries(), (served.config.parent / "m").exists()) == ([], False)
    assert changes_of(served.config) == ()


def test_a_failed_change_puts_the_former_entry_back(served: Served) -> None:
    served.control().load("m", {}, {})
    served.outcome = lambda: REFUSED
    with pytest.raises(LoadFailed):
        served.control().load("m", {"instance_group": [{"count": 3}]}, {})
    assert served.entries() == [{"name": "m", "base_path": "m"}]


def test_a_load_that_fails_again_is_not_tried_twice(served: Served) -> None:
    served.control().load("m", {}, {})
    served.outcome = lambda: REFUSED
    with pytest.raises(LoadFailed):
        served.control().load("m", {}, {})
    assert served.reloads == ["m", "m"]


def test_a_stopping_server_is_told_as_a_failed_load(served: Served) -> None:
    served.outcome = stopping
    with pytest.raises(LoadFailed, match="failed to load 'm', the server is stopping"):
        served.control().load("m", {}, {})


def stopping(*_: object) -> ServedModel:
    raise ReloadFailed("the server is stopping")


def test_unload_with_a_broken_config_is_told(served: Served) -> None:
    served.config.write_text("{")
    with pytest.raises(ReloadFailed, match="not valid JSON"):
        served.control().unload("m")


@pytest.mark.parametrize(
    "name",
    [
        *("file:1/../../evil", "file:1//x", "file:1/.hidden", "file:1/", "file:/x", "file:0/x"),
        *("file:x/y", "1/model.onnx", "file:-1/x", "file:1/a\0b", f"file:1/{'A' * 256}"),
        f"file:{'9' * 30}/x",
    ],
)
def test_files_stay_inside_their_version(served: Served, name: str) -> None:
    with pytest.raises(InvalidInput, match="failed to load 'm', Invalid file path"):
        served.control().load("m", {}, {name: b"x"})
    assert (served.entries(), served.versions()) == ([], [])


def test_a_version_that_is_there_is_not_overwritten(served: Served) -> None:
    served.control().load("m", {}, {"file:1/model.onnx": b"one"})
    with pytest.raises(LoadFailed, match="version 1 is on the volume already"):
        served.control().load("m", {}, {"file:1/model.onnx": b"two"})
    assert (served.config.parent / "m" / "1" / "model.onnx").read_bytes() == b"one"


@pytest.mark.parametrize("name", ["../m", "a/b/c", "", "m\0"])
def test_names_that_are_no_folder_are_refused(served: Served, name: str) -> None:
    with pytest.raises(LoadFailed):
        served.control().load(name, {}, {})
    assert served.entries() == []


def test_files_go_into_the_folder_of_the_model_only(served: Served) -> None:
    served.config.write_text(
        '{"model_config_list": [{"config": {"name": "m", "base_path": "elsewhere"}}]}'
    )
    with pytest.raises(InvalidInput, match="base_path of 'm' is elsewhere"):
        served.control().load("m", {}, {"file:1/x": b"x"})


def test_a_broken_config_is_told(served: Served) -> None:
    served.config.write_text("{")
    with pytest.raises(LoadFailed, match=r"failed to load 'm', .*not valid JSON"):
        served.control().load("m", {}, {})


def test_unload_removes_the_entry_and_keeps_the_files(served: Served) -> None:
    served.control().load("m", {}, {"file:1/model.onnx": b"one"})
    served.control().unload("m")
    assert (served.entries(), served.versions()) == ([], ["1"])


def test_what_lies_on_the_volume_can_be_loaded(served: Served) -> None:
    (served.config.parent / "spare" / "1").mkdir(parents=True)
    (served.config.parent / "no-version").mkdir()
    assert served.control().loadable() == ("spare",)
    assert served.control("poll").loadable() == ()


def test_unload_of_what_is_not_configured_is_not_found(served: Served) -> None:
    with pytest.raises(ModelNotFound):
        served.control().unload("m")


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        ("poll", "explicit model load / unload is not allowed if polling is enabled"),
        ("none", "explicit model load / unload is not allowed - start the server with"),
    ],
)
def test_control_needs_its_mode(served: Served, mode: str, text: str) -> None:
    with pytest.raises(ControlRefused, match=text):
        served.control(mode).load("m", {}, {})
    with pytest.raises(ControlRefused, match=text):
        served.control(mode).unload("m")


def test_control_needs_a_config_file(served: Served) -> None:
    control = ModelControl("explicit", None, served.registry, served)
    with pytest.raises(NoConfigFile, match="RepositoryModelLoad needs a config"):
        control.load("m", {}, {})


@pytest.mark.parametrize(
    ("config", "changes"),
    [
        ({"name": "m", "max_batch_size": "0"}, {}),
        ({"version_policy": {"all": {}}}, {"model_version_policy": {"all": {}}}),
        (
            {"versionPolicy": {"latest": {"numVersions": "2"}}},
            {"model_version_policy": {"latest": {"num_versions": 2}}},
        ),
        (
            {"version_policy": {"specific": {"versions": ["1", 3]}}},
            {"model_version_policy": {"specific": {"versions": [1, 3]}}},
        ),
        ({"instance_group": [{"count": 2}, {"kind": "KIND_CPU", "count": 1}]}, {"nireq": 3}),
    ],
)
def test_overrides_become_keys_of_the_entry(
    config: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert entry_changes("m", config) == changes


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"name": "other"}, "name cannot be set to other"),
        ({"max_batch_size": 8}, "max_batch_size cannot be set to 8"),
        ({"dynamic_batching": {}}, "dynamic_batching cannot be set"),
        ({"version_policy": {"newest": {}}}, "one of all, latest, specific"),
        ({"version_policy": []}, "one of all, latest, specific"),
        ({"version_policy": {"latest": {"num_versions": 0}}}, "num_versions: Expected: a number"),
        ({"version_policy": {"specific": {"versions": "12"}}}, "one of all, latest, specific"),
        ({"instance_group": {}}, "Expected: a list of objects"),
        ({"instance_group": [{"kind": "KIND_GPU"}]}, "target_device in config.json"),
        ({"instance_group": [{"gpus": [0]}]}, "only count is honoured"),
        ({"instance_group": [{"count": True}]}, "count: Expected: a number from 1"),
    ],
)
def test_overrides_that_cannot_be_honoured_are_refused(config: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidInput, match=text):
        entry_changes("m", config)
