"""Entry point of `camfleet-server`: reads the settings, wires the layers, runs until a signal."""

import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack

from pydantic import ValidationError

from camfleet_contracts.access import Network, RefusedToListen, check_exposure, is_loopback
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.logs import configure_logs
from camfleet_contracts.settings import FleetSettings, read_settings
from camfleet_server.command.settings import Listen, ServerSettings, read_server_settings
from camfleet_server.memory import tune_malloc
from camfleet_server.metrics import ServerMetrics
from camfleet_server.reload.config_source import ConfigFile, ConfigSource, SingleModel
from camfleet_server.reload.reconciler import Reconciler
from camfleet_server.serving.dataplane import DataPlane
from camfleet_server.serving.registry import Registry
from camfleet_server.transports.grpc.admission import Admission
from camfleet_server.transports.grpc.server import GrpcServer
from camfleet_server.transports.listening import BadTlsFiles, PortTaken, TlsFiles
from camfleet_server.transports.rest.app import build_app
from camfleet_server.transports.rest.server import RestServer

logger = logging.getLogger(__name__)

_GRACE_S = 2.0
_END_SIGNALS = {signal.SIGTERM, signal.SIGINT}


def main() -> None:
    """Run the server; ends with 0 on SIGTERM and SIGINT, with 1 when it cannot start."""
    try:
        fleet = read_settings()
    except ValidationError as error:
        sys.exit(f"camfleet-server: bad environment: {error}")
    settings = read_server_settings(sys.argv[1:], fleet)
    configure_logs("model-server", settings.log_level)
    tune_malloc()
    # Blocked before the first thread starts and then waited for: a handler that sets an event can
    # deadlock with the wait it interrupts.
    signal.pthread_sigmask(signal.SIG_BLOCK, _END_SIGNALS)
    with ExitStack() as running:
        try:
            _start(settings, fleet, running.callback)
        except (BadTlsFiles, PortTaken, RefusedToListen) as error:
            sys.exit(f"camfleet-server: {error}")
        number = signal.sigwait(_END_SIGNALS)
        logger.info("stopping signal=%s", signal.Signals(number).name)


def _start(settings: ServerSettings, fleet: FleetSettings, at_end: Callable[..., object]) -> None:
    registry, metrics = Registry(), ServerMetrics()
    reconciler = Reconciler(_config_source(settings), registry, metrics, settings.reconciler)
    data_plane = DataPlane(registry, reconciler, metrics)
    reconciler.start()
    at_end(_stop_loading, reconciler)  # after the transports, which are ended first
    listening = []
    if settings.grpc.is_on:
        listening.append(_start_grpc(data_plane, metrics, settings, fleet, at_end))
    if settings.rest.is_on:
        listening.append(_start_rest(data_plane, metrics, settings, fleet, at_end))
    logger.info("listening %s", " ".join(listening))
    logger.info("Started model manager thread")


def _start_grpc(
    data_plane: DataPlane,
    metrics: ServerMetrics,
    settings: ServerSettings,
    fleet: FleetSettings,
    at_end: Callable[..., object],
) -> str:
    keys, networks = _guard(settings.grpc, fleet)
    tls = _tls(settings.grpc, fleet)
    server = GrpcServer(
        data_plane,
        metrics,
        server_name=settings.server_name,
        admission=Admission(keys, networks) if keys else None,
        threads=settings.grpc_threads,
    )
    port = 0
    for address in settings.grpc.addresses:
        port = server.bind(address, settings.grpc.port or port, tls)
    server.start()
    at_end(server.stop, _GRACE_S)
    return f"grpc={settings.grpc.addresses[0]}:{port}"


def _start_rest(
    data_plane: DataPlane,
    metrics: ServerMetrics,
    settings: ServerSettings,
    fleet: FleetSettings,
    at_end: Callable[..., object],
) -> str:
    keys, networks = _guard(settings.rest, fleet)
    tls = _tls(settings.rest, fleet)
    app = build_app(
        data_plane, metrics, server_name=settings.server_name, keys=keys, networks=networks
    )
    port = 0
    for address in settings.rest.addresses:
        server = RestServer(app)
        port = server.bind(address, settings.rest.port or port, tls)
        server.start()
        at_end(server.stop, _GRACE_S)
    return f"rest={settings.rest.addresses[0]}:{port}"


def _guard(listen: Listen, fleet: FleetSettings) -> tuple[KeyStore | None, tuple[Network, ...]]:
    """Return who may come in: on loopback everybody, else holders of keys."""
    beyond = [address for address in listen.addresses if not is_loopback(address)]
    if not beyond:
        return None, ()
    networks = check_exposure(beyond[0], fleet)
    if networks:
        logger.warning("clear text beyond loopback address=%s networks=%s", beyond[0], networks)
    keys = KeyStore(fleet.state_dir / "keys.json")
    keys.ensure(fleet.api_key)
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
        logger.warning("ends while a version is still loading")
        os._exit(0)


def _config_source(settings: ServerSettings) -> ConfigSource:
    if settings.single_model is not None:
        return SingleModel(settings.single_model)
    return ConfigFile(settings.config_path)


if __name__ == "__main__":
    main()
