"""The light of the whole fleet in the top bar, in Chromium."""

import pytest

from browser import Browser
from fakes_page import ScriptedFleet, camera_status

pytestmark = pytest.mark.browser

REFUSED = {"state": "CONNECTING", "reason": "rtsp://10.0.0.20/s1: connection refused; is it on?"}
GONE = {"state": "FAILED", "reason": "/srv/films/of/last/year/day.mp4: no such file"}


def test_a_troubled_camera_is_named_with_its_reason_first(
    browser: Browser, page_fleet: ScriptedFleet, page_address: str
) -> None:
    page_fleet.cameras[0] |= REFUSED
    browser.open(page_address)
    browser.wait_for_text("#health", "street: connection refused; is it on?")
    page_fleet.cameras[0] |= GONE
    browser.wait_for_text("#health", "street: day.mp4: no such file")


def test_all_troubled_cameras_are_behind_the_light(
    browser: Browser, page_fleet: ScriptedFleet, page_address: str
) -> None:
    page_fleet.cameras += [camera_status("door", **REFUSED), camera_status("yard", **GONE)]
    browser.open(page_address)
    browser.wait_for_text("#health", "door and 1 more: connection refused; is it on?")
    links = "[...document.querySelectorAll('.health-panel a')]"
    assert browser.ask(f"{links}.map(({{ hash }}) => hash)") == ["#/camera/door", "#/camera/yard"]
    assert str(REFUSED["reason"]) in browser.text(".health-panel")
    levels = (
        "[...document.querySelectorAll('.health-panel .light')].map((one) => one.dataset.level)"
    )
    assert browser.ask(levels) == ["ok", "warning", "failed"]


def test_a_fault_of_the_file_begins_with_its_name(
    browser: Browser, page_fleet: ScriptedFleet, page_address: str
) -> None:
    reason = "/var/lib/camfleet/models/cameras.yaml:3: sink 'f': path is missing"
    page_fleet.health = {"state": "warning", "reason": reason}
    browser.open(page_address)
    browser.wait_for_text(".health-reason", "cameras.yaml:3: sink 'f'")
    assert browser.text(".health-reason").startswith("cameras.yaml:3")
