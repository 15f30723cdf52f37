"""What a recording of the camera `door` has, as its readers see it."""

import io
from datetime import datetime
from itertools import pairwise
from typing import Any

import av

from fakes_capture import (
    RunningCapture,
    number_of,
)
from waiting import wait_until

WAIT_S = 60
RECORDING = "    recording: {segment_s: 1}\n"


def recorded_numbers(content: bytes) -> list[int]:
    with av.open(io.BytesIO(content), "r") as container:
        return [number_of(frame) for frame in container.decode(video=0)]


def told(capture: RunningCapture) -> dict[str, Any]:
    state: dict[str, Any] = capture.state("door").get("recording") or {}
    return state


def wait_for_seconds(capture: RunningCapture, seconds: float) -> tuple[float, float]:
    """Wait until so much is recorded; the Unix times of its ends."""

    def ends() -> tuple[float, float] | None:
        recorder = told(capture)
        if not recorder.get("from"):
            return None
        start, end = (unix(recorder[name]) for name in ("from", "to"))
        return (start, end) if end - start >= seconds else None

    return wait_until(ends, WAIT_S, f"{seconds} s recorded")


def unix(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def is_counting(numbers: list[int], length: int) -> bool:
    return all((a + 1) % length == b for a, b in pairwise(numbers))
