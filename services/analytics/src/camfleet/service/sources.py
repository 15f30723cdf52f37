"""Where analytics reads a camera: from capture, or straight from its sub-stream."""

from collections.abc import Callable
from urllib.parse import urlsplit

from camfleet.service.live_ports import LiveCamera
from camfleet.service.reading import Readers, Subscription
from camfleet.service.watched_stream import OwnOrMade, TwoStreams, Unwatched, WatchedStream
from camfleet.video.addresses import place_of, with_default_login
from camfleet.video.reader import CameraReader, PacketSink, rtsp
from camfleet_contracts.access import is_loopback
from camfleet_contracts.cameras import (
    H264_SUFFIX,
    SUB_STREAM_SUFFIX,
    Camera,
    source_kind,
)
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.secret_references import resolve_credentials, with_login
from camfleet_contracts.settings import FleetSettings, process_environment


def address_of(camera: Camera, settings: FleetSettings, keys: KeyStore) -> str:
    """The address to read: `detect_source`, else capture's, else the camera's own.

    A sub-stream that is rotated or masked comes from capture, which does that. An entry whose
    `source` is another camera at capture reads that one, and not what capture makes of it.

    Raises:
        ValueError: there is none, or the credentials it refers to are not there.
    """
    if camera.capture.alters and not settings.capture:
        raise ValueError("rotation and masks need capture; set CAMFLEET_CAPTURE")
    if camera.detect_source and not camera.capture.alters:
        return _own_address(camera, camera.detect_source, settings, keys)
    if not camera.capture.alters and is_at_capture(camera.source, settings.capture):
        return _with_fleet_key(camera.source, keys)
    if not settings.capture:
        if source_kind(camera.source) != "rtsp":
            raise ValueError(f"source {camera.source} needs capture; set CAMFLEET_CAPTURE")
        return _own_address(camera, camera.source, settings, keys)
    stream = camera.name + (SUB_STREAM_SUFFIX if camera.detect_source else "")
    return _in_capture(stream, settings.capture, keys)


def _in_capture(stream: str, capture: str, keys: KeyStore) -> str:
    return _with_fleet_key(f"{capture.rstrip('/')}/{stream}", keys)


def is_at_capture(address: str, capture: str) -> bool:
    """Whether an address of cameras.yaml is one of our own capture service."""
    if not capture or not address.startswith(("rtsp://", "rtsps://")):
        return False
    return place_of(address) == place_of(capture)


def _with_fleet_key(address: str, keys: KeyStore) -> str:
    if is_loopback(urlsplit(address).hostname or ""):
        return address
    return with_default_login(address, ("camfleet", keys.fleet_secret()))


def watched_address_of(camera: Camera, settings: FleetSettings, keys: KeyStore) -> str:
    """The address of the stream that people watch: `source`, through capture where there is one.

    Capture makes H.264 of it where browsers could not play it, if `transcode` allows that.

    Raises:
        ValueError: as `address_of`.
    """
    if settings.capture and camera.transcode != "never":
        return _in_capture(camera.name + H264_SUFFIX, settings.capture, keys)
    return address_of(camera.model_copy(update={"detect_source": None}), settings, keys)


def source_of(
    camera: Camera, live: LiveCamera, settings: FleetSettings, keys: KeyStore, readers: Readers
) -> Subscription | TwoStreams:
    """What a pipeline reads; each address is worked out anew for every connection."""

    def read(sink: PacketSink) -> Subscription:
        return Subscription(
            readers,
            camera.name,
            lambda: address_of(camera, settings, keys),
            sink,
            is_film=not camera.capture.real_time,
        )

    def read_watched(tap: PacketSink, lost: Callable[[str], None]) -> CameraReader:
        return CameraReader(
            f"{camera.name}-watched",
            rtsp(lambda: watched_address_of(camera, settings, keys), ca_file_of(settings)),
            tap,
            taking="packets",
            lost=lost,
        )

    watched = WatchedStream(live, read_watched)
    if camera.detect_source:
        return TwoStreams(read(Unwatched()), live, watched)
    if settings.capture and camera.transcode != "never":
        return TwoStreams(read(OwnOrMade(live, watched)), live, watched, always=False)
    return read(live)


def ca_file_of(settings: FleetSettings) -> str | None:
    """The certificates that cameras and capture are checked against; None: nothing is checked."""
    return str(settings.tls_ca) if settings.tls_ca else None


def _own_address(camera: Camera, address: str, settings: FleetSettings, keys: KeyStore) -> str:
    """`credentials` come before a login in the address; capture knows the fleet's own key."""
    if is_at_capture(address, settings.capture):
        return _with_fleet_key(address, keys)
    credentials = resolve_credentials(camera.credentials, process_environment())
    return with_login(address, credentials) if credentials else address
