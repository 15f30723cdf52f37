"""What is around the views, in Chromium: clocks, sessions, a service that went away."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from browser import Browser
from fakes_page import FilmedCamera, ScriptedFleet, running, served
from page_drawings import DRAWN, VIDEO
from running_app import RunningApp
from waiting import wait_until

pytestmark = pytest.mark.browser


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
    browser: Browser, page_address: str, moved_ms: int, words: str
) -> None:
    with clock_moved(browser, moved_ms):
        browser.open(page_address)
        browser.wait_for_text("#clock-note", words)
        assert browser.is_shown("#clock-note")
        assert "Times are the fleet's" in browser.text("#clock-note")
        browser.wait_for(f"{VIDEO}?.currentTime > 1")
        browser.wait_for(f"{DRAWN}.count > 100")  # boxes go by the stream's clock


def test_a_box_whose_clock_is_wrong_is_told_until_it_is_right(
    browser: Browser, page_fleet: ScriptedFleet, page_address: str
) -> None:
    browser.open(page_address)
    browser.wait_for_text(".state", "LIVE")
    assert not browser.is_shown("#clock-note")
    page_fleet.clock_behind = timedelta(minutes=10)
    browser.wait_for_text("#clock-note", "The fleet's clock is 10 min behind this device's.")
    page_fleet.clock_behind = timedelta(seconds=30)  # near enough
    browser.wait_for("document.querySelector('#clock-note').hidden")


def test_an_ended_session_asks_to_log_in(
    browser: Browser, page_fleet: ScriptedFleet, page_address: str
) -> None:
    browser.open(page_address)
    browser.wait_for_text(".state", "LIVE")
    page_fleet.locked = True
    browser.wait_for_text("#notice", "Log in again")


def test_a_stream_without_a_session_is_not_a_lost_connection(
    browser: Browser, page_fleet: ScriptedFleet, page_address: str
) -> None:
    page_fleet.stream_locked = True
    browser.open(page_address)
    browser.wait_for_text("#link-state", "not logged in")


def test_the_page_survives_the_service(browser: Browser, page_fleet: ScriptedFleet) -> None:
    browser.resize(1400, 900)
    with served(page_fleet.app()) as url:
        port = int(url.rpartition(":")[2])
        browser.open(url)
        browser.wait_for_text("#link-state", "connected")
        page_fleet.send_crossing("street", "person", 1, (1, 0))
        browser.wait_for_text("#event-list li", "person 1")
    browser.wait_for_text("#link-state", "reconnecting…")
    browser.wait_for_text("#notice", "does not answer")
    with (
        served(page_fleet.app(), port),
        running([FilmedCamera(page_fleet, "street")], page_fleet.hub.close),
    ):
        browser.wait_for_text("#link-state", "connected")
        browser.wait_for(f"{VIDEO}?.currentTime > 1")
        wait_until(
            lambda: page_fleet.asked_since == [None, "1"], 60, "the stream to go on after event 1"
        )
        assert not browser.is_shown("#notice")
        browser.open("about:blank")


def test_a_page_left_open_becomes_that_of_the_new_release(
    browser: Browser, page_fleet: ScriptedFleet, page_address: str
) -> None:
    browser.open(page_address)
    browser.wait_for_text(".state", "LIVE")
    browser.ask("void (window.isOld = true)")
    page_fleet.version = "0.2.0"
    browser.wait_for("!window.isOld")
    browser.wait_for_text("#foot-version", "camfleet 0.2.0")


def test_login_goes_on_to_the_place_that_was_asked_for(
    browser: Browser, page_app: RunningApp
) -> None:
    browser.open(page_app.address)
    browser.driver.delete_all_cookies()
    browser.open("about:blank")
    browser.open(f"{page_app.address}/#/events?camera=door")
    field = browser.driver.find_element(By.NAME, "key")
    field.send_keys("not-this-one", Keys.ENTER)
    browser.wait_for_text("#login-fault", "not known")
    browser.driver.find_element(By.NAME, "key").send_keys(page_app.key, Keys.ENTER)
    browser.wait_for("document.querySelector('#view')?.dataset.view === 'events'")
    assert browser.ask("location.hash") == "#/events?camera=door"
    browser.open("about:blank")


def test_a_view_that_could_not_be_fetched_comes_once_somebody_answers(
    browser: Browser, page_address: str
) -> None:
    browser.open(page_address)
    browser.wait_for_text(".state", "LIVE")
    browser.driver.execute_cdp_cmd("Network.enable", {})
    browser.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*health-view.js"]})
    try:
        browser.ask("void (location.hash = '#/health')")
        browser.wait_for(
            "performance.getEntriesByName(`${origin}/static/js/health/health-view.js`)[0]"
        )
        assert browser.ask("document.querySelector('#view').dataset.view") == "wall"
    finally:
        browser.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    browser.wait_for("document.querySelector('#view').dataset.view === 'health'")


def test_login_asks_for_a_key_and_names_the_command(browser: Browser, page_address: str) -> None:
    browser.open(f"{page_address}/login?failed=1")
    browser.wait_for_text("#login-fault", "not known")
    assert "camfleet url" in browser.text(".login-card")
    assert json.loads(browser.ask("JSON.stringify(document.activeElement.name)")) == "key"
