"""`app_configurations.video_streams` of alwaysAI's starter applications, as streams."""

from collections.abc import Mapping
from typing import Any

import camfleet
from camfleet.apps.application import BadApplication
from camfleet.streams.base import VideoStream

_KINDS = {"FILE": "FileVideoStream", "IP": "IPVideoStream", "USB": "WebcamVideoStream"}


def video_streams_of(configurations: Mapping[str, Any]) -> list[VideoStream]:
    """The streams that `"video_streams": [{"mode": "USB", "arg": 0}, ...]` names, not started.

    Modes are FILE (a path), IP (an address) and USB (a number).

    Raises:
        BadApplication: there is no such list, or an entry is not as it must be.
    """
    entries = configurations.get("video_streams") if isinstance(configurations, Mapping) else None
    if not isinstance(entries, list) or not entries:
        raise BadApplication(
            'app_configurations: "video_streams" is missing; write e.g. '
            '"video_streams": [{"mode": "USB", "arg": 0}]'
        )
    return [_stream_of(entry, number) for number, entry in enumerate(entries)]


def _stream_of(entry: Any, number: int) -> VideoStream:
    place = f"app_configurations: video_streams[{number}]"
    if not isinstance(entry, Mapping) or "arg" not in entry:
        raise BadApplication(f'{place} is {entry!r}; write {{"mode": "USB", "arg": 0}}')
    mode = str(entry.get("mode", "")).upper()
    if mode not in _KINDS:
        raise BadApplication(f"{place}: mode {entry.get('mode')!r}; use FILE, IP or USB")
    kind = getattr(camfleet, _KINDS[mode])  # as scripts find it, so that tests may replace it
    stream: VideoStream = kind(entry["arg"])
    return stream
