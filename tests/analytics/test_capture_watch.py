"""Asking capture how its cameras are."""

import pytest

from camfleet.service import capture_watch
from camfleet.service.capture_watch import CaptureView, CaptureWatch
from free_ports import free_port
from waiting import wait_until


def test_listener_that_fails_does_not_end_the_watching(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(capture_watch, "INTERVAL_S", 0.01)
    seen: list[CaptureView] = []

    def listen(view: CaptureView) -> None:
        seen.append(view)
        if len(seen) == 1:
            raise ValueError("a reason that is no text")

    watch = CaptureWatch(f"http://127.0.0.1:{free_port()}", "", listen)
    watch.start()
    wait_until(lambda: len(seen) > 1, 60, "capture to be asked again")
    watch.stop()
    assert "a reason that is no text" in caplog.text
