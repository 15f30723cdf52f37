"""Puts the service together and runs it until it is told to stop."""

import logging

from camfleet.inference.detector import ServerDetector
from camfleet.inference.model_client import Access, ModelClient
from camfleet.service.capture_watch import CaptureWatch
from camfleet.service.events.hub import StreamHub
from camfleet.service.events.journal import Journal, MemoryJournal
from camfleet.service.events.opening import open_outbox
from camfleet.service.events.quotas import KeyQuotas
from camfleet.service.fleet import PipelineFleet
from camfleet.service.http.app import Parts, create_app
from camfleet.service.http.server import HttpServer
from camfleet.service.live import LiveHub
from camfleet.service.options import Options
from camfleet.service.picture_news import PictureNews
from camfleet.service.pipeline import SourceFactory, Surroundings
from camfleet.service.reading import Readers
from camfleet.service.server_watch import ServerWatch
from camfleet.service.sinks.fleet import SinkFleet
from camfleet.service.sources import ca_file_of, source_of
from camfleet.service.status import Identity, StatusBoard, Watches
from camfleet_contracts.access import Network, check_exposure
from camfleet_contracts.device import device_id
from camfleet_contracts.direct import capture_http_address
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.settings import FleetSettings

logger = logging.getLogger(__name__)

_SHORT_KEY = 16  # characters; some tens of guesses a second are checked


def run(options: Options) -> None:
    """Run until SIGINT or SIGTERM.

    Raises:
        RefusedToListen: the address is not protected as it must be.
        CannotListen: the port is taken.
        OutboxInUse: another process works on the state folder.
        OSError: the state folder cannot be used.
    """
    settings = options.settings
    networks = _exposed_to(settings)
    keys = _keys_of(settings)
    with HttpServer(settings, options.port) as server:
        hub = StreamHub(KeyQuotas(settings.stream_connections, settings.stream_rate))
        journal = _open_journal(options, hub)
        client = ModelClient(settings.server, _access(settings, keys))
        capture = CaptureWatch(
            capture_http_address(settings),
            keys.fleet_secret(),
            PictureNews(device_id(settings), hub).tell,
        )
        around = Surroundings(ServerDetector(client), hub, device_id(settings))
        fleet = PipelineFleet(
            settings,
            _sources(settings, keys),
            live := LiveHub(),
            around,
            journal,
        )
        sinks = SinkFleet(settings, around.device_id, hub, journal)
        fleet.listener, sinks.now, fleet.plugged_in = sinks.follow, fleet.now, capture.plugged_in
        identity = Identity(around.device_id, settings.server, str(settings.cameras_file))
        watches = Watches(capture, ServerWatch(client.refusals), sinks.facts)
        status = StatusBoard(identity, fleet, watches, journal)
        app = create_app(Parts(hub, fleet, status, live, keys, settings), networks)
        capture.start()
        watches.server.start()
        fleet.start()
        try:
            server.run(app, live.close)
        finally:
            fleet.stop()
            capture.stop()
            watches.server.stop()
            sinks.stop()
            journal.close()
            client.close()


def _exposed_to(settings: FleetSettings) -> tuple[Network, ...]:
    """The networks that may speak clear text to us, with a warning. Raises RefusedToListen."""
    networks = check_exposure(settings.bind_address, settings)
    if networks:
        logger.warning(
            "clear text beyond this machine bind=%s allowed=%s; to encrypt it set"
            " CAMFLEET_TLS_CERT and CAMFLEET_TLS_KEY",
            settings.bind_address,
            settings.allow_cidr,
        )
    return networks


def _keys_of(settings: FleetSettings) -> KeyStore:
    keys = KeyStore(settings.state_dir / "keys.json")
    keys.ensure(settings.api_key, settings.service_key)
    chosen = settings.api_key.get_secret_value() if settings.api_key else ""
    if 0 < len(chosen) < _SHORT_KEY:
        logger.warning(
            "CAMFLEET_API_KEY is short enough to be guessed characters=%s; use %s or more, such as"
            " `openssl rand -base64 24` gives",
            len(chosen),
            _SHORT_KEY,
        )
    return keys


def _sources(settings: FleetSettings, keys: KeyStore) -> SourceFactory:
    readers = Readers(ca_file_of(settings))
    return lambda camera, live: source_of(camera, live, settings, keys, readers)


def _open_journal(options: Options, hub: StreamHub) -> Journal:
    """The journal on disk; in memory when asked for or the disk refuses. Raises OutboxInUse."""
    journal: Journal
    if options.outbox == "memory":
        journal = MemoryJournal(hub.wake_all)
    else:
        journal = open_outbox(options.settings.state_dir / "outbox.db", hub.wake_all)
    hub.keep_events_in(journal)
    return journal


def _access(settings: FleetSettings, keys: KeyStore) -> Access:
    return Access(keys.fleet_secret(), str(settings.tls_ca) if settings.tls_ca else None)
