"""Live pictures on the page in Chromium, and what is drawn on them."""

from pathlib import Path
from typing import Any

import pytest

from browser import Browser
from camfleet.service.reading import Readers
from camfleet.service.sources import source_of
from camfleet_contracts.cameras_file import read_cameras
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.settings import read_settings
from fakes_capture import camera_lines, capture_running, write_clip
from fakes_live import ClipPlan
from fakes_page import FilmedCamera, ScriptedFleet, camera_status, running
from page_drawings import DRAWN, OFFSETS, TINTED, VIDEO

pytestmark = pytest.mark.browser


def test_video_plays_live(browser: Browser, page_address: str) -> None:
    browser.open(page_address)
    browser.wait_for(f"{VIDEO}?.currentTime > 1")
    assert browser.ask(f"[{VIDEO}.videoWidth, {VIDEO}.videoHeight]") == [320, 180]
    behind = browser.ask(f"{VIDEO}.buffered.end(0) - {VIDEO}.currentTime")
    assert 0 < behind < 1.5


def test_words_give_way_to_the_first_picture(browser: Browser, page_address: str) -> None:
    browser.open(page_address)
    browser.wait_for("document.querySelector('.picture-words')?.checkVisibility() === false")
    assert browser.ask(f"{VIDEO}.videoWidth") > 0


def test_nothing_is_complained_about(browser: Browser, page_address: str) -> None:
    browser.open(page_address)
    browser.complaints()
    browser.wait_for(f"{VIDEO}?.currentTime > 1")
    assert browser.complaints() == []


def test_boxes_are_drawn_on_what_they_mark(browser: Browser, page_address: str) -> None:
    browser.open(page_address)
    browser.wait_for(f"{VIDEO}?.currentTime > 1")
    drawn = browser.wait_for(f"(() => {{ const d = {DRAWN}; return d.count > 100 ? d : null }})()")
    assert 0.08 < drawn["right"] - drawn["left"] < 0.25
    offsets = sorted(browser.driver.execute_async_script(OFFSETS))
    one_frame = 1 / 60 * (1 - 45 / 320)
    assert offsets[len(offsets) // 2] <= one_frame


def test_boxes_vanish_when_results_stay_away(
    browser: Browser, page_fleet: ScriptedFleet, page_address: str
) -> None:
    browser.open(page_address)
    browser.wait_for(f"{DRAWN}.count > 100")
    page_fleet.send = lambda envelope: None  # type: ignore[method-assign]
    browser.wait_for(f"{DRAWN}.count === 0", timeout_s=5)


def test_masks_are_tinted_in_step_with_what_they_cover(
    browser: Browser, page_fleet: ScriptedFleet, page_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = page_fleet.send

    def send_with_mask(message: dict[str, Any]) -> None:
        for item in message["results"].get("objects", ()):
            prediction = item["ObjectDetectionPrediction"]
            left, top, right, bottom = (
                prediction["box"][key] for key in ("start_x", "start_y", "end_x", "end_y")
            )
            prediction["outlines"] = [[left, top, right, top, right, bottom, left, bottom]]
        send(message)

    monkeypatch.setattr(page_fleet, "send", send_with_mask)
    browser.open(page_address)
    browser.wait_for(f"{VIDEO}?.currentTime > 1")
    browser.wait_for(f"{DRAWN}.count > 100")
    offsets = sorted(browser.driver.execute_async_script(TINTED))
    assert offsets[len(offsets) // 2] <= 1 / 60 * (1 - 45 / 320)  # one frame


def test_what_second_models_say_is_drawn_with_the_object(
    browser: Browser, page_fleet: ScriptedFleet, page_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = page_fleet.send
    points = [[x, 90, 0.9] for x in range(20, 300, 8)]

    def send_with_attributes(message: dict[str, Any]) -> None:
        for item in message["results"].get("objects", ()):
            item["attributes"] = {"body": {"key_points": points, "views": 1, "model_id": "pose"}}
        send(message)

    monkeypatch.setattr(page_fleet, "send", send_with_attributes)
    browser.open(page_address)
    browser.wait_for(f"{VIDEO}?.currentTime > 1")
    browser.wait_for(f"{DRAWN}.right - {DRAWN}.left > 0.7")


def test_where_objects_have_been_is_laid_over_the_picture(
    browser: Browser, page_address: str
) -> None:
    browser.open(page_address)
    browser.wait_for_text(".state", "LIVE")
    assert not browser.is_shown(".heat")
    browser.ask("document.querySelector('[aria-pressed]').click()")
    browser.wait_for("document.querySelector('.heat').naturalWidth > 0")
    assert browser.is_shown(".heat")


def test_what_browsers_cannot_play_comes_as_motion_jpeg(
    browser: Browser, page_fleet: ScriptedFleet, page_address: str
) -> None:
    plan = ClipPlan(frames=60, codec="mjpeg", pixel_format="yuvj420p", container="matroska")
    page_fleet.cameras[:] = [camera_status("yard")]
    with running([FilmedCamera(page_fleet, "yard", plan)], lambda: None):
        browser.open(page_address)
        browser.wait_for("document.querySelector('.picture img')?.naturalWidth === 320")
        assert "Motion JPEG: the camera sends MJPEG" in browser.text(".picture-note")
        assert not browser.is_shown("video")


def test_many_cameras_as_motion_jpeg_leave_the_page_its_connections(
    browser: Browser, page_fleet: ScriptedFleet, page_address: str
) -> None:
    plan = ClipPlan(codec="mjpeg", pixel_format="yuvj420p", container="matroska", fps=5)
    names = [f"yard-{number}" for number in range(7)]  # browsers open six for HTTP
    page_fleet.cameras[:] = [camera_status(name) for name in names]
    browser.resize(1400, 2400)
    with running([FilmedCamera(page_fleet, name, plan) for name in names], lambda: None):
        browser.open(page_address)
        shown = "[...document.querySelectorAll('.picture img')].filter((i) => i.naturalWidth)"
        browser.wait_for(f"{shown}.length === 7")
        page_fleet.cameras[0]["state"] = "STALLED"
        browser.wait_for_text(".state", "STALLED")
        assert not browser.is_shown("#notice")


def test_h265_is_shown_as_video_made_for_browsers(
    browser: Browser, page_fleet: ScriptedFleet, page_address: str, tmp_path: Path
) -> None:
    clip, file = write_clip(tmp_path / "a.mp4", codec="libx265"), tmp_path / "cameras.yaml"
    file.write_text(camera_lines(yard=str(clip)))
    page_fleet.cameras[:] = [camera_status("yard")]
    [wanted] = read_cameras(file).cameras
    with capture_running(file) as capture:
        settings = read_settings(state_dir=tmp_path, capture=capture.url(""))
        keys = KeyStore(tmp_path / "keys.json")
        source = source_of(wanted, page_fleet.hub.camera("yard"), settings, keys, Readers())
        source.start()
        try:
            browser.open(page_address)
            browser.wait_for(f"{VIDEO}?.currentTime > 1", 60)
            assert "H.264 made for browsers: the camera sends HEVC" in browser.text(".picture-note")
            assert browser.is_shown("video")
            browser.screenshot(tmp_path / "h265.png")
        finally:
            source.stop()


def test_video_goes_on_after_the_camera_came_back(
    browser: Browser, page_fleet: ScriptedFleet, page_address: str
) -> None:
    browser.open(page_address)
    browser.wait_for(f"{VIDEO}?.currentTime > 1")
    page_fleet.hub.remove_camera("street")
    with running([FilmedCamera(page_fleet, "street")], lambda: None):
        before = browser.ask(f"{VIDEO}.currentTime")
        browser.wait_for(f"{VIDEO}.currentTime > {before + 1.5}")
        browser.wait_for(f"{DRAWN}.count > 100")


BEGUN_ANEW = """
const done = arguments[0];
import("/static/js/live/picture.js").then(({ Picture }) => {
  const picture = new Picture("yard");
  picture.show({ state: "LIVE" });
  picture.player.head({ codec: "avc1.42E01E", start_s: 0, t0: 0 });
  picture.pictureCame();
  const before = picture.words.hidden;
  picture.player.restart("the browser cannot decode this stream");
  done([before, picture.words.hidden, picture.headline.textContent]);
});
"""


def test_a_video_that_begins_anew_is_waited_for_in_words(
    browser: Browser, page_address: str
) -> None:
    browser.open(page_address)
    told = browser.driver.execute_async_script(BEGUN_ANEW)
    assert told == [True, False, "Waiting for the picture…"]


FAULTY = """
const done = arguments[0];
import("/static/js/live/player.js").then(({ Player }) => {
  const [video, image] = ["video", "img"].map((tag) => document.createElement(tag));
  image.hidden = true;
  const player = new Player({ name: "street", video, image, note() {}, emptied() {} });
  const timers = [];
  const real = window.setTimeout;
  window.setTimeout = (work, after) => (after > 60000 ? timers.push(work) : real(work, after));
  player.start();
  const shows = [1, 2, 3, 4].map(() => (player.restart("it is busy"), player.showsJpeg));
  timers[0]();
  done([...shows, player.showsJpeg, player.socket.closed]);
  player.stop();
});
"""


def test_a_picture_that_fell_back_to_jpeg_tries_its_video_again_later(
    browser: Browser, page_address: str
) -> None:
    browser.open(page_address)
    told = browser.driver.execute_async_script(FAULTY)
    assert told == [False, False, False, True, False, False]


LATE = """
const done = arguments[0];
import("/static/js/live/media-buffer.js").then(({ MediaBuffer }) => {
  const buffer = new MediaBuffer(document.createElement("video"), { begun() {}, broken() {} });
  const given = [];
  buffer.source = { readyState: "open" };
  const appendBuffer = (bytes) => given.push([...new Uint8Array(bytes)]);
  buffer.buffer = { updating: true, appendBuffer };
  for (const part of [[1, 2], [3], [4, 5]]) buffer.append(new Uint8Array(part).buffer);
  buffer.buffer.updating = false;
  buffer.drain();
  done([given, buffer.waiting.length]);
});
"""


def test_parts_that_wait_are_given_to_the_browser_at_once(
    browser: Browser, page_address: str
) -> None:
    browser.open(page_address)
    assert browser.driver.execute_async_script(LATE) == [[[1, 2, 3, 4, 5]], 0]
