"""What the form of a camera says when it cannot be saved, and that nothing typed is lost."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from axe import serious_findings
from browser import Browser
from page_steps import faults, fill, go, open_form, press
from running_app import ONE_CAMERA, RunningApp

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("admin_page")]


def test_a_new_camera_needs_a_name_and_a_source(browser: Browser, page_app: RunningApp) -> None:
    go(browser, "cameras/new")
    browser.wait_for("document.querySelector('.form [name=\"pipeline.model\"]')?.value")
    press(browser, "Save")
    browser.wait_for_text(".form .message", "Nothing was saved")
    assert list(faults(browser)) == ["name", "source"]


def test_what_is_wrong_is_said_at_its_field(browser: Browser, page_app: RunningApp) -> None:
    before = page_app.file.read_text()
    open_form(browser)
    fill(browser, {"capture.size": "big", "capture.masks": "0 0 7"})
    press(browser, "Save")
    browser.wait_for_text(".form .message", "Nothing was saved")
    assert faults(browser) == {
        "capture.size": "Enter width and height, like 1280x720.",
        "capture.masks": "Each line needs four numbers, or at least three corners (x y), "
        "all between 0 and 1.",
    }
    assert browser.is_shown(".form [name='capture.size']")
    fill(browser, {"capture.size": "", "capture.masks": "", "pipeline.sinks": "mqqt"})
    fill(browser, {"pipeline.fps": "500"})
    press(browser, "Save")
    browser.wait_for("document.querySelector('[name=\"pipeline.fps\"][aria-invalid]')")
    assert "120" in faults(browser)["pipeline.fps"]
    fill(browser, {"pipeline.fps": "5"})
    press(browser, "Save")
    browser.wait_for("document.querySelector('[name=\"pipeline.sinks\"][aria-invalid]')")
    assert "'mqqt' is not under the top-level 'sinks:'" in faults(browser)["pipeline.sinks"]
    assert serious_findings(browser) == []
    assert page_app.file.read_text() == before


def test_what_was_wrong_goes_once_the_field_is_edited(browser: Browser) -> None:
    open_form(browser)
    fill(browser, {"pipeline.fps": "500", "pipeline.confidence": "7"})
    Select(browser.driver.find_element(By.NAME, "credentials")).select_by_value("env")
    press(browser, "Save")
    browser.wait_for_text(".form .message", "Nothing was saved")
    assert faults(browser).keys() == {"pipeline.fps", "pipeline.confidence", "credentials"}
    browser.driver.find_element(By.NAME, "pipeline.fps").send_keys("1")
    assert faults(browser).keys() == {"pipeline.confidence", "credentials"}
    named = "//label[starts-with(text(), 'Name of the variable')]/following-sibling::input"
    browser.driver.find_element(By.XPATH, named).send_keys("DOOR")
    assert faults(browser).keys() == {"pipeline.confidence"}


def test_who_edits_what_somebody_else_changed_meanwhile_is_told_the_way(
    browser: Browser, page_app: RunningApp
) -> None:
    open_form(browser)
    page_app.file.write_text(ONE_CAMERA.replace("fps: 10", "fps: 3"))
    fill(browser, {"pipeline.confidence": "0.7"})
    press(browser, "Save")
    browser.wait_for_text(
        ".form .message", "somebody else changed this camera in the meantime. Cancel,"
    )
    assert "fps: 3" in page_app.file.read_text()


def test_what_was_typed_is_not_lost_by_a_wrong_click(browser: Browser) -> None:
    open_form(browser)
    source = browser.driver.find_element(By.NAME, "source")
    source.send_keys("?seed=9")
    browser.driver.find_element(By.LINK_TEXT, "Models").click()
    browser.wait_for_text("dialog", "Not saved")
    assert browser.ask("location.hash") == "#/cameras/door"
    browser.driver.find_element(By.XPATH, "//dialog//button[text()='Cancel']").click()
    assert source.get_attribute("value") == "demo:street?seed=9"
    browser.driver.find_element(By.LINK_TEXT, "Models").click()
    press(browser, "Leave without saving")
    browser.wait_for("document.querySelector('#view').dataset.view === 'models'")
    assert browser.ask("location.hash") == "#/models"


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("pipeline.tiles", "1x1", "Enter columns and rows"),
        ("pipeline.tiles", "5x2", "Enter columns and rows"),
        ("pipeline.idle", "30", "set motion: true"),
        ("publish_to", "rtsp://me:hunter2@nvr/door", "and in no other way"),
        ("capture.real_time", "false", "demo:street waits for nobody"),
    ],
)
def test_a_value_that_cannot_be_is_explained_at_its_field(
    browser: Browser, page_app: RunningApp, field: str, text: str, words: str
) -> None:
    before = page_app.file.read_text()
    open_form(browser)
    fill(browser, {field: text})
    press(browser, "Save")
    browser.wait_for_text(".form .message", "Nothing was saved. See the marked fields.")
    assert list(faults(browser)) == [field]
    assert words in faults(browser)[field]
    assert browser.is_shown(f".form [name='{field}']")
    assert page_app.file.read_text() == before
