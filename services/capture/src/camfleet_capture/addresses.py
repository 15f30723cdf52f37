"""What is to be opened under which name: the entries of cameras.yaml, spelled out."""

from dataclasses import dataclass
from pathlib import Path

from camfleet_capture.plugged_in import PluggedIn
from camfleet_capture.sources.table import SourceAddress
from camfleet_contracts.cameras import SUB_STREAM_SUFFIX, Camera, CamerasFile


@dataclass(frozen=True, slots=True)
class Addresses:
    """One moment's cameras: `entries` of cameras.yaml by the names of their cameras, in order."""

    entries: dict[str, Camera]
    sources: dict[str, SourceAddress]  # of all cameras, and of their sub-streams


def addresses_of(wanted: CamerasFile, folder: Path, plugged_in: PluggedIn) -> Addresses:
    """Spell out the enabled entries; a camera wins over a sub-stream of the same name."""
    enabled = [camera for camera in wanted.cameras if camera.enabled]
    taken = [camera.source for camera in wanted.cameras if camera.source.startswith("/dev/")]
    entries: dict[str, Camera] = {}
    sources: dict[str, SourceAddress] = {}
    for camera in enabled:
        if camera.detect_source:
            sources[camera.name + SUB_STREAM_SUFFIX] = SourceAddress(
                camera.detect_source, folder, camera.credentials, camera.capture
            )
    for camera in enabled:
        for name, place in _places_of(camera, taken, plugged_in).items():
            entries[name] = camera
            sources[name] = SourceAddress(
                camera.source, folder, camera.credentials, camera.capture, place
            )
    return Addresses(entries, sources)


def _places_of(
    camera: Camera, taken: list[str], plugged_in: PluggedIn
) -> dict[str, str] | dict[str, None]:
    """Return the names of an entry's cameras, and for `auto` where each is plugged in."""
    found = plugged_in.names_of(camera.name, taken) if camera.source == "auto" else {}
    return found or {camera.name: None}
