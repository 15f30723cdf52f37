"""Entry point of `camfleet-server`: reads the settings, wires the layers, runs until a signal."""

import logging
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from itertools import chain
from pathlib import Path
from traceback import format_exception

from camfleet_contracts.access import Network, RefusedToListen, check_exposure, is_loopback
from camfleet_contracts.files import FolderNotWritable
from camfleet_contracts.key_entries import BadKeyFile
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.logs import configure_logs
from camfleet_contracts.settings import BadSettings, FleetSettings, read_settings
from camfleet_server.command.config_edits import run_config_edit
from camfleet_server.command.monitoring import choose_metrics
from camfleet_server.command.program import find_program
from camfleet_server.command.settings import Listen, ServerSettings, read_server_settings
from camfleet_server.command.tools import TOOLS
from camfleet_server.cpu_share import read_cpu_share
from camfleet_server.end_signals import EndSignals
from camfleet_server.memory import keep_what_is_there, tune_malloc
from camfleet_server.metrics import ServerMetrics
from camfleet_server.open_files import allow_most_open_files
from camfleet_server.reload.config_source import ConfigFile, ConfigSource, SingleModel
from camfleet_server.reload.reconciler import Reconciler
from camfleet_server.serving.dataplane import DataPlane
from camfleet_server.serving.registry import Registry
from camfleet_server.serving.shared_memory import SharedMemory
from camfleet_server.transports.draining import Drain
from camfleet_server.transports.grpc.admission import Admission
from camfleet_server.transports.grpc.server import GrpcLimits, GrpcServer
from camfleet_server.transports.listening import (
    BadTlsFiles,
    PortTaken,
    TlsFiles,
    addresses_of,
    is_without_ipv4,
    written_address,
)
from camfleet_server.transports.rest.app import build_app, guarded
from camfleet_server.transports.rest.server import RestServer

logger = logging.getLogger(__name__)

_ON_THIS_MACHINE = (
    "or serve this machine only with --grpc_bind_address 127.0.0.1 --rest_bind_address 127.0.0.1"
    " (for both: BIND_ADDRESS=127.0.0.1 with the name ovms)"
)


def main() -> None:
    """Run the server; ends with 0 on a signal that ends it, with 1 when it cannot start."""
    if len(sys.argv) > 1 and sys.argv[1] in TOOLS:
        sys.exit(TOOLS[sys.argv[1]](sys.argv[2:]))
    try:
        fleet = read_settings()
    except BadSettings as error:
        sys.exit(f"camfleet-server: {error}")
    program = find_program(sys.argv[0], fleet)
    settings = read_server_settings(sys.argv[1:], fleet, program)
    if settings.config_edit:
        sys.exit(run_config_edit(settings.config_edit))
    _serve(settings, fleet, program.name)


def _serve(settings: ServerSettings, fleet: FleetSettings, name: str) -> None:
    try:
        _check_addresses(settings, fleet)
        configure_logs("model-server", settings.log_level, settings.log_path)
    except RefusedToListen as error:
        sys.exit(f"{name}: {error}; {_ON_THIS_MACHINE}")
    except OSError as error:
        sys.exit(f"{name}: --log_path {settings.log_path}: {error.strerror}")
    for option in settings.without_effect:
        logger.warning("option without effect %s", option)
    tune_malloc()
    allow_most_open_files()
    share = read_cpu_share()
    logger.info("cpu threads=%s cores=%s quota=%s", share.threads, share.cores, share.quota)
    end_signals = EndSignals()
    with ExitStack() as running:
        try:
            _start(settings, fleet, running.callback)
        except (BadTlsFiles, FolderNotWritable, BadKeyFile, PortTaken) as error:
            sys.exit(f"{name}: {error}")
        keep_what_is_there()
        logger.info("stopping signal=%s next=a second one ends at once", end_signals.wait().name)


def _check_addresses(settings: ServerSettings, fleet: FleetSettings) -> None:
    """Raise RefusedToListen before anything is started."""
    for listen in (settings.grpc, settings.rest):
        for address in listen.addresses if listen.is_on else ():
            check_exposure(address, fleet)


def _start(settings: ServerSettings, fleet: FleetSettings, at_end: Callable[..., object]) -> None:
    chosen = choose_metrics(settings)
    registry, metrics = Registry(), ServerMetrics(chosen.metrics_list, is_on=chosen.enable)
    reconciler = Reconciler(_config_source(settings), registry, metrics, settings.reconciler)
    config_path = None if settings.single_model else settings.config_path.absolute()
    data_plane = DataPlane(
        registry,
        reconciler,
        metrics,
        config_path,
        settings.max_image_pixels,
        settings.model_control,
    )
    reconciler.start()
    at_end(_stop_loading, reconciler)  # after the transports, which are ended first
    drain = Drain(settings.drain_timeout_s)
    at_end(drain.run)
    memory = SharedMemory(is_allowed=settings.allow_client_shm, is_copied=settings.copy_client_shm)
    new_grpc = partial(
        GrpcServer,
        data_plane,
        metrics,
        server_name=settings.server_name,
        limits=GrpcLimits(
            threads=settings.grpc_threads,
            ahead=max(1, settings.reconciler.queue_limit // 2),
            quota_bytes=settings.grpc_quota_bytes,
            channel_arguments=settings.grpc_channel_arguments,
        ),
        memory=memory,
    )
    listening = []
    if settings.grpc.is_on:
        listening.append(_start_grpc(new_grpc, settings, fleet, drain))
    if settings.grpc_socket_path is not None:
        listening.append(_start_socket(new_grpc, settings.grpc_socket_path.absolute(), drain))
    if settings.rest.is_on:
        listening.append(_start_rest(data_plane, metrics, memory, settings, fleet, drain))
    logger.info("listening %s", " ".join(listening))
    logger.info("Started model manager thread")


def _start_grpc(
    new_server: Callable[..., GrpcServer],
    settings: ServerSettings,
    fleet: FleetSettings,
    drain: Drain,
) -> str:
    keys, networks = _guard(settings.grpc, fleet)
    tls = _tls(settings.grpc, fleet)
    server = new_server(admission=Admission(keys, networks) if keys else None)
    port = 0
    addresses = list(chain.from_iterable(map(addresses_of, settings.grpc.addresses)))
    for address in addresses:
        alone = is_without_ipv4(addresses)
        port = server.bind(address, settings.grpc.port or port, tls, takes_ipv4=alone)
    server.start()
    drain.add(server.stop)
    return f"grpc={written_address(settings.grpc.addresses[0], port)}"


def _start_socket(new_server: Callable[..., GrpcServer], path: Path, drain: Drain) -> str:
    """Serve a unix socket apart from the port: who may open the file needs no key."""
    server = new_server()
    server.bind_unix(path)
    server.start()
    drain.add(server.stop)
    return f"grpc=unix:{path}"


def _start_rest(
    data_plane: DataPlane,
    metrics: ServerMetrics,
    memory: SharedMemory,
    settings: ServerSettings,
    fleet: FleetSettings,
    drain: Drain,
) -> str:
    keys, networks = _guard(settings.rest, fleet)
    tls = _tls(settings.rest, fleet)
    app = build_app(
        data_plane,
        metrics,
        server_name=settings.server_name,
        workers=settings.rest_workers,
        memory=memory,
    )
    port = 0
    addresses = list(chain.from_iterable(map(addresses_of, settings.rest.addresses)))
    for address in addresses:
        server = RestServer(guarded(app, keys, networks))
        alone = is_without_ipv4(addresses)
        port = server.bind(address, settings.rest.port or port, tls, takes_ipv4=alone)
        server.start()
        drain.add(server.stop)
    return f"rest={written_address(settings.rest.addresses[0], port)}"


def _guard(listen: Listen, fleet: FleetSettings) -> tuple[KeyStore | None, tuple[Network, ...]]:
    """Return who may come in: on loopback everybody, else holders of keys."""
    beyond = [address for address in listen.addresses if not is_loopback(address)]
    if not beyond:
        return None, ()
    networks = check_exposure(beyond[0], fleet)
    if networks:
        logger.warning("clear text beyond loopback address=%s networks=%s", beyond[0], networks)
    keys = KeyStore(fleet.state_dir / "keys.json")
    keys.ensure(fleet.api_key, fleet.service_key)
    return keys, networks


def _tls(listen: Listen, fleet: FleetSettings) -> TlsFiles | None:
    """Return the files of TLS; on loopback the services speak clear text among themselves."""
    if fleet.tls_cert is None or fleet.tls_key is None or all(map(is_loopback, listen.addresses)):
        return None
    files = TlsFiles(fleet.tls_cert, fleet.tls_key)
    files.check()
    return files


def _stop_loading(reconciler: Reconciler) -> None:
    reconciler.stop()
    if reconciler.is_stuck:  # native code does not let go of a thread; nothing is left to save
        logger.warning("ends while a version is still loading or inferring")
        failure = sys.exception()  # the start failed; nobody else tells it any more
        if failure is not None:
            is_told = isinstance(failure, SystemExit)
            sys.stderr.write(f"{failure}\n" if is_told else "".join(format_exception(failure)))
        os._exit(0 if failure is None else 1)


def _config_source(settings: ServerSettings) -> ConfigSource:
    if settings.single_model is not None:
        return SingleModel(settings.single_model)
    return ConfigFile(settings.config_path, strict=settings.strict_ovms)


if __name__ == "__main__":
    main()
