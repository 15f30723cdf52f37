"""WebSocket /v1/stream: results and events, with acknowledgements."""

import asyncio
import contextlib
import difflib
import json

from starlette.websockets import WebSocket, WebSocketDisconnect

from camfleet.service.events.hub import Choice, Listener, StreamHub
from camfleet.service.events.journal import LARGEST_SEQ
from camfleet.service.events.quotas import QuotaExceeded
from camfleet.token_bucket import Bucket
from camfleet.web.sockets import BAD_REQUEST, FOREIGN_PAGE, TOO_MANY, comes_from_here, refuse
from camfleet_contracts.events import RESULT_TYPES
from camfleet_contracts.packets import EVENT_TYPES

MAX_CLIENT_NAME = 64
_MOST_QUOTED = 40  # letters of a wrong type; the reason of a close has 123 bytes
_WRONG_SEQ = "{} must be the seq of an event, a whole number"


async def serve_stream(websocket: WebSocket, hub: StreamHub) -> None:
    """One client: `?types=&camera=&since=<seq>&epoch=&client=`; it may send {"ack": seq}."""
    if not comes_from_here(websocket):
        await refuse(websocket, FOREIGN_PAGE, "this page is not ours")
        return
    query = websocket.query_params
    client = _client_name(websocket)
    try:
        choice = Choice(_types(query.get("types")), _names(query.get("camera")))
        position = await asyncio.to_thread(_first_position, websocket, hub, client)
    except ValueError as error:
        await refuse(websocket, BAD_REQUEST, str(error))
        return
    try:
        with hub.quotas.connection(_key_name(websocket)) as quota:
            await websocket.accept()
            await _serve(websocket, hub, hub.listen(choice, position), quota)
    except QuotaExceeded as error:
        await refuse(websocket, TOO_MANY, f"{error}; close one first")


async def _serve(websocket: WebSocket, hub: StreamHub, listener: Listener, quota: Bucket) -> None:
    receiving = asyncio.create_task(_receive(websocket, hub, listener))
    receiving.add_done_callback(lambda _: listener.changed.set())
    try:
        await _send_until_gone(websocket, hub, listener, quota, receiving)
    finally:
        hub.leave(listener)
        receiving.cancel()
        with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
            await receiving


async def _send_until_gone(
    websocket: WebSocket,
    hub: StreamHub,
    listener: Listener,
    quota: Bucket,
    receiving: "asyncio.Task[None]",
) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # it left while we sent
        while not receiving.done():
            listener.changed.clear()
            for event in await hub.events_for(listener):
                if wait_s := quota.take_in_advance():
                    await asyncio.sleep(wait_s)
                listener.sent = event.position
                await websocket.send_text(event.text)
            listener.sent = listener.position  # past what it does not want
            for text in listener.take_results():
                if quota.take():
                    await websocket.send_text(text)
                else:
                    hub.quotas.left_out += 1
            await listener.changed.wait()


async def _receive(websocket: WebSocket, hub: StreamHub, listener: Listener) -> None:
    """Acknowledgements until the client leaves or sends a wrong one; anything else is ignored."""
    client, incoming = _client_name(websocket), hub.quotas.incoming()
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            text = await websocket.receive_text()
            if not incoming.take():
                await websocket.close(TOO_MANY, "too many messages a second; acknowledge less")
                return
            try:
                acknowledged = _acknowledged(text)
            except ValueError as error:
                await websocket.close(BAD_REQUEST, str(error))
                return
            if acknowledged is not None:
                note = hub.journal.acknowledge
                await asyncio.to_thread(note, client, *acknowledged, listener.sent)


def _acknowledged(text: str) -> tuple[int, str | None] | None:
    """Seq and epoch (None: the current one); None when the text is no acknowledgement.

    Raises:
        ValueError: it is a wrong one.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or "ack" not in message:
        return None
    sequence, epoch = message["ack"], message.get("epoch")
    if not isinstance(sequence, int) or isinstance(sequence, bool) or sequence > LARGEST_SEQ:
        raise ValueError(_WRONG_SEQ.format("ack"))
    if epoch is not None and not isinstance(epoch, str):
        raise ValueError("epoch must be the epoch of an event, a text")
    return max(0, sequence), epoch


def _since(text: str) -> int:
    """The seq, 0 at least. Raises ValueError when no event can have it."""
    try:
        sequence = int(text)
    except ValueError as error:
        raise ValueError(_WRONG_SEQ.format("since")) from error
    if sequence > LARGEST_SEQ:
        raise ValueError(_WRONG_SEQ.format("since"))
    return max(0, sequence)


def _first_position(websocket: WebSocket, hub: StreamHub, client: str) -> int:
    """After `since`, else after what the named client acknowledged, else only what is new."""
    query = websocket.query_params
    if "since" in query:
        return hub.journal.position_of(_since(query["since"]), query.get("epoch"))
    acknowledged = hub.journal.acknowledged(client) if "client" in query else None
    return hub.journal.newest if acknowledged is None else acknowledged


def _client_name(websocket: WebSocket) -> str:
    """Who acknowledges: the name it gives itself, else that of its key."""
    given = websocket.query_params.get("client")
    return (given or _key_name(websocket))[:MAX_CLIENT_NAME]


def _key_name(websocket: WebSocket) -> str:
    key = websocket.scope.get("camfleet_key")
    return key.name if key else "anyone"


def _types(text: str | None) -> frozenset[str]:
    """Raises ValueError, with the type that was meant, for one that does not exist."""
    names, known = _names(text), RESULT_TYPES | EVENT_TYPES
    if unknown := sorted(names - known):
        quoted = unknown[0].encode("ascii", "replace").decode()[:_MOST_QUOTED]
        [nearest] = difflib.get_close_matches(unknown[0], sorted(known), n=1, cutoff=0)
        raise ValueError(f"types: there is no '{quoted}'; did you mean {nearest}?")
    return names


def _names(text: str | None) -> frozenset[str]:
    return frozenset(name for name in (text or "").split(",") if name)
