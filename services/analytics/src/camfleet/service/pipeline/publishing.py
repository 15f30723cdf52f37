"""What is made of one frame's findings: events, results, pictures and figures."""

import time
from dataclasses import replace

from camfleet.heat import HeatMap
from camfleet.inference.detector import Detected
from camfleet.lines import LineCount
from camfleet.service import messages
from camfleet.service.analysis import Findings
from camfleet.service.ledger import Ledger
from camfleet.service.live_ports import LiveCamera
from camfleet.service.pacing import Pacer
from camfleet.service.pipeline.ports import Outlet, Source
from camfleet.service.statistics import Statistics
from camfleet.video.frames import Frame
from camfleet.zones import ZoneEvent
from camfleet_contracts.cameras import Pipeline as Wanted
from camfleet_contracts.clock import now_utc
from camfleet_contracts.events import Times


class Publishing:
    """Gives out what one camera's analysis found. Written by the pipeline's thread only."""

    def __init__(
        self,
        outlet: Outlet,
        live: LiveCamera,
        source: Source,
        statistics: Statistics,
        ledger: Ledger,
    ) -> None:
        self.heat = HeatMap()
        self._outlet, self._live, self._source = outlet, live, source
        self._statistics, self._ledger = statistics, ledger

    def use(self, wanted: Wanted) -> None:
        """Take over new settings."""
        self._results_pacer, self._frame_s = Pacer(wanted.results_rate), 1 / wanted.fps

    def publish(
        self, frame: Frame, detected: Detected, findings: Findings, totals: dict[str, LineCount]
    ) -> None:
        """Give out one frame; `totals` are those before it, by line."""
        self._tell_of_crossings(frame, findings, totals)
        for event in findings.zone_events:
            self.tell_of_zone(Times(frame.captured_at, frame.received_at), event, findings)
        self.heat.add(findings.objects, frame.size, self._frame_s)
        self._show(frame, detected, findings)

    def tell_of_zone(self, times: Times, event: ZoneEvent, findings: Findings) -> None:
        """Give out and count one event of a zone."""
        message = messages.zone_event(self._outlet.origin, times, event)
        self._outlet.event(messages.with_attributes(message, findings, event.track_id))

    def show_without_result(self, frame: Frame) -> None:
        """Let viewers see a frame that the model had no answer for."""
        if self._live.wants_pictures:
            self._live.push_picture(frame, None)

    def note(self, frame: Frame, detected: Detected, track_s: float) -> None:
        """Count one frame that went the whole way."""
        is_film = self._source.slot.keeps_all  # its clock says nothing about ours
        since = frame.received_at if is_film else frame.captured_at
        latency_s = max(0.0, (now_utc() - since).total_seconds())
        self._statistics.note_frame(time.monotonic(), latency_s, detected.duration_s, track_s)
        self._ledger.note(detected, track_s)

    def _tell_of_crossings(
        self, frame: Frame, findings: Findings, totals: dict[str, LineCount]
    ) -> None:
        origin = self._outlet.origin
        for crossing in findings.crossings:
            count = totals[crossing.line]
            count.add(crossing)  # several may cross in one frame, each with the totals after it
            message = messages.line_crossed(origin, frame, crossing, count)
            self._outlet.event(messages.with_attributes(message, findings, crossing.track_id))

    def _show(self, frame: Frame, detected: Detected, findings: Findings) -> None:
        """Put the message together only where somebody gets it."""
        is_due, publisher = self._results_pacer.is_due(frame), self._outlet.publisher
        is_wanted = is_due and publisher.wants_results(self._outlet.origin.camera)
        self._statistics.published += is_wanted
        if not (is_wanted or self._live.wants_pictures):
            return
        shown = replace(frame, pts_s=frame.pts_s + self._source.live_shift_s)
        message = messages.results_of(self._outlet.origin, shown, detected, findings)
        if is_wanted:
            publisher.publish_result(message)
        if self._live.wants_pictures:
            self._live.push_picture(frame, message.model_dump(mode="json", by_alias=True))
