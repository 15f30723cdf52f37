"""publish_analytics(): where packets go, and the bounds of how many."""

import atexit
import logging
import os
import socket
import threading
from pathlib import Path
from typing import Any, Protocol

from camfleet.app_config import AnalyticsSwitches, find_app_config
from camfleet.fleet_access import fleet_key, page_address
from camfleet.object_trackers.results import TrackingResults
from camfleet.publishing.errors import PacketRateError
from camfleet.publishing.file_log import RESULTS_FILE, PacketFile
from camfleet.publishing.fleet_queue import FleetQueue
from camfleet.publishing.packets import line_of, packet_of
from camfleet.results.detection import ObjectDetectionResults
from camfleet.token_bucket import Bucket
from camfleet_contracts.device import device_id
from camfleet_contracts.packets import PACKETS_PER_S
from camfleet_contracts.settings import FleetSettings, read_settings

logger = logging.getLogger(__name__)


class Destination(Protocol):
    """Somewhere packets go to; its text is the address."""

    def publish(self, line: str, *, is_result: bool) -> None:
        """Take a packet."""


class Publisher:
    """Everything one process publishes. Thread-safe."""

    def __init__(self, settings: FleetSettings | None = None) -> None:
        """Decide where to; the log says it with the first packet that goes there."""
        self._settings = settings or read_settings()
        self._device_id = _device_id(self._settings)
        self._bucket, self._lock = Bucket(PACKETS_PER_S), threading.Lock()
        self.destinations = _destinations_of(self._settings)
        self._is_told = False

    def publish(
        self, results: Any, tag: Any, base_service: str | None, to: Destination | None
    ) -> None:
        """Publish to one destination, or to all."""
        packet = packet_of(results, tag, device_id=self._device_id, base_service=base_service)
        line = line_of(packet)
        if to is not None:
            to.publish(line, is_result=packet.is_result)
            return
        with self._lock:
            self._tell()
            if not self._bucket.take():
                raise PacketRateError(
                    f"more than {PACKETS_PER_S:g} packets in a second; publish what changed, or"
                    " every n-th frame"
                )
        for destination in self.destinations:
            destination.publish(line, is_result=packet.is_result)

    def _tell(self) -> None:
        if self._is_told:
            return
        self._is_told = True
        if self.destinations:
            logger.info("analytics go to %s", ", ".join(map(str, self.destinations)))
            return
        logger.warning(
            "analytics go nowhere: set CAMFLEET_ANALYTICS to the fleet's address, or in"
            " camfleet.app.json analytics.enable_cloud_publish (to this machine's fleet) or"
            " analytics.enable_file_publish (into %s)",
            RESULTS_FILE,
        )

    def close(self) -> None:
        """Send what waits."""
        for destination in self.destinations:
            if isinstance(destination, FleetQueue):
                destination.close()


_publisher: list[Publisher] = []  # at most one a process, made with the first packet
_making = threading.Lock()


def publish_analytics(
    results: Any,
    tag: Any = None,
    file_path: str | os.PathLike[str] | None = None,
    *,
    base_service: str | None = None,
) -> None:
    """Publish results, an event, or any dict of plain values (a CustomEvent).

    They go to the fleet whose address is in CAMFLEET_ANALYTICS, or to this machine's where the
    application's file says `analytics.enable_cloud_publish`; into var/analytics.txt beside that
    file where it says `enable_file_publish`; the log says where to. Sending is done in a thread.

    Args:
        results: what a service or tracker returned, an event, or a dict.
        tag: anything of JSON, to know it by.
        file_path: write it into this file only, wherever packets go otherwise.
        base_service: the service that found it; known of results.

    Raises:
        PacketSizeError: it is larger than 256 kB.
        PacketRateError: it is one too many in this second.
        PublishRefused: the fleet has refused what was published before.
        CannotPublish: the file cannot be written.
        TypeError: something in it has no form in JSON.
        ValueError: an event's timestamp is none, or its label is one of the fleet's own.
    """
    to = None if file_path is None else PacketFile(Path(file_path))
    _the_publisher().publish(results, tag, base_service, to)


def analytics_destinations() -> list[str]:
    """Where publish_analytics() publishes to; empty: nowhere."""
    return [str(one) for one in _the_publisher().destinations]


def write_object_detection_results_to_analytics_file(
    output_file_path: str | os.PathLike[str], results: ObjectDetectionResults
) -> None:
    """Append results to a file, which load_analytics_results() reads."""
    publish_analytics(results, file_path=output_file_path)


def write_tracking_results_to_analytics_file(
    output_file_path: str | os.PathLike[str], results: TrackingResults[Any]
) -> None:
    """Append results to a file, which load_analytics_results() reads."""
    publish_analytics(results, file_path=output_file_path)


def close_publisher() -> None:
    """Send what waits and forget where to; the next packet decides anew."""
    with _making:
        while _publisher:
            _publisher.pop().close()


def _the_publisher() -> Publisher:
    with _making:
        if not _publisher:
            _publisher.append(Publisher())
            atexit.register(close_publisher)
        return _publisher[0]


def _device_id(settings: FleetSettings) -> str:
    """That of the fleet on this machine; on one without, its name, and no state folder is made."""
    given = settings.device_id or settings.balena_uuid
    if given or settings.state_dir.is_dir():
        return given or device_id(settings)
    return socket.gethostname()


def _destinations_of(settings: FleetSettings) -> tuple[Destination, ...]:
    config = find_app_config()
    switches = AnalyticsSwitches() if config is None else config.analytics
    found: list[Destination] = []
    if settings.analytics or switches.enable_cloud_publish:
        address = settings.analytics or page_address(settings, settings.streamer_port)
        found.append(FleetQueue(address, fleet_key(settings)))
    if switches.enable_file_publish and config is not None:
        found.append(PacketFile(config.folder / RESULTS_FILE, switches.file_size_bytes))
    return tuple(found)
