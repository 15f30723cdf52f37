"""The options of the command line, in groups; names and forms are OVMS's where OVMS has them."""

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

from camfleet_server.command.ovms_options import add_of_ovms
from camfleet_server.command.program import Program
from camfleet_server.command.values import (
    addresses,
    channel_arguments,
    count,
    json_object,
    names,
    port,
    positive_seconds,
    seconds,
    text_or_json,
    truth,
    whole_number,
)
from camfleet_server.images.reader import MAX_IMAGE_PIXELS
from camfleet_server.transports.grpc.server import DEFAULT_QUOTA_BYTES

LOG_LEVELS = ("TRACE", "DEBUG", "INFO", "WARNING", "ERROR")
_EXAMPLES = """\
examples:
  {name} --config_path /models/config.json --port 9000 --rest_port 8000
  {name} --model_name plus --model_path /models/plus --rest_port 8000
  {name} --add_to_config /models --model_name plus --model_path plus
  {name} --remove_from_config /models --model_name plus
  {name} --list_models --model_repository_path /models
  {name} probe
      what this machine can run models on, as JSON
  {name} benchmark --model_path /models/plus/1
      latency and throughput of one version, as JSON

Every option may be written with - or with _ between its words. Nothing is
reachable from beyond this machine without TLS or ALLOW_CIDR, and never without
a key; docs/operations.md says how."""


class Parser(argparse.ArgumentParser):
    """Takes - and _ between the words of an option alike, and tells an error in one line."""

    def __init__(self, program: Program) -> None:
        self._program = program
        super().__init__(
            prog=program.name,
            usage="%(prog)s [options]",
            description="Model server for TensorFlow Serving and KServe v2.",
            epilog=_EXAMPLES.format(name=program.name),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def parse_known_args(  # type: ignore[override] # argparse overloads it for other namespaces
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse after bringing every option into the spelling it was added with."""
        spellings = {option.replace("-", "_"): option for option in self._option_string_actions}
        respelled = [_respelled(word, spellings) for word in args or ()]
        return super().parse_known_args(respelled, namespace)

    def error(self, message: str) -> NoReturn:
        """End the program with one line that says what is wrong."""
        self.exit(
            self._program.usage_exit_code,
            f"{self.prog}: {message.removeprefix('argument ')}; {self.prog} --help shows all\n",
        )


class _TellVersion(argparse.Action):
    """Looks the versions up only when they are asked for: that costs every start time."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        sys.stdout.write(
            f"{parser.prog} {version('camfleet-server')} (speaks OpenVINO Model Server 2026.2.1)\n"
            f"OpenVINO backend {version('openvino')}\n"
        )
        parser.exit(0)


def build_parser(program: Program, log_level: str) -> Parser:
    """Return the parser with all options; defaults are those of `program`."""
    parser = Parser(program)
    parser.add_argument("--version", nargs=0, action=_TellVersion, help="print it and end")
    _add_models(parser)
    _add_listening(parser, program)
    _add_serving(parser, program)
    _add_limits(parser)
    _add_metrics(parser)
    _add_logging(parser, log_level)
    _add_single_model(parser)
    _add_config_editing(parser)
    add_of_ovms(parser)
    return parser


def _add_models(parser: Parser) -> None:
    add = parser.add_argument_group("what is served").add_argument
    add(
        "--config_path",
        type=Path,
        metavar="FILE",
        help="config.json, or its folder (default: $MODELS_DIR/config.json)",
    )
    add("--strict-ovms", action="store_true", help="refuse a config.json that OVMS would refuse")
    add(
        "--file_system_poll_wait_seconds",
        type=seconds,
        default=1.0,
        metavar="S",
        help="how often to look where nothing notifies (1); 0 follows no changes at all",
    )
    add(
        "--model-control",
        choices=("none", "poll", "explicit"),
        default="poll",
        help="poll follows config.json and the volume; explicit loads and unloads by request only, "
        "through the repository calls of KServe; none does neither",
    )


def _add_listening(parser: Parser, program: Program) -> None:
    add = parser.add_argument_group("where it listens").add_argument
    add("--port", type=port, default=program.grpc_port, help=_port_help("gRPC", program.grpc_port))
    add(
        "--rest_port",
        type=port,
        default=program.rest_port,
        help=_port_help("REST, metrics and health", program.rest_port),
    )
    where: dict[str, Any] = {
        "type": addresses,
        "default": program.bind_address,
        "metavar": "IP",
        "help": f"one address or more, by commas (default {program.bind_address})",
    }
    add("--grpc_bind_address", **where)
    add("--rest_bind_address", **where)
    add(
        "--grpc_socket_path",
        type=Path,
        metavar="PATH",
        help="also listen on this unix socket; who may open the file may call",
    )
    add(
        "--grpc_channel_arguments",
        type=channel_arguments,
        default=(),
        metavar="A=B,..",
        help="options of the gRPC server, such as grpc.max_connection_age_ms=2000",
    )
    add("--server_name", default=program.server_name, help="name in KServe's server metadata")


def _add_serving(parser: Parser, program: Program) -> None:
    add = parser.add_argument_group("how it serves").add_argument
    add(
        "--cache_dir",
        type=Path,
        default=program.cache_dir,
        metavar="DIR",
        help=f"what survives a restart: compiled models, checked files ({program.cache_dir})",
    )
    add(
        "--throughput_compilation",
        choices=("on", "off"),
        default="on",
        help="compile a model once more, for THROUGHPUT, when many requests come at once (on)",
    )
    add(
        "--allow-client-shm",
        nargs="?",
        const="map",
        default="false",
        choices=("map", "copy", "true", "false"),
        help="take tensors from the shared memory of clients; copy where they are not trusted",
    )


def _add_limits(parser: Parser) -> None:
    add = parser.add_argument_group("limits").add_argument
    add("--grpc_max_threads", type=count, metavar="N", help="gRPC inferences in hand at once")
    add("--queue_size", type=count, default=256, metavar="N", help="waiting per model (256)")
    add(
        "--rest_workers",
        type=count,
        default=320,
        metavar="N",
        help="REST inferences in hand at once, waiting ones included (320); 256 more may wait",
    )
    add(
        "--grpc_memory_quota",
        type=count,
        default=DEFAULT_QUOTA_BYTES,
        metavar="BYTES",
        help=f"large requests in hand at once, in bytes ({DEFAULT_QUOTA_BYTES})",
    )
    add(
        "--max_image_pixels",
        type=count,
        default=MAX_IMAGE_PIXELS,
        metavar="N",
        help=f"larger pictures are refused before they are decoded ({MAX_IMAGE_PIXELS})",
    )
    add(
        "--probe_timeout_seconds",
        type=positive_seconds,
        default=60.0,
        metavar="S",
        help="longest first try of new files (60)",
    )
    add(
        "--drain_timeout",
        type=seconds,
        default=8.0,
        metavar="S",
        help="how long requests under way are waited for at the end (8)",
    )


def _add_metrics(parser: Parser) -> None:
    add = parser.add_argument_group("metrics").add_argument
    add("--metrics_enable", nargs="?", const=True, type=truth, help="metrics are on by default")
    add("--metrics_list", type=names, default=(), metavar="A,B", help="show only these of OVMS's")


def _add_logging(parser: Parser, log_level: str) -> None:
    add = parser.add_argument_group("log").add_argument
    add(
        "--log_level",
        type=str.upper,
        choices=LOG_LEVELS,
        default=log_level,
        help=f"{', '.join(LOG_LEVELS)} ({log_level})",
        metavar="LEVEL",
    )
    add("--log_path", type=Path, metavar="FILE", help="write the log there too")


def _add_single_model(parser: Parser) -> None:
    group = parser.add_argument_group(
        "one model without config.json", "also what --add_to_config writes"
    )
    add = group.add_argument
    add("--model_name", metavar="NAME")
    add("--model_path", metavar="PATH", help="folder of version folders, or one model file")
    add("--shape", type=text_or_json, help='"(1,3,224,224)", auto, ranges; or JSON by input')
    add("--batch_size", help="number, range (1:8) or auto")
    add("--layout", type=text_or_json, help="request:model, such as NHWC:NCHW; or JSON by input")
    add("--mean", help="subtracted: 127.5, [123.7,116.8,103.5] or input:[..]")
    add("--scale", help="divided by, after mean; as --mean")
    add("--color_format", type=text_or_json, help="request:model, such as BGR:RGB or NV12:BGR")
    add("--precision", type=text_or_json, help="datatype of requests, such as UINT8 or UINT8:FP32")
    add("--model_version_policy", type=json_object, help='such as {"latest": {"num_versions": 2}}')
    add(
        "--nireq",
        type=whole_number,
        metavar="N",
        help="requests that infer at once; 0 asks the device",
    )
    add("--target_device", metavar="DEVICE", help="CPU, GPU, NPU, AUTO:..., as OpenVINO names them")
    add("--plugin_config", type=json_object, help='such as {"PERFORMANCE_HINT": "THROUGHPUT"}')


def _add_config_editing(parser: Parser) -> None:
    group = parser.add_argument_group("change or show config.json and end")
    add = group.add_mutually_exclusive_group().add_argument
    where = "config.json or its folder (default: --config_path)"
    add("--add_to_config", nargs="?", const="", metavar="PATH", help=f"add --model_name to {where}")
    add("--remove_from_config", nargs="?", const="", metavar="PATH", help=f"take it out of {where}")
    add("--list_models", action="store_true", help="print the models of --model_repository_path")
    group.add_argument(
        "--model_repository_path",
        metavar="DIR",
        help="folder of models (default: $OVMS_MODEL_REPOSITORY_PATH, else $MODELS_DIR)",
    )


def _respelled(word: str, spellings: dict[str, str]) -> str:
    if not word.startswith("--"):
        return word
    name, equals, value = word.partition("=")
    return spellings.get(name.replace("-", "_"), name) + equals + value


def _port_help(what: str, default: int) -> str:
    return f"{what}: a port, 0 for off, or auto for any free one (default {default})"
