"""One camera: keeps its source open in a thread of its own and knows its state."""

import math
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from camfleet_capture.access_unit import AccessUnit, CodecName, wall_time
from camfleet_capture.arrivals import Arrivals
from camfleet_capture.codecs.syntax import picture_size
from camfleet_capture.errors import (
    SourceEnded,
    SourceFault,
    SourceMissing,
    SourceStalled,
    SourceUnreadable,
)
from camfleet_capture.pictures.judgement import REASONS, PictureName
from camfleet_capture.sources.base import Source
from camfleet_capture.sources.container import STALL_LIMIT_S
from camfleet_capture.sources.table import SourceAddress
from camfleet_capture.stop import StopSignal
from camfleet_capture.stream import Stream
from camfleet_contracts.clock import rfc3339_from_unix
from camfleet_contracts.logs import get_logger
from camfleet_contracts.redaction import redact

StateName = Literal["CONNECTING", "LIVE", "STALLED", "FAILED"]
OpenSource = Callable[[SourceAddress], Source]

_NO_KEY = (
    "pictures come, and no key picture yet to begin with; set the camera to a key frame every 1 to "
    "2 s, without smart or dynamic intervals"
)
_SHORTEST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 2.0
_LONGEST_PAUSE_UNREACHABLE_S = 30.0

logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Condition:
    """How the source is doing, and in words why."""

    state: StateName
    reason: str | None = None


class Camera:
    """Follows one source through everything that befalls it.

    The thread is the only writer of its fields; anybody may read them.
    """

    def __init__(self, address: SourceAddress, stream: Stream, open_source: OpenSource) -> None:
        self.address, self.stream = address, stream
        self._open_source = open_source
        self._stop = StopSignal()
        self._thread = threading.Thread(target=self._run, name=f"camera-{stream.name}", daemon=True)
        self._condition = Condition("CONNECTING")
        self.picture: PictureName | None = None  # what the picture watch says of the pictures
        self._source: Source | None = None
        self._size: tuple[int, int] | None = None
        self._codec: CodecName | None = None
        self._arrivals = Arrivals()
        self.frames = self.octets = self.connects = 0

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._thread.start()

    def stop(self, timeout_s: float = 0.0) -> None:
        """Tell the thread to end; wait at most `timeout_s` for it."""
        self._stop.set()
        self._thread.join(timeout_s)

    @property
    def condition(self) -> Condition:
        """State and reason now; STALLED also when the source hangs without a word."""
        current = self._condition
        if current.state == "LIVE" and STALL_LIMIT_S < (age_s := self.age_s) < math.inf:
            if waits_for := self.stream.waits_for:
                return Condition("LIVE", f"waits for {waits_for} (real_time: false)")
            return Condition("STALLED", f"no picture for {age_s:.0f} s")
        if current.state == "LIVE" and (fault := REASONS.get(self.picture or "clear")):
            return Condition("LIVE", f"{fault}; {current.reason}" if current.reason else fault)
        return current

    @property
    def is_live(self) -> bool:
        """Whether pictures come."""
        return self.condition.state == "LIVE"

    @property
    def age_s(self) -> float:
        """Seconds since the newest picture; infinite before the first."""
        return self._arrivals.age_s

    @property
    def bits_per_s(self) -> float | None:
        """Bits per second lately; None before that can be measured."""
        return self._arrivals.bits_per_s

    @property
    def reconnects(self) -> int:
        """How often the source was opened again."""
        return max(0, self.connects - 1)

    def truth(self) -> dict[str, Any] | None:
        """Return what the pictures truly show, for sources that know."""
        source = self._source
        return source.truth() if source else None

    def describe(self) -> dict[str, Any]:
        """Return the state as HTTP shows it."""
        source, condition = self._source, self.condition
        details, loop = (source.details, source.loop) if source else (None, None)
        width, height = self._size or ((details.width, details.height) if details else (None, None))
        return {
            "name": self.stream.name,
            "state": condition.state,
            "reason": condition.reason,
            "source": str(self.address),
            "source_kind": self.address.kind,
            "codec": _codec(details.codec, self._codec) if details else None,
            "width": width,
            "height": height,
            "fps": self.fps,
            "bits_per_s": self.bits_per_s,
            "picture": self.picture,
            "loop_started_at": rfc3339_from_unix(wall_time(loop.started_at)) if loop else None,
            "loops": loop.count if loop else 0,
            "readers": self.stream.readers,
            "reconnects": self.reconnects,
            "frames": self.frames,
        }

    @property
    def fps(self) -> float | None:
        """Pictures per second lately; the nominal rate before that can be measured."""
        source = self._source
        return self._arrivals.fps or (source.details.fps if source else None)

    def _run(self) -> None:
        pause_s = _SHORTEST_PAUSE_S
        fault: SourceFault | None = None
        while not self._stop.is_set():
            frames = self.frames
            fault = fault if fault and fault.still_holds() else self._follow()
            if self._stop.is_set():
                return
            if self.frames > frames:
                pause_s = _SHORTEST_PAUSE_S
            self._report(fault)
            self.stream.forget()  # after the report: who finds no picture finds the reason
            if isinstance(fault, SourceEnded):
                self.stream.finish()
                return
            self._stop.wait(pause_s)
            answers = fault.host_answers
            longest = _LONGEST_PAUSE_S if answers else _LONGEST_PAUSE_UNREACHABLE_S
            pause_s = min(pause_s * 2, longest)

    def _follow(self) -> SourceFault:
        """Open the source and pass its pictures on until it fails."""
        try:
            source = self._open_source(self.address)
        except SourceFault as fault:
            return fault
        except Exception as error:  # noqa: BLE001 - the thread's border: it must go on
            return self._unexpected(error)
        try:
            self._source = source
            self.connects += 1
            for unit in source.units(self._stop):
                if self._stop.is_set():
                    break
                self._take(unit, source.note)
        except SourceFault as fault:
            return fault
        except Exception as error:  # noqa: BLE001 - the same
            return self._unexpected(error)
        finally:
            self._source = None
            self.picture = None
            self._arrivals.clear()
            source.close()
        return SourceFault("stopped")

    def _take(self, unit: AccessUnit, note: str | None) -> None:
        if self._condition.state != "LIVE" and not unit.is_key:
            self._condition = Condition("CONNECTING", _NO_KEY)
        if self._condition.state != "LIVE" and unit.is_key:
            self._condition = Condition("LIVE", note)
            noted = {"note": note} if note else {}
            logger.info("camera live", camera=self.stream.name, source=str(self.address), **noted)
        elif self._condition.state == "LIVE" and note != self._condition.reason:
            self._condition = Condition("LIVE", note)
        if unit.is_key:
            self._size, self._codec = picture_size(unit) or self._size, unit.codec
        self.frames += 1
        self.octets += unit.size_bytes
        self._arrivals.note(unit.size_bytes)
        if self.address.capturing.real_time:
            self.stream.push(unit)
        else:
            self.stream.push_in_turn(unit, self._stop)

    def _report(self, fault: SourceFault) -> None:
        condition = Condition(_state_of(fault), str(fault))
        if condition != self._condition:
            logger.warning(
                "camera not live",
                camera=self.stream.name,
                state=condition.state,
                reason=condition.reason,
            )
        self._condition = condition

    def _unexpected(self, error: Exception) -> SourceFault:
        text = redact(f"{type(error).__name__}: {error}")
        if text != self._condition.reason:
            trace = redact(traceback.format_exc())
            logger.error("camera source failed", camera=self.stream.name, traceback=trace)
        return SourceFault(text)


def _state_of(fault: SourceFault) -> StateName:
    if isinstance(fault, (SourceMissing, SourceUnreadable, SourceEnded)):
        return "FAILED"
    return "STALLED" if isinstance(fault, SourceStalled) else "CONNECTING"


def _codec(opened: str, sent: CodecName | None) -> str:
    """Say "mjpeg to h264" also where the pictures showed only later that they must be encoded."""
    return (
        opened
        if sent is None or opened.partition(" (")[0].endswith(sent)
        else f"{opened} to {sent}"
    )
