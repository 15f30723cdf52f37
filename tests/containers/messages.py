"""What a fleet in containers says on its ports: events of the stream, versions of the server."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect

from container_fleet import ContainerFleet

Message = dict[str, Any]


@contextmanager
def event_stream(fleet: ContainerFleet, query: str = "") -> Iterator[ClientConnection]:
    address = f"ws://127.0.0.1:{fleet.ports['STREAMER_PORT']}/v1/stream{query}"
    with connect(address, additional_headers={"x-api-key": fleet.key}, open_timeout=60) as stream:
        yield stream


def next_message(
    fleet: ContainerFleet, timeout_s: float, is_wanted: Callable[[Message], bool], query: str = ""
) -> Message:
    """Return the first wanted message of the event stream."""
    deadline = time.monotonic() + timeout_s
    with event_stream(fleet, query) as stream:
        while True:
            message: Message = json.loads(stream.recv(deadline - time.monotonic()))
            if is_wanted(message):
                return message


def next_event(fleet: ContainerFleet, timeout_s: float, query: str = "") -> Message:
    """Return the first message that counts: one with a number of its own."""
    return next_message(fleet, timeout_s, lambda message: "seq" in message, query)


def versions(fleet: ContainerFleet, model: str) -> dict[str, str]:
    """The state of each version by its number; empty while the server does not answer."""
    address = f"http://127.0.0.1:{fleet.ports['REST_PORT']}/v1/models/{model}"
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            statuses = json.load(answer)["model_version_status"]
    except (urllib.error.URLError, OSError):
        return {}
    return {status["version"]: status["state"] for status in statuses}
