"""A camera's own view in Chromium: the editor of lines and zones, and what was counted."""

from itertools import count

import httpx
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.common.by import By

from axe import serious_findings
from browser import Browser
from camfleet_contracts.cameras_file import read_cameras
from camfleet_contracts.clock import now_utc, rfc3339
from fakes_analytics import falling
from page_steps import edit, go, names_in, press
from running_app import RunningApp
from test_past_events import crossing
from waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("admin_page")]


def test_a_line_that_was_drawn_counts(browser: Browser, page_app: RunningApp) -> None:
    edit(browser)
    area = browser.driver.find_element(By.CSS_SELECTOR, ".drawing-area")
    button = "//button[text()='Draw a line']"
    browser.driver.find_element(By.XPATH, button).click()
    wide, high = area.size["width"], area.size["height"]
    hands = ActionChains(browser.driver)
    for across in (-0.45, 0.45):
        hands.move_to_element_with_offset(area, int(across * wide), int(-0.1 * high)).click()
    hands.perform()
    browser.wait_for("document.querySelectorAll('.shape-form').length === 2")
    press(browser, "Save")
    browser.wait_for_text(".editor .message", "Saved")
    assert names_in(page_app) == ["gate", "line-1"]
    wait_until(
        lambda: "line-1" in page_app.fleet.pipelines["door"].counts, 60, "the new line counts"
    )
    steps = falling([130, 150, 170, 190, 210, 225, 235])
    asked = count()
    page_app.detector.answer = lambda _: steps[min(next(asked), 6)]
    page_app.show(count=7)
    browser.wait_for(
        "[...document.querySelectorAll('.camera-grid .counts tbody tr')]"
        ".some((row) => row.textContent.startsWith('line-11'))"
    )


def test_a_zone_is_made_moved_named_and_taken_back_with_the_keyboard(
    browser: Browser, page_app: RunningApp
) -> None:
    edit(browser)
    press(browser, "Draw a zone")
    browser.wait_for(
        "document.activeElement.getAttribute('aria-label')?.startsWith('zone-1, corner 1')"
    )
    ActionChains(browser.driver).send_keys("\ue014", "\ue015").perform()  # right, down
    browser.wait_for("document.activeElement.getAttribute('aria-label').includes('31 %')")
    press(browser, "Undo")
    press(browser, "Save")
    browser.wait_for_text(".editor .message", "Saved")
    [camera] = read_cameras(page_app.file, page_app.settings).cameras
    [zone] = camera.pipeline.zones
    assert (zone.name, zone.polygon[0]) == ("zone-1", (0.305, 0.4))


def test_two_people_who_edit_one_zone_both_see_what_the_other_wants(
    browser: Browser, page_app: RunningApp
) -> None:
    edit(browser)
    other = {"pipeline": {"lines": [{"name": "theirs", "from": [0, 0.3], "to": [1, 0.3]}]}}
    headers = {"authorization": f"Bearer {page_app.key}", "if-match": "*"}
    url = f"{page_app.address}/v1/cameras/door"
    assert httpx.patch(url, json=other, headers=headers, trust_env=False, timeout=60).is_success
    press(browser, "Draw a line")
    press(browser, "Save")
    browser.wait_for_text(".conflict", "Somebody else changed this camera")
    told = browser.text(".conflict")
    assert ("line-1" in told, "theirs" in told, names_in(page_app)) == (True, True, ["theirs"])
    press(browser, "Keep mine")
    browser.wait_for_text(".editor .message", "Saved")
    assert names_in(page_app) == ["gate", "line-1"]


def test_a_name_given_twice_is_not_saved(browser: Browser, page_app: RunningApp) -> None:
    edit(browser)
    press(browser, "Draw a line")
    script = "document.querySelectorAll('.shape-form input[type=text]')[1]"
    browser.ask(f"void ({script}.value = 'gate', {script}.dispatchEvent(new Event('change')))")
    press(browser, "Save")
    browser.wait_for_text(".editor .message", "Two have the name")
    assert names_in(page_app) == ["gate"]


def test_a_finger_draws_a_line_in_one_go(browser: Browser, page_app: RunningApp) -> None:
    edit(browser)
    area = browser.driver.find_element(By.CSS_SELECTOR, ".drawing-area")
    browser.driver.find_element(By.XPATH, "//button[text()='Draw a line']").click()
    wide, high = area.size["width"], area.size["height"]
    finger = PointerInput("touch", "finger")  # type: ignore[no-untyped-call]
    hands = ActionChains(browser.driver, devices=[finger])
    hands.move_to_element_with_offset(area, int(-0.4 * wide), int(0.3 * high)).click_and_hold()
    hands.move_to_element(area)
    hands.move_to_element_with_offset(area, int(0.4 * wide), int(0.3 * high)).release().perform()
    browser.wait_for("document.querySelectorAll('.shape-form').length === 2")
    press(browser, "Save")
    browser.wait_for_text(".editor .message", "Saved")
    [camera] = read_cameras(page_app.file, page_app.settings).cameras
    line = camera.pipeline.lines[1]
    assert [*line.start, *line.end] == pytest.approx([0.1, 0.8, 0.9, 0.8], abs=0.02)


def test_who_is_logged_out_while_editing_loses_nothing(browser: Browser) -> None:
    edit(browser)
    press(browser, "Draw a line")
    browser.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    browser.wait_for_text("#notice", "what you changed here stays")
    assert browser.ask("document.querySelector('#notice a').target") == "_blank"
    browser.ask("void (window.onbeforeunload = null)")
    press(browser, "Undo")


def test_the_chosen_shape_stands_out(browser: Browser) -> None:
    edit(browser)
    press(browser, "Draw a line")
    chosen = "document.activeElement.closest('.shape').querySelector('.edge')"
    yellow, white = "rgb(250, 204, 21)", "rgb(248, 250, 252)"
    assert browser.ask(f"getComputedStyle({chosen}).stroke") == yellow
    others = "document.querySelector('.shape .edge')"
    assert browser.ask(f"getComputedStyle({others}).stroke") == white


def test_lines_that_were_not_saved_are_asked_about(browser: Browser, page_app: RunningApp) -> None:
    edit(browser)
    press(browser, "Draw a line")
    press(browser, "Close")
    browser.wait_for_text("dialog", "Not saved")
    press(browser, "Cancel")
    browser.wait_for("!document.querySelector('dialog')")
    press(browser, "Save")
    browser.wait_for_text(".editor .message", "Saved")
    assert names_in(page_app) == ["gate", "line-1"]
    press(browser, "Close")
    browser.wait_for("!document.querySelector('.editor')")
    assert not browser.is_shown("dialog")


def test_the_editor_has_no_serious_findings_of_axe(browser: Browser) -> None:
    edit(browser)
    assert serious_findings(browser) == []


def test_counts_are_plotted_with_a_table_beside(browser: Browser, page_app: RunningApp) -> None:
    page_app.detector.answer = lambda asked: falling([150, 180, 210, 240, 270, 300])[asked % 6]
    page_app.show(count=18)
    go(browser, "camera/door")
    browser.wait_for("document.querySelector('.plot .bar')")
    assert "in" in browser.ask("document.querySelector('.plot').getAttribute('aria-label')")
    browser.wait_for("document.querySelectorAll('.plot-table tbody tr').length > 0")


CLOCK_5_H_BEHIND = """
const RightDate = Date, behind = 5 * 3600e3;
globalThis.Date = class extends RightDate {
  constructor(...parts) { parts.length ? super(...parts) : super(RightDate.now() - behind); }
  static now() { return RightDate.now() - behind; }
};
"""


def test_counts_are_plotted_by_the_clock_of_the_fleet(
    browser: Browser, page_app: RunningApp
) -> None:
    page_app.journal.append(crossing(1).model_copy(update={"captured_at": rfc3339(now_utc())}))
    script = {"source": f"{{ {CLOCK_5_H_BEHIND} }}"}
    added = browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", script)
    browser.open("about:blank")
    browser.open(f"{page_app.address}/#/camera/door")
    browser.wait_for_text("#clock-note", "5 h ahead")
    browser.wait_for("document.querySelector('.plots .bar')")
    browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
    browser.open("about:blank")


def test_a_camera_that_is_gone_says_so(browser: Browser) -> None:
    go(browser, "camera/attic")
    browser.wait_for_text(".camera-view .message", 'no camera "attic"')


PLOTTED = """
const done = arguments[0];
import("/static/js/plots/bar-plot.js").then(({ BarPlot }) => {
  const plot = new BarPlot("Line gate", [{ name: "in", tone: "one" }]);
  const [start, end] = [new Date(0), new Date(60000)];
  plot.show([{ start, end, values: [10], error: 300 }, { start, end, values: [8], error: 2 }], "");
  const labels = [...plot.svg.querySelectorAll(".axis[text-anchor]")];
  const marks = [...plot.svg.querySelectorAll(".whisker")].map((mark) => mark.getAttribute("d"));
  done([Math.max(...labels.map((one) => Number(one.textContent))), ...marks]);
});
"""


def test_an_error_far_above_the_counts_leaves_them_readable(browser: Browser) -> None:
    highest, far, near = browser.driver.execute_async_script(PLOTTED)
    assert highest == 20
    assert "-" not in far  # it ends with the plot
    assert near.count("h6") == 2
    assert far.count("h6") == 1  # no cap: it goes on
