"""The view of cameras in Chromium: the list and the form."""

import pytest
from selenium.webdriver.common.by import By

from axe import serious_findings
from browser import Browser
from camfleet_contracts.cameras_file import read_cameras
from page_steps import faults, fill, go, names_in, press
from running_app import RunningApp

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


def test_more_settings_of_a_camera_are_written_and_the_others_stay(
    browser: Browser, page_app: RunningApp
) -> None:
    go(browser, "cameras/door")
    browser.wait_for("document.querySelector('.form [name=source]')?.value === 'demo:street'")
    assert not browser.is_shown(".form [name='capture.size']")
    browser.ask("document.querySelector('.form .more summary').click()")
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
    go(browser, "cameras/door")
    browser.wait_for("document.querySelector('.form [name=detect_source]')?.value")
    assert "hunter2" not in browser.ask(
        "document.body.textContent + [...document.querySelectorAll('input')].map((i) => i.value)"
    )
    before = page_app.file.read_text()
    press(browser, "Save")
    browser.wait_for_text(".cameras-view > .message", "door is saved")
    assert page_app.file.read_text() == before


def test_what_is_wrong_is_said_at_its_field(browser: Browser, page_app: RunningApp) -> None:
    before = page_app.file.read_text()
    go(browser, "cameras/door")
    browser.wait_for("document.querySelector('.form [name=source]')?.value === 'demo:street'")
    fill(browser, {"capture.size": "big", "capture.masks": "0 0 7"})
    press(browser, "Save")
    browser.wait_for_text(".form .message", "Nothing was saved")
    assert faults(browser) == {
        "capture.size": "Write width and height as 1280x720.",
        "capture.masks": "Each line needs four numbers, or at least three corners (x y), "
        "all between 0 and 1.",
    }
    assert browser.is_shown(".form [name='capture.size']")
    fill(browser, {"capture.size": "", "capture.masks": "", "pipeline.sinks": "mqqt"})
    fill(browser, {"pipeline.fps": "500"})
    press(browser, "Save")
    browser.wait_for("document.querySelector('[name=\"pipeline.fps\"][aria-invalid]')")
    assert faults(browser) == {"pipeline.fps": "Input should be less than or equal to 120"}
    fill(browser, {"pipeline.fps": "5"})
    press(browser, "Save")
    browser.wait_for("document.querySelector('[name=\"pipeline.sinks\"][aria-invalid]')")
    assert "'mqqt' is not under the top-level 'sinks:'" in faults(browser)["pipeline.sinks"]
    assert serious_findings(browser) == []
    assert page_app.file.read_text() == before


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
