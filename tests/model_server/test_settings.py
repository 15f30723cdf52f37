"""The command line: what each option becomes, and the one line that a wrong one is told with."""

import json
from pathlib import Path
from typing import Any

import pytest

from camfleet_contracts.serving_config import MetricsConfig
from camfleet_contracts.settings import FleetSettings
from camfleet_server.command.monitoring import choose_metrics
from camfleet_server.command.program import find_program
from camfleet_server.command.settings import ServerSettings, read_server_settings

SERVE = ["--config_path", "/models/config.json", "--port", "9000"]


def read(*arguments: str, name: str = "camfleet-server", **fleet: Any) -> ServerSettings:
    settings = FleetSettings(**fleet)
    return read_server_settings(arguments, settings, find_program(f"/usr/bin/{name}", settings))


def refusal(
    capsys: pytest.CaptureFixture[str], *arguments: str, name: str = "camfleet-server"
) -> tuple[object, str]:
    with pytest.raises(SystemExit) as ended:
        read(*arguments, name=name)
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    return ended.value.code, told.err


def test_defaults_are_those_of_the_fleet(tmp_path: Path) -> None:
    settings = read(models_dir=tmp_path, grpc_port=1, rest_port=2)
    assert settings.config_path == tmp_path / "config.json"
    assert (settings.grpc.port, settings.rest.port) == (1, 2)
    assert settings.grpc.addresses == settings.rest.addresses == ("127.0.0.1",)
    assert settings.server_name == "camfleet"


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        (["--port", "auto"], "grpc.port", None),
        (["--port=0"], "grpc.is_on", False),
        (["--rest-port", "8001"], "rest.port", 8001),
        (["--grpc_bind_address", "127.0.0.1, ::1"], "grpc.addresses", ("127.0.0.1", "::1")),
        (["--config-path", "/a.json"], "config_path", Path("/a.json")),
        (["--file-system-poll-wait-seconds", "-1"], "reconciler.poll_s", 0),
        (["--cache-dir=/c"], "reconciler.cache_dir", Path("/c")),
        (["--queue-size", "3"], "reconciler.queue_limit", 3),
        (["--log_level", "trace"], "log_level", "TRACE"),
        (["--log_path", "/log"], "log_path", Path("/log")),
        (["--strict_ovms"], "strict_ovms", True),
        (["--model_control", "explicit"], "model_control", "explicit"),
        (["--model-control=explicit"], "model_control", "explicit"),
        (["--allow_client_shm"], "allow_client_shm", True),
        (["--metrics_enable"], "metrics_enable", True),
        (["--metrics_enable=false"], "metrics_enable", False),
        (["--metrics_list", "ovms_streams"], "metrics_list", ("ovms_streams",)),
        (
            ["--grpc_channel_arguments", "grpc.max_connection_age_ms=2000,a=b"],
            "grpc_channel_arguments",
            (("grpc.max_connection_age_ms", 2000), ("a", "b")),
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_option_is_read_in_either_spelling(
    arguments: list[str], name: str, value: object
) -> None:
    settings: Any = read(*arguments)
    for part in name.split("."):
        settings = getattr(settings, part)
    assert settings == value


def test_one_model_is_described_by_options_as_by_config_json() -> None:
    settings = ["--shape", '{"x": "(1,4)"}', "--mean", "[1,2]", "--color-format", "BGR:RGB"]
    more = ["--model_version_policy", '{"all": {}}', "--plugin_config", '{"A": 1}', "--nireq", "2"]
    model = read("--model_name", "m", "--model_path", "/m/../n", *settings, *more).single_model
    assert model is not None
    assert model.base_path == Path("/n")
    assert (model.shape, model.mean, model.color_format) == ({"x": "(1,4)"}, "[1,2]", "BGR:RGB")
    assert (model.model_version_policy, model.plugin_config, model.nireq) == (
        {"all": {}},
        {"A": 1},
        2,
    )


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--port", "99999"], "--port: '99999' is not a port (0 to 65535, or auto)"),
        (["--port", "5", "--rest_port", "5"], "--port and --rest_port: both are the same"),
        (["--port", "0", "--rest_port", "0"], "--port and --rest_port: both are off"),
        (["--nireq", "two"], "--nireq: 'two' is not a whole number"),
        (["--queue_size", "0"], "--queue_size: must be at least 1"),
        (["--log_level", "LOUD"], "--log_level: invalid choice: 'LOUD'"),
        (["--probe_timeout_seconds", "0"], "must be more than 0"),
        (["--drain_timeout", "soon"], "'soon' is not a number of seconds"),
        (["--drain_timeout", "inf"], "'inf' is not a number of seconds up to"),
        (["--file_system_poll_wait_seconds", "nan"], "'nan' is not a number of seconds up to"),
        (["--grpc_bind_address", " , "], "--grpc_bind_address: ' , ' names no address"),
        (["--rest_bind_address", ""], "--rest_bind_address: '' names no address"),
        (["--metrics_enable", "maybe"], "neither true nor false"),
        (["--metrics_list", "nope"], "there is no metric 'nope'"),
        (["--grpc_channel_arguments", "a"], "'a' is not of the form name=value"),
        (["--plugin_config", "{"], "--plugin_config: '{' is not JSON"),
        (["--plugin_config", "[]"], "must be a JSON object"),
        (["--model_name", "m"], "--model_name and --model_path go together"),
        (["--shape", "auto"], "--shape needs --model_name and --model_path"),
        (
            ["--model_name", "m", "--model_path", "/m", "--mean", "x"],
            "mean: 'x' is neither a number",
        ),
        (["--model_name", "m", "--model_path", "gs://m"], "cloud storage, which is not read"),
        ([*SERVE, "--model_name", "m", "--model_path", "/m"], "give either --config_path or"),
        (["--cpu_extension", "/lib.so"], "--cpu_extension: custom kernels are not loaded"),
        (["--stateful", "true"], "--stateful: stateful models are not served"),
        (["--pull"], "--pull: generative models are not served"),
        (["--api-key-file", "k"], "--api_key_file: keys are those of the fleet"),
        (["--add_to_config", "/m"], "--model_name: say which model"),
        (["--frobnicate"], "unrecognized arguments: --frobnicate"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_wrong_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    code, told = refusal(capsys, *arguments)
    assert code == 2
    assert reason in told


def test_options_of_ovms_that_change_nothing_are_taken_and_named() -> None:
    settings = read("--grpc_workers", "4", "--sequence_cleaner_poll_wait_minutes", "5")
    assert [text.split(":")[0] for text in settings.without_effect] == [
        "--grpc_workers",
        "--sequence_cleaner_poll_wait_minutes",
    ]
    assert read("--stateful=false").without_effect == ()


def test_under_the_name_ovms_the_defaults_are_those_of_ovms() -> None:
    settings = read("--config_path", "/c.json", "--rest_port", "8000", name="ovms", grpc_port=1)
    assert not settings.grpc.is_on
    assert settings.rest.addresses == ("0.0.0.0",)
    assert settings.server_name == "OpenVINO Model Server"


def test_ovms_may_be_kept_on_this_machine_by_the_environment() -> None:
    settings = read(*SERVE, name="ovms", bind_address="127.0.0.1")
    assert settings.grpc.addresses == ("127.0.0.1",)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--port", "9000"], "give --config_path, or --model_name"),
        (["--config_path", "/c.json"], "both are off"),
    ],
)
def test_ovms_wants_a_model_and_a_port_and_ends_with_its_code(
    capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    code, told = refusal(capsys, *arguments, name="ovms")
    assert code == 64
    assert told.startswith("ovms: ")
    assert reason in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--help"], ["where it listens:", "examples:", "camfleet-server --add_to_config"]),
        (["--version"], ["camfleet-server ", "OpenVINO backend 20"]),
    ],
)
def test_help_and_version_teach_and_end_well(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: list[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        read(*arguments)
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert [word for word in words if word not in told] == []
    assert "cpu_extension" not in told


@pytest.mark.parametrize(
    ("arguments", "monitoring", "chosen"),
    [
        ([], None, MetricsConfig(enable=True)),
        ([], {"metrics": {"enable": False}}, MetricsConfig(enable=False)),
        (["--metrics_enable"], {"metrics": {"enable": False}}, MetricsConfig(enable=True)),
        (["--metrics_enable=false"], None, MetricsConfig(enable=False)),
        (
            ["--metrics_list", "ovms_streams"],
            {"metrics": {"enable": True, "metrics_list": ["ovms_responses"]}},
            MetricsConfig(enable=True, metrics_list=("ovms_streams",)),
        ),
    ],
    ids=["nothing said", "config.json", "options go first", "option", "list"],
)
def test_metrics_are_chosen_by_option_else_by_config_json(
    tmp_path: Path, arguments: list[str], monitoring: object, chosen: MetricsConfig
) -> None:
    document = {"model_config_list": []} | ({"monitoring": monitoring} if monitoring else {})
    (tmp_path / "config.json").write_text(json.dumps(document))
    assert choose_metrics(read(*arguments, models_dir=tmp_path)) == chosen


def test_metrics_are_on_where_config_json_cannot_be_read(tmp_path: Path) -> None:
    assert choose_metrics(read(models_dir=tmp_path)).enable
