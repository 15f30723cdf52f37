"""Clients as the page is one: of /v1/stream, noting how old what it gets is, and of live video."""

import json
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect


@dataclass
class Delays:
    """Seconds from capture to receipt, and what the requests took."""

    events: list[float] = field(default_factory=list)
    results: list[float] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    first_s: dict[str, float] = field(default_factory=dict)  # time.monotonic() of events, results

    def note(self, message: dict[str, Any]) -> None:
        """Take in one message."""
        delay_s = time.time() - datetime.fromisoformat(message["captured_at"]).timestamp()
        if message["type"] != "OccurrenceEvent":
            self.first_s.setdefault("results", time.monotonic())
            self.results.append(delay_s)
            self.asked.append(message["results"]["duration"])
        elif message["results"]["event_label"] == "line_crossed":
            self.first_s.setdefault("events", time.monotonic())
            self.events.append(delay_s)

    def p95_ms(self, kind: str) -> float:
        """The 95th of a hundred."""
        values = getattr(self, kind)
        enough = 2
        if len(values) < enough:
            return float("nan")
        return 1000 * float(statistics.quantiles(values, n=20, method="inclusive")[-1])


@contextmanager
def listening(page: str, key: str) -> Iterator[Delays]:
    """Listen until the block ends."""
    delays = Delays()
    address = page.replace("http", "ws", 1) + "/v1/stream"
    with connect(address, additional_headers={"x-api-key": key}, max_size=None) as socket:

        def collect() -> None:
            try:
                for text in socket:
                    delays.note(json.loads(text))
            except ConnectionClosed:
                return

        thread = threading.Thread(target=collect, name="stream", daemon=True)
        thread.start()
        yield delays


@contextmanager
def watching(page: str, key: str, camera: str) -> Iterator[list[float]]:
    """Take a camera's live picture as the page does until the block ends.

    Yields time.monotonic() of the first fragment, as soon as it came.
    """
    address, came = page.replace("http", "ws", 1) + f"/live/{camera}", list[float]()

    def drain() -> None:
        try:
            for message in socket:
                if not came and isinstance(message, bytes):
                    came.append(time.monotonic())
        except ConnectionClosed:
            return

    header = {"x-api-key": key}
    with connect(address, additional_headers=header, max_size=None, close_timeout=1) as socket:
        threading.Thread(target=drain, name="viewer", daemon=True).start()
        yield came
