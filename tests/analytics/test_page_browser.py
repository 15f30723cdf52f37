"""The page in a real browser, on a scripted fleet with real live video."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from browser import Browser, chromium
from camfleet.service.reading import Readers
from camfleet.service.sources import source_of
from camfleet_contracts.cameras_file import read_cameras
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.settings import read_settings
from fakes_capture import camera_lines, capture_running, write_clip
from fakes_live import ClipPlan
from fakes_page import FilmedCamera, ScriptedFleet, camera_status, running, served
from waiting import wait_until

pytestmark = pytest.mark.browser

VIDEO = "document.querySelector('video')"
CANVAS = "document.querySelector('canvas')"
# How many opaque pixels of the box's colour the canvas has, and where they begin and end in x.
DRAWN = """(() => {
  const canvas = document.querySelector('canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let [count, left, right] = [0, canvas.width, 0];
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3] < 200 || data[at] !== 56) continue;
    if (data[at + 1] !== 189 || data[at + 2] !== 248) continue;
    const x = (at / 4) % canvas.width;
    [count, left, right] = [count + 1, Math.min(left, x), Math.max(right, x)];
  }
  return { count, left: left / canvas.width, right: right / canvas.width };
})()"""
# For 20 shown frames: how far the middle of the tint is from that of the square in the same frame.
TINTED = """
const done = arguments[0];
const video = document.querySelector('video');
const canvas = document.querySelector('canvas');
const copy = new OffscreenCanvas(320, 180);
const offsets = [];
const middle = (data, width, row, is) => {
  const at = [...Array(width).keys()].filter((x) => is(data, (row * width + x) * 4));
  return at.length ? (at[0] + at.at(-1)) / 2 / width : null;
};
const look = () => {
  const pen = copy.getContext('2d', { willReadFrequently: true });
  pen.drawImage(video, 0, 0, 320, 180);
  const shown = pen.getImageData(0, 0, 320, 180).data;
  const seen = middle(shown, 320, 80, (d, i) => d[i] > 170 && d[i + 1] > 170);
  const row = Math.round(canvas.height * 80 / 180);
  const drawn = middle(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data,
    canvas.width, row, (d, i) => d[i + 3] > 60 && d[i + 3] < 140 && d[i + 2] > 180 && d[i] < 120);
  if (seen !== null && drawn !== null) offsets.push(Math.abs(seen - drawn));
  if (offsets.length < 20) video.requestVideoFrameCallback(look); else done(offsets);
};
video.requestVideoFrameCallback(look);
"""
# For 20 shown frames: how far the drawn box is from the white square in the very same frame.
OFFSETS = """
const done = arguments[0];
const video = document.querySelector('video');
const canvas = document.querySelector('canvas');
const copy = new OffscreenCanvas(320, 180);
const offsets = [];
const edge = (data, width, row, is) => {
  for (let x = 0; x < width; x += 1) if (is(data, (row * width + x) * 4)) return x / width;
  return null;
};
const look = () => {
  const pen = copy.getContext('2d', { willReadFrequently: true });
  pen.drawImage(video, 0, 0, 320, 180);
  const shown = pen.getImageData(0, 0, 320, 180).data;
  const seen = edge(shown, 320, 80, (d, i) => d[i] > 170 && d[i + 1] > 170);
  const row = Math.round(canvas.height * 80 / 180);
  const drawn = edge(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data,
    canvas.width, row, (d, i) => d[i + 3] > 150 && d[i + 2] > 180 && d[i] < 120);
  if (seen !== null && drawn !== null) offsets.push(Math.abs(seen - drawn));
  if (offsets.length < 20) video.requestVideoFrameCallback(look); else done(offsets);
};
video.requestVideoFrameCallback(look);
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as tab:
        yield tab


@pytest.fixture
def fleet() -> ScriptedFleet:
    return ScriptedFleet(
        cameras=[camera_status("street")],
        services=[{"name": "model-server", "state": "ok", "reason": None}],
    )


@pytest.fixture
def address(fleet: ScriptedFleet, browser: Browser) -> Iterator[str]:
    """The page with one playing camera; the browser leaves it before it ends."""
    browser.resize(1400, 900)
    with served(fleet.app()) as url, running([FilmedCamera(fleet, "street")], fleet.hub.close):
        yield url
        browser.open("about:blank")


def test_video_plays_live(browser: Browser, address: str) -> None:
    browser.open(address)
    browser.wait_for(f"{VIDEO}?.currentTime > 1")
    assert browser.ask(f"[{VIDEO}.videoWidth, {VIDEO}.videoHeight]") == [320, 180]
    behind = browser.ask(f"{VIDEO}.buffered.end(0) - {VIDEO}.currentTime")
    assert 0 < behind < 1.5


def test_first_picture_comes_soon(browser: Browser, address: str) -> None:
    browser.open(address)
    browser.wait_for("document.querySelector('.picture-words')?.checkVisibility() === false")
    shown_ms = browser.ask("performance.now()")
    assert shown_ms < 4000


def test_nothing_is_complained_about(browser: Browser, address: str) -> None:
    browser.open(address)
    browser.complaints()
    browser.wait_for(f"{VIDEO}?.currentTime > 1")
    assert browser.complaints() == []


def test_boxes_are_drawn_on_what_they_mark(browser: Browser, address: str) -> None:
    browser.open(address)
    browser.wait_for(f"{VIDEO}?.currentTime > 1")
    drawn = browser.wait_for(f"(() => {{ const d = {DRAWN}; return d.count > 100 ? d : null }})()")
    assert 0.08 < drawn["right"] - drawn["left"] < 0.25
    offsets = sorted(browser.driver.execute_async_script(OFFSETS))
    one_frame = 1 / 60 * (1 - 45 / 320)
    assert offsets[len(offsets) // 2] <= one_frame


def test_boxes_vanish_when_results_stay_away(
    browser: Browser, fleet: ScriptedFleet, address: str
) -> None:
    browser.open(address)
    browser.wait_for(f"{DRAWN}.count > 100")
    fleet.send = lambda envelope: None  # type: ignore[method-assign]
    browser.wait_for(f"{DRAWN}.count === 0", timeout_s=5)


def test_state_rate_delay_and_model_are_in_words(browser: Browser, address: str) -> None:
    browser.open(address)
    browser.wait_for_text(".state", "LIVE")
    assert browser.text(".figures") == "Inference5.0 fpsLatency41 msModeldemo-street v1"
    assert browser.text(".counts tbody") == "gate12912 in, 9 out"


@pytest.mark.parametrize(
    ("state", "level", "headline"),
    [
        ("CONNECTING", "warning", "Connecting…"),
        ("STALLED", "warning", "No picture at the moment"),
        ("FAILED", "failed", "This camera does not work"),
    ],
)
def test_a_camera_that_is_not_live_says_why(
    browser: Browser, fleet: ScriptedFleet, address: str, state: str, level: str, headline: str
) -> None:
    fleet.cameras[0] |= {"state": state, "reason": "/dev/video0 is not there"}
    browser.open(address)
    browser.wait_for_text(".state", state)
    assert browser.ask("document.querySelector('.state').dataset.level") == level
    assert browser.text(".picture-words") == f"{headline}/dev/video0 is not there"
    assert browser.is_shown(".picture-words")


def test_a_crossing_is_listed_and_counted_at_once(
    browser: Browser, fleet: ScriptedFleet, address: str
) -> None:
    browser.open(address)
    browser.wait_for_text("#link-state", "connected")
    browser.wait_for_text(".counts tbody", "gate129")
    fleet.cameras[0]["lines"][0] |= {"in": 13, "total": {"in": 113, "out": 9}}
    fleet.send_crossing("street", "person", 31, (113, 9))
    browser.wait_for_text("#event-list li", "person 31 went in at gate")
    assert browser.text(".counts tbody td") == "13"


def test_who_enters_a_zone_is_listed(browser: Browser, fleet: ScriptedFleet, address: str) -> None:
    corners = [[0.2, 0.2], [0.8, 0.2], [0.8, 0.8]]
    fleet.cameras[0]["zones"] = [{"name": "yard", "polygon": corners, "occupancy": {}}]
    browser.open(address)
    browser.wait_for_text("#link-state", "connected")
    happened = {"event_label": "zone_entered", "object_label": "car", "object_id": 4}
    data = {"zone": "yard", "track_id": 4, "dwell_s": 0, "occupancy": 3}
    fleet.send_event("street", happened | {"zone_label": "yard", "data": data})
    browser.wait_for_text("#event-list li", "car 4 entered yard")
    assert "3 inside" in browser.text("#event-list li")


def test_where_objects_have_been_is_laid_over_the_picture(browser: Browser, address: str) -> None:
    browser.open(address)
    browser.wait_for_text(".state", "LIVE")
    assert not browser.is_shown(".heat")
    browser.ask("document.querySelector('[aria-pressed]').click()")
    browser.wait_for("document.querySelector('.heat').naturalWidth > 0")
    assert browser.is_shown(".heat")


def test_a_missing_model_names_the_way_out(
    browser: Browser, fleet: ScriptedFleet, address: str
) -> None:
    reason = "fastestdet-coco is not served; fetch it with: camfleet model pull fastestdet-coco"
    model = {"name": "fastestdet-coco", "version": None, "state": "failed", "reason": reason}
    fleet.cameras[0]["model"] = model
    browser.open(address)
    browser.wait_for_text(".model-fault", "camfleet model pull fastestdet-coco")


def test_a_live_camera_that_cannot_be_analysed_says_why(
    browser: Browser, fleet: ScriptedFleet, address: str
) -> None:
    fleet.cameras[0]["reason"] = "tracker sort: unexpected keyword argument 'colour'"
    browser.open(address)
    browser.wait_for_text(".model-fault", "unexpected keyword argument")


def test_no_camera_names_the_file_to_edit(
    browser: Browser, fleet: ScriptedFleet, address: str
) -> None:
    fleet.cameras.clear()
    browser.open(address)
    browser.wait_for_text(".empty", "var/models/cameras.yaml")
    fleet.cameras.append(camera_status("street"))
    browser.wait_for_text(".tile-name", "street")
    assert browser.text(".empty") == ""


@contextmanager
def clock_moved(browser: Browser, milliseconds: int) -> Iterator[None]:
    """This device's clock is so far off on all pages that are opened inside the block."""
    script = f"const real = Date.now; Date.now = () => real() + {milliseconds};"
    add, remove = (
        "Page.addScriptToEvaluateOnNewDocument",
        "Page.removeScriptToEvaluateOnNewDocument",
    )
    added = browser.driver.execute_cdp_cmd(add, {"source": script})
    try:
        yield
    finally:
        browser.driver.execute_cdp_cmd(remove, added)


@pytest.mark.parametrize(
    ("moved_ms", "words"),
    [
        (3 * 60_000, "The fleet's clock is 3 min behind this device's."),
        (-5 * 3_600_000, "The fleet's clock is 5 h ahead of this device's."),
    ],
    ids=["fast device", "slow device"],
)
def test_a_device_whose_clock_is_wrong_is_told(
    browser: Browser, address: str, moved_ms: int, words: str
) -> None:
    with clock_moved(browser, moved_ms):
        browser.open(address)
        browser.wait_for_text("#clock-note", words)
        assert browser.is_shown("#clock-note")
        assert "Times are the fleet's" in browser.text("#clock-note")
        browser.wait_for(f"{VIDEO}?.currentTime > 1")
        browser.wait_for(f"{DRAWN}.count > 100")  # boxes go by the stream's clock


def test_a_box_whose_clock_is_wrong_is_told_until_it_is_right(
    browser: Browser, fleet: ScriptedFleet, address: str
) -> None:
    browser.open(address)
    browser.wait_for_text(".state", "LIVE")
    assert not browser.is_shown("#clock-note")
    fleet.clock_behind = timedelta(minutes=10)
    browser.wait_for_text("#clock-note", "The fleet's clock is 10 min behind this device's.")
    fleet.clock_behind = timedelta(seconds=30)  # near enough
    browser.wait_for("document.querySelector('#clock-note').hidden")


def test_an_ended_session_asks_to_log_in(
    browser: Browser, fleet: ScriptedFleet, address: str
) -> None:
    browser.open(address)
    browser.wait_for_text(".state", "LIVE")
    fleet.locked = True
    browser.wait_for_text("#notice", "Log in again")


def test_a_stream_without_a_session_is_not_a_lost_connection(
    browser: Browser, fleet: ScriptedFleet, address: str
) -> None:
    fleet.stream_locked = True
    browser.open(address)
    browser.wait_for_text("#link-state", "not logged in")


def test_what_browsers_cannot_play_comes_as_motion_jpeg(
    browser: Browser, fleet: ScriptedFleet, address: str
) -> None:
    plan = ClipPlan(frames=60, codec="mjpeg", pixel_format="yuvj420p", container="matroska")
    fleet.cameras[:] = [camera_status("yard")]
    with running([FilmedCamera(fleet, "yard", plan)], lambda: None):
        browser.open(address)
        browser.wait_for("document.querySelector('.picture img')?.naturalWidth === 320")
        assert "Motion JPEG: the camera sends MJPEG" in browser.text(".picture-note")
        assert not browser.is_shown("video")


def test_h265_is_shown_as_video_made_for_browsers(
    browser: Browser, fleet: ScriptedFleet, address: str, tmp_path: Path
) -> None:
    clip, file = write_clip(tmp_path / "a.mp4", codec="libx265"), tmp_path / "cameras.yaml"
    file.write_text(camera_lines(yard=str(clip)))
    fleet.cameras[:] = [camera_status("yard")]
    [wanted] = read_cameras(file).cameras
    with capture_running(file) as capture:
        settings = read_settings(state_dir=tmp_path, capture=capture.url(""))
        keys = KeyStore(tmp_path / "keys.json")
        source = source_of(wanted, fleet.hub.camera("yard"), settings, keys, Readers())
        source.start()
        try:
            browser.open(address)
            browser.wait_for(f"{VIDEO}?.currentTime > 1", 60)
            assert "H.264 made for browsers: the camera sends HEVC" in browser.text(".picture-note")
            assert browser.is_shown("video")
            browser.screenshot(tmp_path / "h265.png")
        finally:
            source.stop()


def test_the_page_survives_the_service(browser: Browser, fleet: ScriptedFleet) -> None:
    browser.resize(1400, 900)
    with served(fleet.app()) as url:
        port = int(url.rpartition(":")[2])
        browser.open(url)
        browser.wait_for_text("#link-state", "connected")
        fleet.send_crossing("street", "person", 1, (1, 0))
        browser.wait_for_text("#event-list li", "person 1")
    browser.wait_for_text("#link-state", "reconnecting…")
    browser.wait_for_text("#notice", "does not answer")
    with served(fleet.app(), port), running([FilmedCamera(fleet, "street")], fleet.hub.close):
        browser.wait_for_text("#link-state", "connected")
        browser.wait_for(f"{VIDEO}?.currentTime > 1")
        wait_until(
            lambda: fleet.asked_since == [None, "1"], 60, "the stream to go on after event 1"
        )
        assert not browser.is_shown("#notice")
        browser.open("about:blank")


def test_video_goes_on_after_the_camera_came_back(
    browser: Browser, fleet: ScriptedFleet, address: str
) -> None:
    browser.open(address)
    browser.wait_for(f"{VIDEO}?.currentTime > 1")
    fleet.hub.remove_camera("street")
    with running([FilmedCamera(fleet, "street")], lambda: None):
        before = browser.ask(f"{VIDEO}.currentTime")
        browser.wait_for(f"{VIDEO}.currentTime > {before + 1.5}")
        browser.wait_for(f"{DRAWN}.count > 100")


@pytest.mark.parametrize("size", [(390, 844), (1400, 900)], ids=["phone", "desktop"])
def test_nothing_is_wider_than_the_screen(
    browser: Browser, fleet: ScriptedFleet, address: str, size: tuple[int, int]
) -> None:
    fleet.cameras += [camera_status(f"camera-{number}") for number in range(3)]
    browser.resize(*size)
    browser.open(address)
    browser.wait_for("document.querySelectorAll('.tile').length === 4")
    assert browser.ask("document.documentElement.scrollWidth") <= size[0]


def test_dark_is_dark(browser: Browser, address: str) -> None:
    def ground(scheme: str) -> Any:
        browser.prefer(color_scheme=scheme)
        return browser.ask("getComputedStyle(document.documentElement).backgroundColor")

    browser.open(address)
    assert (ground("light"), ground("dark")) == ("rgb(244, 246, 248)", "rgb(13, 18, 22)")


def test_everything_with_a_role_has_a_name(browser: Browser, address: str) -> None:
    browser.open(address)
    browser.wait_for_text(".state", "LIVE")
    answer = browser.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})
    named = {"button", "link", "textbox", "image", "main", "article", "table", "list", "Video"}
    nameless = [
        node["role"]["value"]
        for node in answer["nodes"]
        if not node.get("ignored")
        and node["role"]["value"] in named
        and not node.get("name", {}).get("value")
    ]
    assert nameless == []


def test_login_asks_for_a_key_and_names_the_command(browser: Browser, address: str) -> None:
    browser.open(f"{address}/login?failed=1")
    browser.wait_for_text("#login-fault", "not known")
    assert "camfleet url" in browser.text(".login-card")
    assert json.loads(browser.ask("JSON.stringify(document.activeElement.name)")) == "key"


def test_what_second_models_say_is_drawn_with_the_object(
    browser: Browser, fleet: ScriptedFleet, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = fleet.send
    points = [[x, 90, 0.9] for x in range(20, 300, 8)]

    def send_with_attributes(message: dict[str, Any]) -> None:
        for item in message["results"].get("objects", ()):
            item["attributes"] = {"body": {"key_points": points, "views": 1, "model_id": "pose"}}
        send(message)

    monkeypatch.setattr(fleet, "send", send_with_attributes)
    browser.open(address)
    browser.wait_for(f"{VIDEO}?.currentTime > 1")
    browser.wait_for(f"{DRAWN}.right - {DRAWN}.left > 0.7")


def test_masks_are_tinted_in_step_with_what_they_cover(
    browser: Browser, fleet: ScriptedFleet, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = fleet.send

    def send_with_mask(message: dict[str, Any]) -> None:
        for item in message["results"].get("objects", ()):
            prediction = item["ObjectDetectionPrediction"]
            left, top, right, bottom = (
                prediction["box"][key] for key in ("start_x", "start_y", "end_x", "end_y")
            )
            prediction["outlines"] = [[left, top, right, top, right, bottom, left, bottom]]
        send(message)

    monkeypatch.setattr(fleet, "send", send_with_mask)
    browser.open(address)
    browser.wait_for(f"{VIDEO}?.currentTime > 1")
    browser.wait_for(f"{DRAWN}.count > 100")
    offsets = sorted(browser.driver.execute_async_script(TINTED))
    assert offsets[len(offsets) // 2] <= 1 / 60 * (1 - 45 / 320)  # one frame
