import json
from pathlib import Path
from typing import Any

import pytest

from camfleet_contracts.serving_config import (
    BadServingConfig,
    ServingConfig,
    edit_serving_config,
    parse_serving_config,
    read_serving_config,
)

FOLDER = Path("/models/config.json")


def parsed(*entries: dict[str, Any], **top: Any) -> ServingConfig:
    text = json.dumps({"model_config_list": [{"config": entry} for entry in entries], **top})
    return parse_serving_config(text, path=FOLDER, env={"BASE": "/mnt"})


@pytest.mark.parametrize(
    ("base_path", "expected"),
    [
        ("resnet", "/models/resnet"),
        ("/data/resnet", "/data/resnet"),
        ("${BASE}/resnet", "/mnt/resnet"),
    ],
)
def test_base_paths_are_relative_to_the_file(base_path: str, expected: str) -> None:
    (model,) = parsed({"name": "resnet", "base_path": base_path}).models
    assert model.base_path == Path(expected)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"name": "a"}, "base_path: Field required"),
        ({"name": "a", "base_path": "../x"}, "must not contain"),
        ({"name": "a", "base_path": "${MISSING}"}, "MISSING"),
        ({"name": "a", "base_path": "x", "nireq": -1}, "nireq"),
        ({"name": "a", "base_path": "x", "model_version_policy": {"some": {}}}, "exactly one of"),
        ({"name": "a", "base_path": "x", "plugin_config": {"K": {"nested": 1}}}, "plugin_config"),
    ],
    ids=["no path", "dots", "variable", "nireq", "policy", "nested plugin_config"],
)
def test_a_bad_entry_costs_that_entry_only(entry: dict[str, Any], reason: str) -> None:
    config = parsed(entry, {"name": "good", "base_path": "good"})
    assert [model.name for model in config.models] == ["good"]
    assert reason in config.entry_faults["a"]


def test_documented_keys_are_taken_and_unknown_ones_are_warned_of() -> None:
    entry = {"name": "a", "base_path": "a", "mean": "[1,2,3]", "color_format": "RGB", "colour": 1}
    config = parsed(entry, pipeline_config_list=[])
    assert config.models[0].mean == "[1,2,3]"
    assert config.warnings == (
        "config.json: top-level key 'pipeline_config_list' is not supported and ignored",
        "a: unknown key 'colour' is ignored",
        "a: key 'mean' is read but not applied yet",
        "a: key 'color_format' is read but not applied yet",
    )


def test_the_first_of_two_equal_names_counts() -> None:
    config = parsed({"name": "a", "base_path": "1"}, {"name": "a", "base_path": "2"})
    assert [model.base_path.name for model in config.models] == ["1"]
    assert "named twice" in config.warnings[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"model_config_list": [', ":1: not valid JSON"),
        ("[" * 100_000, "too deeply nested"),
        ("[]", "needs a list 'model_config_list'"),
        ("{}", "needs a list 'model_config_list'"),
    ],
)
def test_a_broken_file_names_place_and_reason(text: str, reason: str) -> None:
    with pytest.raises(BadServingConfig, match=reason):
        parse_serving_config(text, path=FOLDER, env={})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadServingConfig, match=r"config\.json: cannot be read: No such file"):
        read_serving_config(tmp_path / "config.json")


def test_an_edit_is_written_and_the_text_before_it_kept(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    for number in range(25):
        with edit_serving_config(path) as document:
            document["model_config_list"] = [{"config": {"name": f"m{number}", "base_path": "m"}}]
    assert read_serving_config(path).models[0].name == "m24"
    history = sorted((tmp_path / ".history").iterdir(), key=lambda p: int(p.stem.split("-")[1]))
    assert len(history) == 20
    assert "m23" in history[-1].read_text()


def test_a_bad_edit_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"model_config_list": []}')
    with pytest.raises(BadServingConfig, match="base_path"), edit_serving_config(path) as document:
        document["model_config_list"].append({"config": {"name": "a"}})
    assert path.read_text() == '{"model_config_list": []}'
