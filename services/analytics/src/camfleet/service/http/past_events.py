"""/v1/events: the events of the journal, newest first, page by page, chosen and exported."""

import csv
import difflib
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Self

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from camfleet.service.events.journal import LARGEST_SEQ, Journal

MOST_AT_ONCE = 500
EXPORTED_AT_ONCE = 500  # events of a file that are put together before they are sent
SCANNED_AT_ONCE = 20_000  # events looked at for a page; `next` goes on behind them
_STEP = 500
_KNOWN = frozenset(
    {
        *("camera", "event", "label", "place", "from", "to"),
        *("limit", "before", "format", "export", "apiKey"),
    }
)
_COLUMNS = ("captured_at", "camera", "event", "label", "object", "place", "data")

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events; None and empty mean all."""

    camera: str = ""
    event: str = ""  # line_crossed, zone_entered ...
    label: str = ""  # of the object
    place: str = ""  # line or zone
    start: datetime | None = None
    end: datetime | None = None

    @classmethod
    def parse(cls, query: QueryParams) -> Self:
        """Raises ValueError for a time that is none."""
        texts = {name: query.get(name, "") for name in ("camera", "event", "label", "place")}
        return cls(**texts, start=_moment(query, "from"), end=_moment(query, "to"))

    def takes(self, event: Facts) -> bool:
        """Whether an envelope is one of them."""
        results = event.get("results", {})
        pairs = (
            (self.camera, event.get("camera")),
            (self.event, results.get("event_label")),
            (self.label, results.get("object_label")),
            (self.place, results.get("zone_label")),
        )
        if any(wanted and wanted != found for wanted, found in pairs):
            return False
        moment = _happened(event)
        is_late = self.end is not None and moment is not None and moment > self.end
        return not is_late and not self.is_before(event)

    def is_before(self, event: Facts) -> bool:
        """Whether an event is older than all that is wanted."""
        moment = _happened(event)
        return self.start is not None and moment is not None and moment < self.start


class EventRoutes:
    """`?camera=&event=&label=&place=&from=&to=&limit=&before=<position>&format=json|csv`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [Route("/v1/events", self.list_past)]

    async def list_past(self, request: Request) -> Response:
        """One page; `next` is what `before` must be for the following one, null at the end.

        A table, or anything with `export`, is a file of all that is kept. With `export` a table
        begins with a byte order mark, by which Excel knows UTF-8.
        """
        query = request.query_params
        kind = query.get("format", "json")
        is_page = kind != "csv" and "export" not in query
        try:
            _refuse_unknown(query)
            wanted = Wanted.parse(query)
            before = _number(query, "before", LARGEST_SEQ, LARGEST_SEQ)
            most = MOST_AT_ONCE if is_page else LARGEST_SEQ
            limit = _number(query, "limit", 100 if is_page else most, most)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        if kind not in {"json", "csv"}:
            return JSONResponse({"error": "format: use json or csv"}, 400)
        if is_page:
            events, following = await run_in_threadpool(self._find, wanted, before, limit)
            page = {"events": events, "next": following}
            return JSONResponse(page, headers={"cache-control": "no-store"})
        chosen = (found for found in self._backwards(before) if wanted.takes(found[1]))
        encoding = "utf-8-sig" if "export" in query else "utf-8"
        pieces = _table(chosen, limit, encoding) if kind == "csv" else _json(chosen, limit)
        media_type = "text/csv" if kind == "csv" else "application/json"
        return StreamingResponse(pieces, media_type=media_type, headers=_file(kind))

    def _find(self, wanted: Wanted, before: int, limit: int) -> tuple[list[Facts], int | None]:
        found: list[Facts] = []
        before = min(before, self._journal.newest + 1)
        for position, event in self._backwards(before):
            if len(found) == limit or before - position > SCANNED_AT_ONCE:
                return found, position + 1
            if wanted.takes(event):
                found.append(event)
        return found, None

    def _backwards(self, before: int) -> Iterator[tuple[int, Facts]]:
        """The events in front of a position, newest first; positions have no gaps."""
        before = min(before, self._journal.newest + 1)
        while before > 1:
            after = max(0, before - 1 - _STEP)
            stored = [e for e in self._journal.read(after, _STEP) if e.position < before]
            if not stored:
                return
            for event in reversed(stored):
                yield event.position, json.loads(event.text)
            before = stored[0].position


def _happened(event: Facts) -> datetime | None:
    text = event.get("captured_at") or event.get("timestamp")
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError:  # an application's own event may say anything
        return None


def _refuse_unknown(query: QueryParams) -> None:
    """A misspelt choice would be no choice, and give everything. Raises ValueError."""
    if unknown := sorted(set(query) - _KNOWN):
        near = difflib.get_close_matches(unknown[0], sorted(_KNOWN), n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(_KNOWN))}"
        raise ValueError(f"there is no parameter {unknown[0]!r}; {hint}")


def _moment(query: QueryParams, name: str) -> datetime | None:
    text = query.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise ValueError(f"{name}: {text!r} is not an RFC 3339 time") from error
    if moment.tzinfo is None:
        raise ValueError(f"{name}: {text!r} needs a time zone, as Z or +02:00")
    return moment


def _number(query: QueryParams, name: str, default: int, most: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0  # noqa: PLR2004 - of 64 bits
    if not 0 < number <= most:
        raise ValueError(f"{name}: use a whole number from 1 to {most}")
    return number


def _table(chosen: Iterator[tuple[int, Facts]], limit: int, encoding: str) -> Iterator[bytes]:
    yield _csv([_COLUMNS]).encode(encoding)
    for some in _in_pieces(chosen, limit):
        yield _csv([_harmless(value) for value in _row(event)] for event in some).encode()


def _in_pieces(chosen: Iterator[tuple[int, Facts]], limit: int) -> Iterator[list[Facts]]:
    events = (event for _, event in islice(chosen, limit))
    while some := list(islice(events, EXPORTED_AT_ONCE)):
        yield some


def _csv(rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _json(chosen: Iterator[tuple[int, Facts]], limit: int) -> Iterator[bytes]:
    """As a page: `next` is null where nothing follows."""
    yield b'{"events":['
    mark = ""
    for some in _in_pieces(chosen, limit):
        yield (mark + ",".join(json.dumps(one, ensure_ascii=False) for one in some)).encode()
        mark = ","
    following = next((position + 1 for position, _ in chosen), None)
    yield f'],"next":{json.dumps(following)}}}'.encode()


def _row(event: Facts) -> tuple[object, ...]:
    """The columns; what an application's event says besides (a value, an end) is in `data`."""
    results = dict(event.get("results", {}))
    data, camera = results.pop("data", None) or {}, results.pop("camera_label", None)
    return (
        event.get("captured_at") or event.get("timestamp"),
        event.get("camera") or camera,
        results.pop("event_label", None) or event["type"],
        results.pop("object_label", None),
        results.pop("object_id", None),
        results.pop("zone_label", None),
        json.dumps({**results, "data": data} if results and data else results or data),
    )


def _harmless(value: object) -> object:
    """A name that a spreadsheet would take for a formula gets a mark in front."""
    is_formula = isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}
    return f"'{value}" if is_formula else value


def _file(ending: str) -> dict[str, str]:
    return {
        "content-disposition": f'attachment; filename="camfleet-events.{ending}"',
        "cache-control": "no-store",
    }
