"""What the command line and the environment say, read once into frozen values."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from camfleet_contracts.serving_config import METRICS, ModelConfig, parse_model, reasons_of
from camfleet_contracts.settings import FleetSettings
from camfleet_server.command.options import Parser, build_parser
from camfleet_server.command.ovms_options import REFUSED, WITHOUT_EFFECT
from camfleet_server.command.program import OFF, Program
from camfleet_server.images.reader import MAX_IMAGE_PIXELS
from camfleet_server.reload.reconciler import ReconcilerOptions
from camfleet_server.serving.model_control import EXPLICIT, POLL
from camfleet_server.transports.grpc.server import DEFAULT_QUOTA_BYTES, SPARE_THREADS

_MODEL_OPTIONS = (
    *("shape", "batch_size", "layout", "mean", "scale", "color_format", "precision"),
    *("model_version_policy", "nireq", "target_device", "plugin_config"),
)


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
class ConfigEdit:
    """What is asked of config.json instead of serving: `add`, `remove` or `list`."""

    action: str
    path: Path
    repository: Path
    entry: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """All settings of one model server."""

    config_path: Path
    single_model: ModelConfig | None
    grpc: Listen
    rest: Listen
    grpc_threads: int
    rest_workers: int
    reconciler: ReconcilerOptions
    log_level: str
    server_name: str
    log_path: Path | None = None
    grpc_socket_path: Path | None = None
    grpc_quota_bytes: int = DEFAULT_QUOTA_BYTES
    grpc_channel_arguments: tuple[tuple[str, int | str], ...] = ()
    strict_ovms: bool = False
    model_control: str = "poll"
    drain_timeout_s: float = 8.0
    max_image_pixels: int = MAX_IMAGE_PIXELS
    allow_client_shm: bool = False
    copy_client_shm: bool = False
    metrics_enable: bool | None = None  # None: what config.json says, else on
    metrics_list: tuple[str, ...] = ()
    config_edit: ConfigEdit | None = None
    without_effect: tuple[str, ...] = ()  # options given that change nothing, with the reason


def read_server_settings(
    arguments: Sequence[str], fleet: FleetSettings, program: Program
) -> ServerSettings:
    """Read the command line over the fleet's defaults; exits with one line about what is wrong."""
    if program.needs_a_model and not arguments:
        arguments = ["--help"]
    parser = build_parser(program, fleet.log_level.upper() or "INFO")
    options = parser.parse_args(arguments)
    try:
        edit = _config_edit(options, fleet)
        single_model = None if edit else _single_model(options)
    except ValueError as error:
        parser.error(reasons_of(error))
    if program.needs_a_model and not (edit or single_model or options.config_path):
        parser.error("give --config_path, or --model_name with --model_path")
    _refuse(parser, options)
    return _settings(options, fleet, single_model, edit)


def _settings(
    options: argparse.Namespace,
    fleet: FleetSettings,
    single_model: ModelConfig | None,
    edit: ConfigEdit | None,
) -> ServerSettings:
    is_polling = options.model_control == POLL
    return ServerSettings(
        config_path=_config_file(options.config_path) or fleet.models_dir / "config.json",
        single_model=single_model,
        grpc=Listen(options.grpc_bind_address, options.port),
        rest=Listen(options.rest_bind_address, options.rest_port),
        grpc_threads=options.grpc_max_threads or options.queue_size + SPARE_THREADS,
        rest_workers=options.rest_workers,
        reconciler=ReconcilerOptions(
            poll_s=options.file_system_poll_wait_seconds if is_polling else 0.0,
            is_explicit=options.model_control == EXPLICIT,
            queue_limit=options.queue_size,
            for_crowds=options.throughput_compilation == "on",
            probe_limit_s=options.probe_timeout_seconds,
            cache_dir=options.cache_dir,
        ),
        log_level=options.log_level,
        server_name=options.server_name,
        log_path=options.log_path,
        grpc_socket_path=options.grpc_socket_path,
        grpc_quota_bytes=options.grpc_memory_quota,
        grpc_channel_arguments=options.grpc_channel_arguments,
        strict_ovms=options.strict_ovms,
        model_control=options.model_control,
        drain_timeout_s=options.drain_timeout,
        max_image_pixels=options.max_image_pixels,
        allow_client_shm=options.allow_client_shm != "false",
        copy_client_shm=options.allow_client_shm == "copy",
        metrics_enable=options.metrics_enable,
        metrics_list=options.metrics_list,
        config_edit=edit,
        without_effect=_without_effect(options),
    )


def _refuse(parser: Parser, options: argparse.Namespace) -> None:
    """End the program for what is not offered and for what does not go together."""
    for name, reason in REFUSED.items():
        if (value := getattr(options, name)) is not None and value != "false":
            parser.error(f"--{name}: {reason}; leave the option away")
    unknown = [name for name in options.metrics_list if name not in METRICS]
    if unknown:
        parser.error(f"--metrics_list: there is no metric {unknown[0]!r}")
    if options.config_path and (options.model_name or options.model_path) and not _edits(options):
        parser.error("give either --config_path or --model_name with --model_path")
    same = options.port is not None and options.port == options.rest_port
    if same and not _edits(options) and not (options.port == OFF and options.grpc_socket_path):
        both = "both are off" if options.port == OFF else "both are the same"
        parser.error(f"--port and --rest_port: {both}")


def _edits(options: argparse.Namespace) -> bool:
    return (
        options.add_to_config is not None
        or options.remove_from_config is not None
        or options.list_models
    )


def _config_edit(options: argparse.Namespace, fleet: FleetSettings) -> ConfigEdit | None:
    given = options.model_repository_path or _environment("OVMS_MODEL_REPOSITORY_PATH")
    repository = Path(given or fleet.models_dir)
    if options.list_models:
        return ConfigEdit("list", repository, repository)
    adds = options.add_to_config is not None
    path = options.add_to_config if adds else options.remove_from_config
    if path is None:
        return None
    if not options.model_name:
        raise ValueError("--model_name: say which model")
    file = _config_file(Path(path) if path else options.config_path) or repository / "config.json"
    if not adds:
        return ConfigEdit("remove", file, repository, {"name": options.model_name})
    if options.model_path and options.model_repository_path:
        raise ValueError("give either --model_path or --model_repository_path")
    base_path = options.model_path or options.model_name
    if given and not options.model_path:  # abspath, as below: the file's folder is another one
        base_path = os.path.join(os.path.abspath(given), options.model_name)  # noqa: PTH100, PTH118
    entry = {"name": options.model_name, "base_path": base_path} | _model_settings(options)
    return ConfigEdit("add", file, repository, entry)


def _single_model(options: argparse.Namespace) -> ModelConfig | None:
    settings = _model_settings(options)
    if not options.model_name and not options.model_path:
        if settings:
            raise ValueError(f"--{next(iter(settings))} needs --model_name and --model_path")
        return None
    if not (options.model_name and options.model_path):
        raise ValueError("--model_name and --model_path go together")
    path = options.model_path
    if "://" not in path:
        path = os.path.abspath(path)  # noqa: PTH100 - resolves `..` without following links
    return parse_model({"name": options.model_name, "base_path": path} | settings, Path())


def _model_settings(options: argparse.Namespace) -> dict[str, Any]:
    values = {name: getattr(options, name) for name in _MODEL_OPTIONS}
    return {name: value for name, value in values.items() if value is not None}


def _without_effect(options: argparse.Namespace) -> tuple[str, ...]:
    given = [name for name in WITHOUT_EFFECT if getattr(options, name) is not None]
    return tuple(f"--{name}: {WITHOUT_EFFECT[name]}" for name in given)


def _config_file(path: Path | None) -> Path | None:
    """Return the file that is meant; a folder may be made, or mounted, later."""
    if path is None:
        return None
    is_folder = path.is_dir() or not (path.suffix or path.exists())
    return path / "config.json" if is_folder else path


def _environment(name: str) -> str:
    return os.environ.get(name, "")  # noqa: TID251 - settings are where it is read
