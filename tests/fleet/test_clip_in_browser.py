"""An event's clip, cut from capture's recording, as a browser plays it."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from browser import Browser, chromium
from camfleet_contracts.clock import rfc3339
from camfleet_contracts.keys import KeyStore
from fakes_live import ClipPlan, make_clip
from fleet_of_processes import Fleet, empty_fleet, start_analytics, start_capture
from waiting import wait_until

pytestmark = [pytest.mark.fleet, pytest.mark.browser]

FILM = ClipPlan(frames=60, container="mp4")  # the place of its square tells a frame's number
CLIP = "document.querySelector('.clip video')"
# For 12 shown frames: the media time, and how far across the white square is (null: not there).
SHOWN = """
const done = arguments[0];
const video = document.querySelector('.clip video');
const copy = new OffscreenCanvas(320, 180).getContext('2d', { willReadFrequently: true });
const shown = [];
const look = (_, { mediaTime }) => {
  copy.drawImage(video, 0, 0, 320, 180);
  const { data } = copy.getImageData(0, 90, 320, 1);
  const left = [...Array(320).keys()].find((x) => data[x * 4] > 170 && data[x * 4 + 1] > 170);
  shown.push([mediaTime, left ?? null]);
  if (shown.length < 12) video.requestVideoFrameCallback(look); else done(shown);
};
video.requestVideoFrameCallback(look);
video.currentTime = 0;
video.play();
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """Capture that records one film, and analytics."""
    (tmp_path / "film.mp4").write_bytes(make_clip(FILM))
    camera = {"name": "film", "source": "film.mp4", "recording": {"segment_s": 1}}
    (tmp_path / "cameras.yaml").write_text(json.dumps({"version": 1, "cameras": [camera]}))
    with empty_fleet(tmp_path) as fleet:
        fleet.env["CAMFLEET_RECORDINGS"] = str(tmp_path / "recordings")
        start_capture(fleet)
        start_analytics(fleet)
        yield fleet


def recorded_until(fleet: Fleet, seconds: float) -> datetime:
    """Wait until so much is recorded; the end of it."""

    def enough() -> datetime | None:
        told: dict[str, Any] = fleet.status("film").get("recording") or {}
        if not told.get("from"):
            return None
        begins, ends = (datetime.fromisoformat(told[key]) for key in ("from", "to"))
        return ends if (ends - begins).total_seconds() >= seconds else None

    return wait_until(enough, 60, f"{seconds} s of recording")


def publish(fleet: Fleet, happened: datetime) -> None:
    """An event of an application, at a moment of the recording."""
    packet = {
        "timestamp": rfc3339(happened),
        "type": "OccurrenceEvent",
        "camera": "film",
        "results": {"event_label": "delivery", "object_label": "parcel"},
    }
    headers = {"x-api-key": fleet.key, "content-type": "application/x-ndjson"}
    answer = httpx.post(
        f"{fleet.page}/v1/events",
        content=json.dumps(packet),
        headers=headers,
        trust_env=False,
        timeout=60,
    )
    assert answer.status_code == 202, answer.text


def open_event(browser: Browser, fleet: Fleet) -> None:
    """Log in, and open the newest event of the application."""
    token = KeyStore(fleet.folder / "state" / "keys.json").new_login()
    browser.open(f"{fleet.page}/login?token={token}")
    browser.wait_for_text("#who", "(admin)", timeout_s=60)
    browser.ask("void (location.hash = '#/events?event=delivery')")
    browser.wait_for("document.querySelector('.event-row')")
    assert browser.ask("document.querySelectorAll('.event-row').length") == 1
    browser.ask("document.querySelector('.event-row').click()")


def test_the_clip_of_an_event_plays_with_the_frames_of_that_moment(fleet: Fleet) -> None:
    publish(fleet, recorded_until(fleet, 7) - timedelta(seconds=4))
    with chromium() as browser:
        open_event(browser, fleet)
        browser.wait_for(f"{CLIP}?.readyState >= 2", timeout_s=30)
        assert browser.ask(f"[{CLIP}.videoWidth, {CLIP}.videoHeight]") == [320, 180]
        browser.wait_for(f"{CLIP}.currentTime > 1", timeout_s=30)
        assert browser.ask(f"{CLIP}.duration") > 4
        shown = browser.driver.execute_async_script(SHOWN)
        browser.open("about:blank")
    width, side = FILM.size[0], FILM.size[1] // 4
    numbers = [round(left / (width - side) * 60) for _, left in shown if left is not None]
    assert len(numbers) == len(shown)
    begins = {
        (number - round(time_s * FILM.fps)) % 60
        for (time_s, _), number in zip(shown, numbers, strict=True)
    }
    assert len(begins) == 1  # each frame shows what its place in the clip says
    assert len(set(numbers)) > 6


def test_a_moment_that_is_not_recorded_any_more_says_so(fleet: Fleet) -> None:
    publish(fleet, recorded_until(fleet, 2) - timedelta(hours=1))
    with chromium() as browser:
        open_event(browser, fleet)
        browser.wait_for_text(".clip", "No clip: ", timeout_s=30)
        assert browser.ask(f"{CLIP} === null")
        browser.open("about:blank")
