"""Pushes one camera's stream to an RTSP server: ANNOUNCE, SETUP, RECORD, over TCP."""

import asyncio
import os
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from camfleet_capture.publish.client import PublishFault, RtspClient
from camfleet_capture.rtsp.broadcast import Broadcast, Reader
from camfleet_capture.rtsp.outputs import InterleavedOutput
from camfleet_capture.rtsp.sdp import TRACK, format_sdp
from camfleet_capture.stream import Stream
from camfleet_contracts.logs import get_logger
from camfleet_contracts.secret_references import Credentials

_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 30.0
_PICTURE_WAIT_S = 30.0
_USUAL_TIMEOUT_S = 60

logger = get_logger(__name__)

StateName = Literal["CONNECTING", "PUBLISHING", "FAILED"]


class Streams(Protocol):
    """Where a publisher finds the stream and its packets."""

    def find(self, camera: str) -> Stream | None:
        """Return the stream at this path."""

    def broadcast(self, stream: Stream, *, with_delimiter: bool) -> Broadcast:
        """Return the packetisation that readers share."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a camera's stream goes; `credentials` are read anew for every connection."""

    camera: str
    url: str
    credentials: Callable[[], Credentials | None]
    authorities: Path | None


class Publisher:
    """Keeps one stream published; begins anew whenever the server or the camera was away."""

    def __init__(self, target: Target, streams: Streams) -> None:
        self._target, self._streams = target, streams
        self.state: StateName = "CONNECTING"
        self.reason: str | None = None
        self._task = asyncio.create_task(self._run(), name=f"publish-{target.camera}")

    async def close(self) -> None:
        """Take leave of the server."""
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _run(self) -> None:
        pause_s = _SHORTEST_PAUSE_S
        while True:
            try:
                await self._publish()
            except (PublishFault, ValueError) as fault:
                self._report("FAILED", str(fault))
            except (OSError, EOFError, TimeoutError) as error:
                self._report("CONNECTING", _words(error))
            except Exception:  # the task's border: it must go on
                logger.exception("publishing failed", camera=self._target.camera)
                self._report("FAILED", "a fault of this program; see the log of capture")
            if self.state == "PUBLISHING":
                pause_s = _SHORTEST_PAUSE_S
                self._report("CONNECTING", "the server hung up")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _publish(self) -> None:
        """Publish until the server or the stream ends."""
        stream = self._streams.find(self._target.camera)
        key = await stream.first_key(_PICTURE_WAIT_S) if stream else None
        if stream is None or key is None:
            raise TimeoutError("the camera has no picture")
        target = self._target
        client = await RtspClient.connect(target.url, target.credentials(), target.authorities)
        try:
            sdp = format_sdp(target.camera, key, client.own_address)
            await client.ask("ANNOUNCE", target.url, "Content-Type: application/sdp", body=sdp)
            timeout_s = await self._set_up(client)
            await client.ask("RECORD", target.url, "Range: npt=0.000-")
            await self._feed(
                client, self._streams.broadcast(stream, with_delimiter=False), timeout_s
            )
        finally:
            client.close()

    async def _set_up(self, client: RtspClient) -> float:
        """Ask for an interleaved transport; returns the session's time-out."""
        transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1;mode=record"
        answer = await client.ask("SETUP", f"{self._target.url}/{TRACK}", transport)
        client.session, _, rest = answer.first("session").partition(";")
        timeout = rest.partition("timeout=")[2]
        return float(timeout) if timeout.isdecimal() and int(timeout) else _USUAL_TIMEOUT_S

    async def _feed(self, client: RtspClient, broadcast: Broadcast, timeout_s: float) -> None:
        reader = Reader(
            InterleavedOutput(client.transport, (0, 1), broadcast.lock, is_plain=False),
            client.transport.abort,
            client.transport.close,
        )
        broadcast.join(reader, broadcast.prepare())
        self._report("PUBLISHING", None)
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(timeout_s / 2):
                        while True:
                            await client.next_answer()
                client.send("OPTIONS", self._target.url)  # keeps the session alive
        except (PublishFault, OSError, EOFError):
            return  # it was publishing: the caller begins anew
        finally:
            broadcast.leave(reader)
            client.send("TEARDOWN", self._target.url)

    def _report(self, state: StateName, reason: str | None) -> None:
        if (state, reason) != (self.state, self.reason):
            event = "published" if state == "PUBLISHING" else "not published"
            log = logger.info if state == "PUBLISHING" else logger.warning
            log(event, camera=self._target.camera, to=self._target.url, reason=reason)
        self.state, self.reason = state, reason


def _words(error: BaseException) -> str:
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or 'failed'}; does CAMFLEET_TLS_CA vouch for the server?"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused; is the server on?"
    if isinstance(error, EOFError):
        return "the server hung up"
    if isinstance(error, OSError) and (error.errno or 0) > 0:
        return os.strerror(error.errno or 0)  # asyncio's own text tells of its calls
    return str(error) or "no answer"
