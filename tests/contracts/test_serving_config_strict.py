import json
from pathlib import Path
from typing import Any

import pytest

from camfleet_contracts.serving_config import BadServingConfig, parse_serving_config

PATH = Path("/models/config.json")
FULL = {
    "model_config_list": [
        {
            "config": {
                "name": "a",
                "base_path": "a",
                "batch_size": "auto",
                "shape": {"x": "(1,3,224,224)"},
                "layout": "NHWC:NCHW",
                "model_version_policy": {"specific": {"versions": [1, 2]}},
                "nireq": 4,
                "target_device": "CPU",
                "plugin_config": {"NUM_STREAMS": 2, "PERF_COUNT": False, "HINT": "LATENCY"},
                "allow_cache": False,
                "stateful": False,
                "idle_sequence_cleanup": True,
                "max_sequence_number": 5,
            }
        }
    ],
    "monitoring": {"metrics": {"enable": True, "metrics_list": ["ovms_streams"]}},
    "pipeline_config_list": [],
    "mediapipe_config_list": [],
}


def check(document: dict[str, Any], indent: int | None = None) -> None:
    text = json.dumps(document, indent=indent)
    parse_serving_config(text, path=PATH, env={}, strict=True)


def test_what_ovms_takes_is_taken() -> None:
    check(FULL)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("mean", "[1,2,3]"),
        ("scale", 2),
        ("color_format", "RGB:BGR"),
        ("precision", "UINT8:FP32"),
        ("version", 1),
        ("note", "unknown"),
        ("shape", [1, 3]),
        ("batch_size", -1),
        ("nireq", "4"),
        ("layout", 5),
        ("model_version_policy", {"latest": {}}),
        ("model_version_policy", {"all": {}, "latest": {"num_versions": 1}}),
        ("model_version_policy", {"specific": {"versions": [0]}}),
        ("plugin_config", {"nested": {}}),
        ("target_device", None),
        ("custom_loader_options", {}),
    ],
    ids=str,
)
def test_a_key_of_a_model_that_ovms_refuses_costs_the_file_and_is_named(
    key: str, value: Any
) -> None:
    model = {"name": "a", "base_path": "a", key: value}
    with pytest.raises(
        BadServingConfig, match=rf"OVMS refuses model_config_list\.0\.config\.{key}"
    ):
        check({"model_config_list": [{"config": model}]})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"notes": 1}, "notes: its schema does not know"),
        ({"monitoring": {}}, "monitoring: needs an object 'metrics'"),
        ({"monitoring": {"metrics": {}}}, "monitoring.metrics: needs 'enable'"),
        ({"monitoring": {"metrics": {"enable": True, "a": 1}}}, "metrics.a: its schema"),
        ({"monitoring": {"metrics": {"enable": True, "metrics_list": "a"}}}, "a list of texts"),
        ({"pipeline_config_list": {}}, "pipeline_config_list: must be a list"),
        ({"model_config_list": [{}]}, "needs an object 'config'"),
        ({"model_config_list": [{"config": {}, "more": 1}]}, "0.more: its schema"),
        ({"model_config_list": [{"config": {"base_path": "a"}}]}, "needs 'name'"),
    ],
    ids=str,
)
def test_what_ovms_refuses_elsewhere_costs_the_file_too(
    change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(BadServingConfig, match=reason):
        check(FULL | change)


def test_the_line_of_the_key_is_told() -> None:
    models = [{"config": {"name": name, "base_path": 'a, "b": {[\n'}} for name in "abc"]
    models[1]["config"]["mean"] = "1"
    document = {"monitoring": {"metrics": {"enable": True}}, "model_config_list": models}
    text = json.dumps(document, indent=1)
    line = next(i for i, row in enumerate(text.splitlines(), 1) if '"mean"' in row)
    with pytest.raises(BadServingConfig, match=rf"config\.json:{line}: .*1\.config\.mean"):
        check(document, indent=1)
