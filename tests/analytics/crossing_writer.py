"""A process that counts crossings into an outbox with sinks until it is killed."""

import sys
import threading
from pathlib import Path

from camfleet.lines import LineCount
from camfleet.service.events.hub import StreamHub
from camfleet.service.events.opening import open_outbox
from camfleet.service.sinks.fleet import SinkFleet
from camfleet_contracts.cameras_file import parse_cameras
from camfleet_contracts.clock import now_utc
from camfleet_contracts.events import Envelope, OccurrenceEvent, Origin, Times, envelope
from camfleet_contracts.settings import read_settings

SINKS = "sinks: {file: {path: log.jsonl, fsync: never}}"


def crossing(count_in: int) -> Envelope:
    totals = {"count_in": count_in, "count_out": 0, "count_error": 0.2}
    facts = {"line": "gate", "direction": "in", **totals}
    body = OccurrenceEvent(event_label="line_crossed", data=facts)
    return envelope(body, Origin("box", "door"), Times(now_utc(), now_utc()))


def main(folder: Path, cameras: str = SINKS) -> None:
    hub = StreamHub()
    journal = open_outbox(folder / "outbox.db", hub.wake_all)
    hub.keep_events_in(journal)
    sinks = SinkFleet(read_settings(state_dir=folder), "box", hub, journal)
    sinks.follow(parse_cameras(cameras, path=Path("cameras.yaml")))
    counted = journal.totals("door").get("gate", LineCount()).entered
    pause = threading.Event()
    while not pause.wait(0.001):
        counted += 1
        hub.publish_event(crossing(counted))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
