"""POST /v1/events: packets of applications, one a line, into the journal and to the listeners."""

import asyncio
import logging
import uuid
from collections import OrderedDict
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from camfleet.service.events.hub import StreamHub
from camfleet.web.bodies import read_body
from camfleet.web.sockets import FOREIGN, comes_from_here
from camfleet_contracts.clock import now_utc, rfc3339
from camfleet_contracts.events import Envelope
from camfleet_contracts.packets import (
    LARGEST_REQUEST_BYTES,
    PACKETS_PER_S,
    BadPacket,
    read_packets,
    time_of,
)

logger = logging.getLogger(__name__)

_ROLES = frozenset({"service", "admin"})
_REMEMBERED = 10_000  # ids of packets, so that one that is sent again is not published again


class IncomingEvents:
    """Takes all packets of a request or none. Lives in the event loop."""

    def __init__(self, hub: StreamHub, device_id: str) -> None:
        """`device_id` is that of the box whose outbox numbers the events."""
        self._hub, self._device_id = hub, device_id
        self._known: OrderedDict[str, None] = OrderedDict()

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [Route("/v1/events", self.take, methods=["POST"])]

    async def take(self, request: Request) -> Response:
        """202 with their number; 400, 403, 413 or 429 with the reason."""
        key = request.scope.get("camfleet_key")
        if key is None or key.role not in _ROLES:
            return _refused(HTTPStatus.FORBIDDEN, "only a key of role service may publish events")
        if not comes_from_here(request):
            return _refused(HTTPStatus.FORBIDDEN, FOREIGN)
        body = await read_body(request, LARGEST_REQUEST_BYTES)
        if body is None:
            return _refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"more than {LARGEST_REQUEST_BYTES} bytes; send fewer packets at once",
            )
        try:
            packets = await asyncio.to_thread(read_packets, body)
        except BadPacket as error:
            return _refused(HTTPStatus.BAD_REQUEST, str(error))
        if not self._hub.quotas.packets(key.name).take(len(packets)):
            reason = f"key '{key.name}' may publish {PACKETS_PER_S:g} packets a second; send less"
            return _refused(HTTPStatus.TOO_MANY_REQUESTS, reason, {"retry-after": "1"})
        fresh = [packet for packet in packets if self._is_new(packet)]
        await asyncio.to_thread(self._publish, fresh)
        return JSONResponse({"taken": len(packets)}, HTTPStatus.ACCEPTED)

    def _is_new(self, packet: Envelope) -> bool:
        if packet.event_id in self._known:
            return False
        if packet.event_id:
            self._known[packet.event_id] = None
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return True

    def _publish(self, packets: list[Envelope]) -> None:
        for packet in packets:
            ours = {
                "device_id": self._device_id,
                "event_id": packet.event_id or str(uuid.uuid4()),
                "captured_at": rfc3339(time_of(packet)),
                "received_at": rfc3339(now_utc()),
                "epoch": None,
                "seq": None,
            }
            message = packet.model_copy(update=ours)
            if message.is_result:
                self._hub.publish_result(message)
            else:
                self._hub.publish_event(message)


def _refused(
    status: HTTPStatus, reason: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    return JSONResponse({"error": reason}, status, headers)
