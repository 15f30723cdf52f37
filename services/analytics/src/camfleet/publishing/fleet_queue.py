"""Packets on their way to a fleet: a thread sends them, so that no loop waits for the network."""

import contextlib
import http.client
import json
import logging
import threading
import urllib.error
from collections import deque
from itertools import islice

from camfleet.publishing.errors import PublishRefused
from camfleet.video.backoff import Backoff
from camfleet_contracts.direct import read_service
from camfleet_contracts.packets import LARGEST_REQUEST_BYTES, MOST_PACKETS_PER_REQUEST

logger = logging.getLogger(__name__)

PATH = "/v1/events"
_EVENTS, _RESULTS = 10_000, 500  # that may wait; the oldest go first, and are counted
_TIMEOUT_S = 5.0
_TRY_LATER = frozenset({408, 429, 500, 502, 503, 504})


class FleetQueue:
    """Sends to POST /v1/events until it is closed; thread-safe.

    What cannot be sent because nobody answers waits: events up to 10,000, results up to 500.
    """

    def __init__(self, address: str, key: str | None) -> None:
        """Nothing is sent before the first packet.

        Args:
            address: http(s)://host:port of the fleet's analytics service.
            key: of role service or admin.
        """
        self._url = address.rstrip("/") + PATH
        self._headers = {"content-type": "application/x-ndjson"}
        self._headers |= {"x-api-key": key} if key else {}
        self._events: deque[bytes] = deque(maxlen=_EVENTS)
        self._results: deque[bytes] = deque(maxlen=_RESULTS)
        self._changed = threading.Condition()
        self._is_closed = self._is_lost = False
        self._fault: str | None = None
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="publishing", daemon=True)
        self._thread.start()

    def __str__(self) -> str:
        """Where it sends to."""
        return self._url

    def publish(self, line: str, *, is_result: bool) -> None:
        """Queue a packet.

        Raises:
            PublishRefused: what was sent before was refused for good; told once.
        """
        queue = self._results if is_result else self._events
        with self._changed:
            fault, self._fault = self._fault, None
            self.dropped += len(queue) == queue.maxlen
            queue.append(line.encode())
            self._changed.notify()
        if fault is not None:
            raise PublishRefused(fault)

    def close(self, timeout_s: float = 2.0) -> None:
        """Send what waits, for so long at most."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join(timeout_s)
        waiting = len(self._events) + len(self._results)
        if waiting or self.dropped:
            logger.warning(
                "packets not published to=%s count=%s", self._url, waiting + self.dropped
            )

    def _run(self) -> None:
        backoff = Backoff()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._events or self._results or self._is_closed)
                batches = [_first(queue) for queue in (self._events, self._results)]
                if self._is_closed and not any(batches):
                    return
            for queue, batch in zip((self._events, self._results), batches, strict=True):
                if batch and not self._send(queue, batch, backoff):
                    if self._is_closed:
                        return
                    with self._changed:
                        self._changed.wait_for(lambda: self._is_closed, backoff.next_s())
                    break

    def _send(self, queue: deque[bytes], batch: list[bytes], backoff: Backoff) -> bool:
        """True when the batch is dealt with, taken or refused for good."""
        try:
            read_service(self._url, _TIMEOUT_S, self._headers, b"\n".join(batch))
        except urllib.error.HTTPError as error:
            if error.code in _TRY_LATER:
                return False
            self._refuse(error)
        except (OSError, http.client.HTTPException) as error:
            if not self._is_lost:
                logger.warning("fleet does not answer, packets wait to=%s: %s", self._url, error)
            self._is_lost = True
            return False
        except ValueError as error:
            way = "set CAMFLEET_ANALYTICS to http(s)://host:port of the fleet's analytics"
            self._note_fault(f"{self._url} is no address ({error}); {way}")
        self._is_lost = False
        backoff.reset()
        self._take_out(queue, batch)
        return True

    def _take_out(self, queue: deque[bytes], batch: list[bytes]) -> None:
        """By identity: the queue may have lost its oldest meanwhile."""
        sent = set(map(id, batch))
        with self._changed:
            while queue and id(queue[0]) in sent:
                queue.popleft()

    def _refuse(self, error: urllib.error.HTTPError) -> None:
        reason = f"{error.code} {_reason_of(error)}"
        ways = {
            401: "; set CAMFLEET_API_KEY to a key of role service (`camfleet key add`)",
            403: "; use a key of role service (`camfleet key add NAME --role service`)",
            404: "; is CAMFLEET_ANALYTICS the address of analytics, e.g. http://127.0.0.1:5000?",
        }
        self._note_fault(
            f"{self._url} refuses what was published: {reason}{ways.get(error.code, '')}"
        )

    def _note_fault(self, fault: str) -> None:
        logger.error("packets refused %s", fault)
        with self._changed:
            self._fault = fault


def _first(queue: deque[bytes]) -> list[bytes]:
    """As many as a request may have."""
    taken, size = [], 0
    for line in islice(queue, MOST_PACKETS_PER_REQUEST):
        size += len(line) + 1
        if size > LARGEST_REQUEST_BYTES:
            break
        taken.append(line)
    return taken


def _reason_of(error: urllib.error.HTTPError) -> str:
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        return str(json.loads(error.read(4096))["error"])
    return str(error.reason)
