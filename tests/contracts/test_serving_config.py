import json
from pathlib import Path
from typing import Any

import pytest

from camfleet_contracts.serving_config import (
    BadServingConfig,
    MetricsConfig,
    ServingConfig,
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


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("shape", "(1,3,a)", "shape: 'a' is not a size"),
        ("shape", {"x": "(1;3)"}, "shape: '1;3' is not a size"),
        ("batch_size", "many", "batch_size: 'many' is not a size"),
        ("shape", "(1,99999999999999999999)", "shape: '99999999999999999999' is not a size"),
        ("batch_size", True, "batch_size"),
        ("batch_size", "8:1", "batch_size: '8:1' is not a size, range (1:8)"),
        ("nireq", "4", "nireq"),
        ("mean", "[1,two]", "mean: '[1,two]' is neither a number nor a list"),
        ("mean", [], "mean: [] holds no number"),
        ("mean", "[1,nan]", "mean: '[1,nan]' must hold finite numbers"),
        ("scale", "[1,0,1]", "scale divides, it must not be 0"),
        ("color_format", "RGB:CMYK", "'CMYK' is not a colour format; write request:model with RGB"),
        ("precision", "FP8", "'FP8' is not a precision; there are FP64"),
        ("plugin_config", {"NUM_STREAMS": 2**63}, "'NUM_STREAMS' is 9223372036854775808; write a"),
        ("plugin_config", {"DEVICES": ["CPU"]}, "'DEVICES' is ['CPU']; write a text, true, false"),
        ("model_version_policy", {"latest": {"num_versions": 0}}, 'written {"num_versions": 2}'),
        ("model_version_policy", {"latest": {"num_versions": 10**30}}, '{"num_versions": 2}'),
        ("model_version_policy", {"specific": {}}, 'written {"versions": [1, 3]}'),
        ("model_version_policy", {"all": {"x": 1}}, "all is written {}"),
        ("model_version_policy", {"all": {}, "latest": {}}, "exactly one of"),
        ("base_path", "", "base_path is empty"),
        ("base_path", None, "base_path: must be a text, got None"),
        ("base_path", "a\0b", "base_path 'a\\x00b' must be UTF-8 text without zeros"),
        ("base_path", "\ud800", "base_path '\\ud800' must be UTF-8 text"),
        ("base_path", "s3://bucket/m", "cloud storage, which is not read; copy the model"),
        ("base_path", "azure://bucket/m", "cloud storage"),
        ("graph_path", "g.pbtxt", "MediaPipe graphs are not served here; serve each model"),
        (
            "custom_loader_options",
            {"loader_name": "l"},
            "custom model loaders are not served here (dep",
        ),
        ("stateful", True, "(OVMS dropped them in 2026.3); export the model"),
        ("low_latency_transformation", True, "stateful models"),
    ],
    ids=str,
)
def test_what_is_not_offered_or_wrong_costs_that_entry_and_says_why(
    key: str, value: Any, reason: str
) -> None:
    config = parsed({"name": "a", "base_path": "a", key: value}, {"name": "b", "base_path": "b"})
    assert [model.name for model in config.models] == ["b"]
    assert reason in config.entry_faults["a"]
    assert "\n" not in config.entry_faults["a"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("shape", "(1, 3, -1, 200:500)"),
        ("shape", "auto"),
        ("shape", [1, 3, 224, 224]),
        ("shape", {"a": "auto", "b": "(1,3)"}),
        ("batch_size", 0),
        ("batch_size", "auto"),
        ("batch_size", "1:8"),
        ("layout", {"a": "NHWC:NCHW"}),
        ("mean", 127.5),
        ("mean", "[123.7,116.8,103.5]"),
        ("scale", {"a": [58.4, 57.1, 57.4]}),
        ("scale", "a:[1,2,3],b:[1]"),
        ("color_format", "bgr:rgb"),
        ("precision", "u8"),
        ("model_version_policy", {"latest": {}}),
        ("plugin_config", {"NUM_STREAMS": 2, "PERF_COUNT": True, "PERFORMANCE_HINT": "LATENCY"}),
        ("allow_cache", True),
    ],
    ids=str,
)
def test_every_form_of_a_value_is_taken_without_a_warning(key: str, value: Any) -> None:
    config = parsed({"name": "a", "base_path": "a", key: value})
    assert getattr(config.models[0], key) == value
    assert config.warnings == ()


def test_the_forms_of_ovms_documentation_are_taken() -> None:
    config = parsed(
        {
            "name": "one",
            "base_path": "/opt/ml/models/one",
            "batch_size": "16",
            "model_version_policy": {"all": {}},
        },
        {
            "name": "two",
            "base_path": "gs://bucket/models/two",
            "model_version_policy": {"specific": {"versions": [1, 3]}},
        },
        {
            "name": "three",
            "base_path": "models/three",
            "shape": {"input1": "(1,3,200,200)", "input2": "auto"},
            "layout": {"input1": "NHWC:NCHW", "input2": "HWN:NHW", "output1": "CN:NC"},
            "plugin_config": {"PERFORMANCE_HINT": "THROUGHPUT"},
            "target_device": "HETERO:GPU,CPU",
        },
    )
    assert [model.name for model in config.models] == ["one", "three"]
    assert list(config.entry_faults) == ["two"]
    assert config.warnings == ()


def test_keys_without_effect_and_unknown_ones_are_warned_of() -> None:
    entry = {"name": "a", "base_path": "a", "colour": 1, "stateful": False}
    more = {"max_sequence_number": 5, "shape": "auto", "batch_size": 4}
    config = parsed(entry | more, notes="ours")
    assert config.warnings == (
        "config.json: top-level key 'notes' is not known and ignored",
        "a: unknown key 'colour' is ignored",
        "a: key 'max_sequence_number' has no effect: it is for stateful models",
        "a: 'batch_size' is ignored because 'shape' is given",
    )


def test_lists_that_ovms_drops_become_faults_of_their_names_and_models_are_served() -> None:
    config = parsed(
        {"name": "a", "base_path": "a"},
        pipeline_config_list=[{"name": "both", "nodes": []}, {}],
        mediapipe_config_list=[{"name": "graph", "base_path": "g"}, {"name": "a"}],
        custom_loader_config_list=[{"config": {"loader_name": "loader", "library_path": "l.so"}}],
        custom_node_library_config_list=[{"name": "ocr", "base_path": "ocr.so"}],
    )
    assert [model.name for model in config.models] == ["a"]
    assert {name: fault.split(" are ")[0] for name, fault in config.entry_faults.items()} == {
        "both": "pipeline_config_list: DAG pipelines",
        "pipeline_config_list[1]": "pipeline_config_list: DAG pipelines",
        "graph": "mediapipe_config_list: MediaPipe graphs",
        "loader": "custom_loader_config_list: custom model loaders",
        "ocr": "custom_node_library_config_list: custom node libraries",
    }
    assert config.warnings[0].startswith("a: mediapipe_config_list: MediaPipe graphs")
    assert config.warnings[0].endswith("(a model of that name is served)")


def test_faults_are_told_behind_the_name_of_their_entry() -> None:
    config = parsed({"name": "a", "base_path": ""})
    assert config.told_entry_faults == ["a: base_path is empty"]


def test_a_name_that_cannot_be_sent_is_told_by_its_place() -> None:
    config = parsed(
        {"name": "\ud800", "base_path": "a"}, mediapipe_config_list=[{"name": "\udfff"}]
    )
    assert list(config.entry_faults) == ["model_config_list[0]", "mediapipe_config_list[0]"]


@pytest.mark.parametrize(
    ("monitoring", "metrics", "warning"),
    [
        ({"metrics": {"enable": True}}, MetricsConfig(enable=True), None),
        (
            {"metrics": {"enable": True, "metrics_list": ["ovms_streams", "nope"]}},
            MetricsConfig(enable=True, metrics_list=("ovms_streams", "nope")),
            "config.json: monitoring.metrics: there is no metric 'nope'",
        ),
        (
            {"metrics": {"metrics_list": []}},
            None,
            "config.json: monitoring.metrics is ignored: enable: Field required",
        ),
        (
            ["metrics"],
            None,
            'config.json: monitoring is ignored: it is written {"metrics": {"enable": true}}',
        ),
    ],
    ids=["enable", "unknown metric", "no enable", "a list"],
)
def test_monitoring_is_read_and_never_costs_the_file(
    monitoring: Any, metrics: MetricsConfig | None, warning: str | None
) -> None:
    config = parsed(monitoring=monitoring)
    assert config.metrics == metrics
    assert config.warnings == ((warning,) if warning else ())


def test_what_an_equal_name_after_a_fault_says_is_not_taken_either() -> None:
    config = parsed({"name": "a"}, {"name": "a", "base_path": "2"})
    assert config.models == ()
    assert "named twice" in config.warnings[0]


def test_the_first_of_two_equal_names_counts() -> None:
    config = parsed({"name": "a", "base_path": "1"}, {"name": "a", "base_path": "2"})
    assert [model.base_path.name for model in config.models] == ["1"]
    assert "named twice" in config.warnings[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"model_config_list": [', ":1: not valid JSON.*ends too early"),
        ('{\n// models\n"model_config_list": []}', ":2: .*JSON has no comments, remove it"),
        ('{"model_config_list": [],\n}', ": .*remove the comma before it"),
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


def test_a_file_in_another_encoding_is_told_what_to_be_saved_as(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"model_config_list": []}', encoding="utf-16")
    with pytest.raises(BadServingConfig, match="it is not UTF-8 text; save it as UTF-8"):
        read_serving_config(path)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"model_config_list": []}', encoding="utf-8-sig")
    assert read_serving_config(path).models == ()
