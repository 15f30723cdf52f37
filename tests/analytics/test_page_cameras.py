"""The view of cameras in Chromium: the list and the form."""

import pytest
from selenium.webdriver.common.by import By

from browser import Browser
from camfleet.video.connection import ReaderState
from camfleet_contracts.cameras import Pipeline
from camfleet_contracts.cameras_file import read_cameras
from camfleet_contracts.stages import Idle, Tiles
from page_steps import fill, go, names_in, open_form, press
from running_app import ONE_CAMERA, RunningApp
from waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("admin_page")]

MORE = {
    "detect_source": "rtsp://me:hunter2@10.0.0.9/sub",
    "pipeline.labels": "car, person",
    "pipeline.tracker": "ocsort",
    "pipeline.sinks": "websocket",
    "pipeline.cascade.0.name": "face",
    "pipeline.cascade.0.model": "ultraface-rfb320",
    "pipeline.cascade.0.labels": "person",
    "capture.size": "1280x720",
    "capture.frame_rate": "12.5",
    "capture.rotation": "180",
    "capture.masks": "0 0 0.3 0.2\n0 0, 0.5 0, 0.5 0.5",
    "pipeline.tiles": "3x2",
    "publish_to": "rtsp://${env:MTX}@nvr:8554/door",
    "transcode": "always",
    "capture.loop": "false",
}


def test_a_camera_is_added_and_its_secret_is_never_shown(
    browser: Browser, page_app: RunningApp
) -> None:
    go(browser, "cameras/new")
    browser.wait_for("document.querySelector('.form')")
    fill = {"Name": "yard", "Source": "rtsp://10.0.0.9/main", "User": "me", "Password": "hunter2"}
    browser.ask(
        "void ((s) => { s.value = 'secret'; s.dispatchEvent(new Event('change')); })"
        "(document.querySelector('.login-fields select'))"
    )
    for label, value in fill.items():
        browser.driver.find_element(
            By.XPATH, f"//form//label[text()='{label}']/following-sibling::input"
        ).send_keys(value)
    press(browser, "Save")
    browser.wait_for_text(".cameras-view > .message", "yard is saved")
    yard = read_cameras(page_app.file, page_app.settings).find("yard")
    assert yard is not None
    assert str(yard.credentials).startswith("${file:")
    assert "hunter2" not in page_app.file.read_text()
    go(browser, "health")
    browser.wait_for_text(".health-view", "add cameras: yard")
    assert "hunter2" not in browser.text("body")


def test_a_new_camera_does_what_the_defaults_of_the_file_say(
    browser: Browser, page_app: RunningApp
) -> None:
    defaults = "defaults: {model: cars, fps: 3, motion: true}\n"
    page_app.file.write_text(defaults + ONE_CAMERA)
    page_app.fleet.follow_file()
    go(browser, "cameras/new")
    browser.wait_for("document.querySelector('.form [name=\"pipeline.model\"]')?.value === 'cars'")
    fill(browser, {"name": "yard", "source": "testcard", "pipeline.confidence": "0.4"})
    press(browser, "Save")
    browser.wait_for_text(".cameras-view > .message", "yard is saved")
    yard = read_cameras(page_app.file, page_app.settings).find("yard")
    assert yard is not None
    assert (yard.pipeline.model, yard.pipeline.fps, yard.pipeline.motion) == ("cars", 3, True)
    assert yard.pipeline.confidence == 0.4
    assert page_app.file.read_text().count("model: cars") == 2


def test_a_source_is_tried_with_the_login_in_the_form(
    browser: Browser, page_app: RunningApp
) -> None:
    asked = "window.asked.map(({ camera, ...rest }) => rest)"
    go(browser, "cameras/new")
    browser.wait_for("document.querySelector('.form [name=\"pipeline.model\"]')?.value")
    browser.ask(
        "void (window.asked = [], window.fetch = ((before) => (path, options) => {"
        " if (path === '/v1/source-trials') window.asked.push(JSON.parse(options.body));"
        " return before(path, options); })(window.fetch))"
    )
    fill(browser, {"source": "rtsp://127.0.0.1:9/x"})
    browser.ask(
        "void ((s) => { s.value = 'secret'; s.dispatchEvent(new Event('change')); })"
        "(document.querySelector('.login-fields select'))"
    )
    for kind, text in {"text": "me", "password": "hunter2"}.items():
        browser.driver.find_element(
            By.CSS_SELECTOR, f".login-fields .fields input[type={kind}]"
        ).send_keys(text)
    press(browser, "Test the source")
    browser.wait_for("window.asked.length")
    login = {"user": "me", "password": "hunter2"}
    assert browser.ask(asked) == [{"source": "rtsp://127.0.0.1:9/x", **login}]


def test_a_camera_that_somebody_else_adds_appears_in_the_list(
    browser: Browser, page_app: RunningApp
) -> None:
    go(browser, "cameras")
    browser.wait_for("document.querySelectorAll('.table tbody tr').length === 1")
    page_app.file.write_text(ONE_CAMERA + "  - {name: barn, source: testcard}\n")
    page_app.fleet.follow_file()
    browser.wait_for_text(".table", "barn")


def test_a_list_that_is_empty_as_the_file_is_refused_says_so(
    browser: Browser, page_app: RunningApp
) -> None:
    page_app.file.write_text("")
    page_app.fleet.follow_file()
    go(browser, "cameras")
    browser.wait_for_text(".cameras-view > .hint", "is empty")


def test_a_camera_that_does_not_work_says_why_in_the_list(
    browser: Browser, page_app: RunningApp
) -> None:
    page_app.sources["door"].lose(ReaderState.FAILED, "user or password are wrong")
    go(browser, "cameras")
    browser.wait_for_text(".table", "does not work")
    browser.wait_for_text(".table .reason", "user or password are wrong")


def test_more_settings_of_a_camera_are_written_and_the_others_stay(
    browser: Browser, page_app: RunningApp
) -> None:
    open_form(browser)
    assert not browser.is_shown(".form [name='capture.size']")
    browser.ask("document.querySelector('.form details summary').click()")
    press(browser, "Add a second model")
    fill(browser, MORE)
    press(browser, "Save")
    browser.wait_for_text(".cameras-view > .message", "door is saved")
    door = read_cameras(page_app.file, page_app.settings).find("door")
    assert door is not None
    assert door.detect_source == "rtsp://me:hunter2@10.0.0.9/sub"
    assert (door.pipeline.labels, door.pipeline.sinks) == (("car", "person"), ("websocket",))
    assert [(one.name, one.labels) for one in door.pipeline.cascade] == [("face", ("person",))]
    assert (door.pipeline.tracker.kind, names_in(page_app)) == ("ocsort", ["gate"])
    assert (door.capture.size, door.capture.frame_rate) == ("1280x720", 12.5)
    assert door.capture.rotation == 180
    assert door.capture.masks == ((0, 0, 0.3, 0.2), ((0, 0), (0.5, 0), (0.5, 0.5)))
    assert door.pipeline.tiles is not None
    assert (door.pipeline.tiles.grid, door.capture.loop) == ((3, 2), False)
    assert (door.publish_to, door.transcode) == ("rtsp://${env:MTX}@nvr:8554/door", "always")
    go(browser, "cameras/door")
    browser.wait_for("document.querySelector('.form [name=detect_source]')?.value")
    assert "hunter2" not in browser.ask(
        "document.body.textContent + [...document.querySelectorAll('input')].map((i) => i.value)"
    )
    before = page_app.file.read_text()
    press(browser, "Save")
    browser.wait_for_text(".cameras-view > .message", "door is saved")
    assert page_app.file.read_text() == before


def test_a_film_is_worked_through_as_fast_as_it_can_be(
    browser: Browser, page_app: RunningApp
) -> None:
    open_form(browser)
    fill(browser, {"source": "clip.mp4", "capture.real_time": "false", "capture.loop": "false"})
    press(browser, "Save")
    browser.wait_for_text(".cameras-view > .message", "door is saved")
    door = read_cameras(page_app.file, page_app.settings).find("door")
    assert door is not None
    assert (door.capture.real_time, door.capture.loop) == (False, False)


def test_rest_on_key_frames_and_tiles_are_set_and_taken_out_again(
    browser: Browser, page_app: RunningApp
) -> None:
    stages = "pipeline: {motion: true, idle: {wake_within_s: 9}, tiles: {overlap: 0.4}, "
    page_app.file.write_text(ONE_CAMERA.replace("pipeline: {", stages))
    page_app.fleet.follow_file()
    open_form(browser)
    fill(browser, {"pipeline.idle": "12.5", "pipeline.tiles": "2x1"})
    press(browser, "Save")
    browser.wait_for_text(".cameras-view > .message", "door is saved")
    pipeline = pipeline_of_door(page_app)
    assert pipeline.idle == Idle(after_s=12.5, wake_within_s=9)
    assert pipeline.tiles == Tiles(grid=(2, 1), overlap=0.4)
    open_form(browser)
    fill(browser, {"pipeline.idle": "", "pipeline.tiles": ""})
    press(browser, "Save")
    browser.wait_for_text(".cameras-view > .message", "door is saved")
    wait_until(lambda: pipeline_of_door(page_app).tiles is None, 60, "both are taken out")
    assert pipeline_of_door(page_app).idle is None


def pipeline_of_door(app: RunningApp) -> Pipeline:
    door = read_cameras(app.file, app.settings).find("door")
    assert door is not None
    return door.pipeline


def test_defaults_of_the_file_stay_in_force(browser: Browser, page_app: RunningApp) -> None:
    text = "defaults: {fps: 3, confidence: 0.2}\ncameras:\n  - {name: door, source: testcard}\n"
    page_app.file.write_text(text)
    page_app.fleet.follow_file()
    open_form(browser)
    fill(browser, {"pipeline.labels": "car"})
    press(browser, "Save")
    browser.wait_for_text(".cameras-view > .message", "door is saved")
    assert pipeline_of_door(page_app).labels == ("car",)
    assert page_app.file.read_text().count("fps") == 1
    assert pipeline_of_door(page_app).confidence == 0.2


def test_what_was_done_is_told_until_another_view_is_opened(browser: Browser) -> None:
    go(browser, "cameras")
    press(browser, "Switch off")
    browser.wait_for_text(".cameras-view > .message", "door is switched off.")
    go(browser, "models")
    go(browser, "cameras")
    assert browser.text(".cameras-view > .message") == ""


def test_a_camera_is_switched_off_and_removed_after_a_question(
    browser: Browser, page_app: RunningApp
) -> None:
    go(browser, "cameras")
    press(browser, "Switch off")
    browser.wait_for_text(".table", "switched off")
    press(browser, "Remove")
    browser.wait_for_text("dialog", "Remove door?")
    browser.ask("document.querySelector('dialog .danger').click()")
    browser.wait_for("document.querySelectorAll('.table tbody tr').length === 0")
    assert read_cameras(page_app.file, page_app.settings).cameras == ()
