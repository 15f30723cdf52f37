"""One RTSP connection: requests in, answers and perhaps a playing session out."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable

from camfleet_capture.rtsp.broadcast import STALL_LIMIT_S, Reader
from camfleet_capture.rtsp.host import Host
from camfleet_capture.rtsp.outputs import InterleavedOutput, Output, UdpOutput, left_bytes
from camfleet_capture.rtsp.requests import (
    Refused,
    Request,
    SpokenHttp,
    WantedTransport,
    format_http_refusal,
    format_response,
    parse_request,
    parse_transport,
)
from camfleet_capture.rtsp.sdp import format_sdp
from camfleet_capture.rtsp.session import Session
from camfleet_capture.stream import Stream
from camfleet_contracts.keys import TooManyChecks

SESSION_TIMEOUT_S = 60.0
REQUEST_LIMIT_BYTES = 16_384
_TOO_LARGE = f"a request has at most {REQUEST_LIMIT_BYTES} bytes"
_PICTURE_WAIT_S = 3.0
_LEAVE_LIMIT_S = 3600.0
_DRAIN_LIMIT_S = 10.0
_METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"
_KNOWN_ELSEWHERE = frozenset({"ANNOUNCE", "RECORD", "PAUSE", "SET_PARAMETER", "REDIRECT"})

Handler = Callable[[Request], Awaitable[bytes]]


class Connection:
    """Answers the requests of one client; a session ends with its connection."""

    def __init__(
        self, host: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._host, self._reader, self._writer = host, reader, writer
        self._peer: str = writer.get_extra_info("peername")[0]
        self._nonce = secrets.token_hex(16)
        self._low_latency = False
        self._session: Session | None = None
        self._last_request_at = time.monotonic()
        self._is_over = self._is_finished = False
        self._after_answer: Callable[[], None] | None = None
        self._handlers: dict[str, Handler] = {
            "OPTIONS": self._options,
            "DESCRIBE": self._describe,
            "SETUP": self._setup,
            "PLAY": self._play,
            "GET_PARAMETER": self._get_parameter,
            "TEARDOWN": self._teardown,
        }

    async def serve(self) -> None:
        """Answer until the client leaves, falls silent or sends what is not RTSP."""
        try:
            while not self._is_over:
                request = await self._next_request()
                if self._is_over:
                    break
                self._last_request_at = time.monotonic()
                self._write(await self._answer(request))
                self._begin_sending()
                await self._drain()
            if self._is_finished:
                await self._see_off()
        except Refused as refusal:
            headers = "Connection: close", "Content-Type: text/plain"
            self._write(format_response(refusal.code, "0", headers, f"{refusal.reason}\n"))
        except SpokenHttp:
            self._write(format_http_refusal())
        except (OSError, EOFError, TimeoutError):
            return
        finally:
            if self._session:
                self._session.end()
            self._writer.close()

    def hang_up(self) -> None:
        """Break the connection at once."""
        self._writer.transport.abort()

    def finish(self) -> None:
        """Send nothing new; end when the client has what was sent, or does not take it."""
        if self._session:
            self._session.end()
        self._is_over = self._is_finished = True
        transport = self._writer.transport
        try:
            if transport.can_write_eof():  # closing instead could lose what is on the way
                transport.write_eof()
            else:
                transport.close()
        except OSError:  # the client has broken off, and the event loop has not seen it yet
            transport.abort()
        else:
            self._await_end(left_bytes(transport) + 1)

    async def _see_off(self) -> None:
        """Read on until the client has all: what it says to a closed socket loses the rest."""
        while left_bytes(self._writer.transport):
            if not await self._reader.read(REQUEST_LIMIT_BYTES):
                return

    def _await_end(self, before_bytes: int) -> None:
        """Break off when a minute has passed in which the client took nothing of what was left."""
        loop, transport = asyncio.get_running_loop(), self._writer.transport
        left = left_bytes(transport)
        if left >= before_bytes:
            transport.abort()
        elif transport.get_write_buffer_size():
            loop.call_later(STALL_LIMIT_S, self._await_end, left)
        else:  # the rest lies with the system, which gives it to the client as it reads
            loop.call_later(_LEAVE_LIMIT_S, transport.abort)

    async def _next_request(self) -> Request:
        while True:
            try:
                async with asyncio.timeout(self._patience_s()):
                    return await self._read_request()
            except TimeoutError:
                if self._patience_s() == 0:
                    raise

    async def _drain(self) -> None:
        """Answer no further while the client does not read; give it up unless it plays."""
        try:
            async with asyncio.timeout(_DRAIN_LIMIT_S):
                await self._writer.drain()
        except TimeoutError:
            if not self._plays_interleaved():  # how long a slow one may play, Broadcast decides
                self.hang_up()
                raise

    def _write(self, response: bytes) -> None:
        """Write between the packets of a session that plays through this connection."""
        if self._session and (playing := self._session.interleaved):
            playing.answer(response)
        else:
            self._writer.write(response)

    def _plays_interleaved(self) -> bool:
        return bool(self._session and self._session.interleaved)

    def _patience_s(self) -> float | None:
        if self._plays_interleaved():
            return None  # the connection itself shows that the reader lives
        alive_at = self._last_request_at
        if self._session and (address := self._session.rtcp_address):
            alive_at = max(alive_at, self._host.last_control_packet(address))
        return max(0.0, alive_at + SESSION_TIMEOUT_S - time.monotonic())

    async def _read_request(self) -> Request:
        while True:
            first = await self._reader.readexactly(1)
            if pause_s := self._host.limits.spend(self._peer):
                await asyncio.sleep(pause_s)
            if first == b"$":
                frame = await self._reader.readexactly(3)
                await self._reader.readexactly(int.from_bytes(frame[1:]))
            elif first not in b"\r\n":
                return await self._read_rest(first)

    async def _read_rest(self, first: bytes) -> Request:
        try:
            head = first + await self._reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError as error:
            raise Refused(413, _TOO_LARGE) from error
        request = parse_request(head)
        length = request.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > REQUEST_LIMIT_BYTES:
            raise Refused(413, _TOO_LARGE)
        await self._reader.readexactly(int(length))
        return request

    async def _answer(self, request: Request) -> bytes:
        try:
            handler = self._handler_of(request)
            await self._check_access(request)
            self._low_latency = self._low_latency or request.wants_low_latency
            return await handler(request)
        except Refused as refusal:
            headers = refusal.headers
            if refusal.reason:
                headers = (*headers, "Content-Type: text/plain")
            return format_response(refusal.code, request.sequence, headers, refusal.reason)

    def _handler_of(self, request: Request) -> Handler:
        handler = self._handlers.get(request.method)
        if handler is None:
            code = 405 if request.method in _KNOWN_ELSEWHERE else 501
            raise Refused(code, headers=(f"Allow: {_METHODS}",))
        return handler

    async def _check_access(self, request: Request) -> None:
        authenticator = self._host.authenticator
        if authenticator is None or request.method == "OPTIONS":
            return
        try:
            is_known = await authenticator.accepts(request, self._nonce, self._peer)
        except TooManyChecks as error:
            raise Refused(503, str(error), ("Retry-After: 1",)) from error
        if not is_known:
            raise Refused(401, headers=authenticator.challenges(self._nonce))

    def _find_stream(self, request: Request) -> Stream:
        stream = self._host.find(request.camera)
        if stream is None:
            raise Refused(404, self._host.fault(request.camera))
        return stream

    def _own_session(self, request: Request) -> Session:
        if self._session is None or request.session != self._session.id:
            raise Refused(454)
        return self._session

    async def _options(self, request: Request) -> bytes:
        return format_response(200, request.sequence, (f"Public: {_METHODS}",))

    async def _describe(self, request: Request) -> bytes:
        stream = self._find_stream(request)
        key = await stream.first_key(max(_PICTURE_WAIT_S, stream.start_patience_s))
        if key is None:
            raise Refused(503, f"camera {stream.name}: {self._host.fault(request.camera)}")
        address = self._writer.get_extra_info("sockname")[0]
        base = request.uri.partition("?")[0].rstrip("/")
        headers = ("Content-Type: application/sdp", f"Content-Base: {base}/")
        sdp = format_sdp(stream.name, key, address)
        return format_response(200, request.sequence, headers, sdp)

    async def _setup(self, request: Request) -> bytes:
        stream = self._find_stream(request)
        if self._session and self._session.plays:
            raise Refused(455, "this connection already plays; open another one")
        if request.session and (self._session is None or request.session != self._session.id):
            raise Refused(454)
        wanted = parse_transport(request.headers.get("transport", ""))
        output, answer = await self._open_output(wanted, stream)
        broadcast = self._host.broadcast(stream, with_delimiter=self._low_latency)
        self._session = Session(output, broadcast, request.session)
        return format_response(
            200,
            request.sequence,
            (
                f"Transport: {answer}",
                f"Session: {self._session.id};timeout={SESSION_TIMEOUT_S:.0f}",
            ),
        )

    async def _open_output(self, wanted: WantedTransport, stream: Stream) -> tuple[Output, str]:
        ports = f"{wanted.rtp}-{wanted.rtcp}"
        if wanted.is_tcp:
            output = InterleavedOutput(
                self._writer.transport,
                (wanted.rtp, wanted.rtcp),
                stream.lock,
                is_plain=self._writer.get_extra_info("sslcontext") is None,
            )
            return output, f"RTP/AVP/TCP;unicast;interleaved={ports}"
        sockets = await self._host.udp_sockets()
        own = "-".join(str(one.getsockname()[1]) for one in sockets)
        udp = UdpOutput(sockets, self._peer, (wanted.rtp, wanted.rtcp), stream.lock)
        return udp, f"RTP/AVP;unicast;client_port={ports};server_port={own}"

    async def _play(self, request: Request) -> bytes:
        session = self._own_session(request)
        if session.is_outlived and not session.plays:
            raise Refused(404, self._host.fault(request.camera))
        headers: tuple[str, ...] = (f"Session: {session.id}", "Range: npt=now-")
        if not session.plays:
            where = request.uri.partition("?")[0]
            info, self._after_answer = session.play(where, self._reader_through)
            headers = (*headers, info)
        return format_response(200, request.sequence, headers)

    def _reader_through(self, output: Output) -> Reader:
        return Reader(output, self.hang_up, self.finish)

    def _begin_sending(self) -> None:
        if begin := self._after_answer:
            self._after_answer = None
            begin()

    async def _get_parameter(self, request: Request) -> bytes:
        if not request.session:
            return format_response(200, request.sequence)
        session = self._own_session(request)
        return format_response(200, request.sequence, (f"Session: {session.id}",))

    async def _teardown(self, request: Request) -> bytes:
        session = self._own_session(request)
        session.end()
        self._session, self._is_over = None, True
        return format_response(200, request.sequence, (f"Session: {session.id}",))
