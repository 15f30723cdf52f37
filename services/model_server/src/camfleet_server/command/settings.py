"""What the command line and the environment say, read once into frozen values."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from camfleet_contracts.serving_config import ModelConfig
from camfleet_contracts.settings import FleetSettings
from camfleet_server.reload.reconciler import ReconcilerOptions

OFF = 0  # as OVMS: port 0 switches a transport off
_IGNORED = ("grpc_workers", "rest_workers", "grpc_channel_arguments", "metrics_list", "log_path")


@dataclass(frozen=True, slots=True)
class Listen:
    """Where one transport listens; port None takes any free one, 0 is off."""

    addresses: tuple[str, ...]
    port: int | None

    @property
    def is_on(self) -> bool:
        """Tell whether the transport is wanted."""
        return self.port != OFF


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """All settings of one model server."""

    config_path: Path
    single_model: ModelConfig | None
    grpc: Listen
    rest: Listen
    grpc_threads: int
    reconciler: ReconcilerOptions
    log_level: str
    server_name: str


def read_server_settings(arguments: Sequence[str], fleet: FleetSettings) -> ServerSettings:
    """Read the command line over the fleet's defaults; exits with code 2 and all it misses."""
    parser = _parser(fleet)
    options = parser.parse_args(arguments)
    try:
        single_model = _single_model(options)
    except ValueError as error:
        parser.error(str(error))
    if single_model and options.config_path:
        parser.error("give either --config_path or --model_name with --model_path")
    return ServerSettings(
        config_path=options.config_path or fleet.models_dir / "config.json",
        single_model=single_model,
        grpc=_listen(options.grpc_bind_address, options.port),
        rest=_listen(options.rest_bind_address, options.rest_port),
        grpc_threads=options.grpc_max_threads,
        reconciler=ReconcilerOptions(
            poll_s=options.file_system_poll_wait_seconds,
            queue_limit=options.queue_size,
            probe_limit_s=options.probe_timeout_seconds,
            cache_dir=options.cache_dir,
        ),
        log_level=options.log_level,
        server_name=options.server_name,
    )


def _parser(fleet: FleetSettings) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="camfleet-server",
        description="Model server for TensorFlow Serving and KServe v2; option names are OVMS's.",
    )
    add = parser.add_argument
    add("--config_path", type=Path, help="config.json (default: $MODELS_DIR/config.json)")
    add("--port", type=_port, default=fleet.grpc_port, help="gRPC; 0 is off, auto any free one")
    add("--rest_port", type=_port, default=fleet.rest_port, help="REST; as --port")
    add("--grpc_bind_address", default="127.0.0.1", help="one address or more, by commas")
    add("--rest_bind_address", default="127.0.0.1", help="as --grpc_bind_address")
    add("--grpc_max_threads", type=int, default=128, help="calls answered at once")
    add(
        "--file_system_poll_wait_seconds",
        type=float,
        default=1.0,
        help="how often to look where nothing notifies; 0 follows no changes at all",
    )
    _add_tuning(parser, fleet)
    _add_single_model(parser)
    return parser


def _add_tuning(parser: argparse.ArgumentParser, fleet: FleetSettings) -> None:
    add = parser.add_argument
    add("--log_level", default=fleet.log_level, help="DEBUG, INFO, WARNING or ERROR")
    add("--cache_dir", type=Path, default=fleet.cache_dir, help="what survives a restart")
    add("--queue_size", type=int, default=256, help="requests that may wait for one model")
    add("--probe_timeout_seconds", type=float, default=60.0, help="longest first try of new files")
    add("--server_name", default="camfleet", help="what KServe's server metadata says")
    for name in _IGNORED:
        add(f"--{name}", help="accepted for OVMS's sake, without effect")
    add("--metrics_enable", action="store_true", help="metrics are always on")


def _add_single_model(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("one model without config.json")
    add = group.add_argument
    add("--model_name")
    add("--model_path", type=Path, help="folder of version folders, or one model file")
    add("--shape", type=_text_or_json)
    add("--batch_size")
    add("--layout", type=_text_or_json)
    add("--model_version_policy", type=json.loads)
    add("--nireq", type=int, default=0)
    add("--target_device", default="")
    add("--plugin_config", type=json.loads, default={})


def _single_model(options: argparse.Namespace) -> ModelConfig | None:
    if not options.model_name and not options.model_path:
        return None
    if not (options.model_name and options.model_path):
        raise ValueError("--model_name and --model_path go together")
    try:
        return ModelConfig(
            name=options.model_name,
            base_path=options.model_path.absolute(),
            batch_size=options.batch_size,
            shape=options.shape,
            layout=options.layout,
            model_version_policy=options.model_version_policy,
            nireq=options.nireq,
            target_device=options.target_device,
            plugin_config=options.plugin_config,
        )
    except ValidationError as error:
        faults = error.errors(include_url=False)
        raise ValueError("; ".join(f"--{f['loc'][0]}: {f['msg']}" for f in faults)) from error


def _listen(addresses: str, port: int | None) -> Listen:
    return Listen(tuple(part.strip() for part in addresses.split(",") if part.strip()), port)


def _port(text: str) -> int | None:
    if text == "auto":
        return None
    number = int(text)
    if not 0 <= number <= 65535:  # noqa: PLR2004 - the range of ports
        raise argparse.ArgumentTypeError(f"{number} is no port (0 to 65535, or auto)")
    return number


def _text_or_json(text: str) -> Any:
    return json.loads(text) if text.startswith("{") else text
