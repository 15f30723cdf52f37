"""The wall in Chromium: what tiles and the list of events say."""

from itertools import pairwise
from typing import Any

import pytest

from browser import Browser
from fakes_page import ScriptedFleet, camera_status

pytestmark = pytest.mark.browser


def test_state_rate_delay_and_model_are_in_words(browser: Browser, page_address: str) -> None:
    browser.open(page_address)
    browser.wait_for_text(".state", "LIVE")
    assert browser.text(".figures") == "Inference5.0 fpsLatency41 msModeldemo-street v1"
    assert browser.text(".counts tbody") == "gate1129112 in, 9 out"


@pytest.mark.parametrize(
    ("state", "level", "headline"),
    [
        ("CONNECTING", "warning", "Connecting…"),
        ("STALLED", "warning", "No picture at the moment"),
        ("FAILED", "failed", "This camera does not work"),
    ],
)
def test_a_camera_that_is_not_live_says_why(
    browser: Browser,
    page_fleet: ScriptedFleet,
    page_address: str,
    state: str,
    level: str,
    headline: str,
) -> None:
    page_fleet.cameras[0] |= {"state": state, "reason": "/dev/video0 is not there"}
    browser.open(page_address)
    browser.wait_for_text(".state", state)
    assert browser.ask("document.querySelector('.state').dataset.level") == level
    assert browser.text(".picture-words") == f"{headline}/dev/video0 is not there"
    assert browser.is_shown(".picture-words")


def test_a_crossing_is_listed_and_counted_at_once(
    browser: Browser, page_fleet: ScriptedFleet, page_address: str
) -> None:
    browser.open(page_address)
    browser.wait_for_text("#link-state", "connected")
    browser.wait_for_text(".counts tbody", "gate1129112 in, 9 out")
    page_fleet.cameras[0]["lines"][0] |= {"in": 13, "total": {"in": 113, "out": 9}}
    page_fleet.send_crossing("street", "person", 31, (113, 9))
    browser.wait_for_text("#event-list li", "person 31 went in at gate")
    assert browser.text(".counts tbody td") == "113"


def test_who_enters_a_zone_is_listed(
    browser: Browser, page_fleet: ScriptedFleet, page_address: str
) -> None:
    corners = [[0.2, 0.2], [0.8, 0.2], [0.8, 0.8]]
    page_fleet.cameras[0]["zones"] = [{"name": "yard", "polygon": corners, "occupancy": {}}]
    browser.open(page_address)
    browser.wait_for_text("#link-state", "connected")
    happened = {"event_label": "zone_entered", "object_label": "car", "object_id": 4}
    data = {"zone": "yard", "track_id": 4, "dwell_s": 0, "occupancy": 3}
    page_fleet.send_event("street", happened | {"zone_label": "yard", "data": data})
    browser.wait_for_text("#event-list li", "car 4 entered yard")
    assert "3 inside" in browser.text("#event-list li")


def test_a_missing_model_names_the_way_out(
    browser: Browser, page_fleet: ScriptedFleet, page_address: str
) -> None:
    reason = "fastestdet-coco is not served; fetch it with: camfleet model pull fastestdet-coco"
    model = {"name": "fastestdet-coco", "version": None, "state": "failed", "reason": reason}
    page_fleet.cameras[0]["model"] = model
    browser.open(page_address)
    browser.wait_for_text(".model-fault", "camfleet model pull fastestdet-coco")


def test_a_live_camera_that_cannot_be_analysed_says_why(
    browser: Browser, page_fleet: ScriptedFleet, page_address: str
) -> None:
    page_fleet.cameras[0]["reason"] = "tracker sort: unexpected keyword argument 'colour'"
    browser.open(page_address)
    browser.wait_for_text(".model-fault", "unexpected keyword argument")


def test_no_camera_names_the_file_to_edit(
    browser: Browser, page_fleet: ScriptedFleet, page_address: str
) -> None:
    page_fleet.cameras.clear()
    browser.open(page_address)
    browser.wait_for_text(".empty", "var/models/cameras.yaml")
    assert browser.ask("document.querySelector('.empty a').hash") == "#/cameras/new"
    page_fleet.cameras.append(camera_status("street"))
    browser.wait_for_text(".tile-name", "street")
    assert browser.text(".empty") == ""


def test_a_viewer_is_not_asked_to_add_a_camera(
    browser: Browser, page_fleet: ScriptedFleet, page_address: str
) -> None:
    page_fleet.cameras.clear()
    page_fleet.role = "viewer"
    browser.open(page_address)
    browser.wait_for("document.querySelector('.empty [data-for=viewer]')?.checkVisibility()")
    assert not browser.is_shown(".empty a")


@pytest.mark.parametrize("size", [(390, 844), (1400, 900)], ids=["phone", "desktop"])
def test_nothing_is_wider_than_the_screen(
    browser: Browser, page_fleet: ScriptedFleet, page_address: str, size: tuple[int, int]
) -> None:
    page_fleet.cameras += [camera_status(f"camera-{number}") for number in range(3)]
    browser.resize(*size)
    browser.open(page_address)
    browser.wait_for("document.querySelectorAll('.tile').length === 4")
    assert browser.ask("document.documentElement.scrollWidth") <= size[0]


def test_dark_is_dark(browser: Browser, page_address: str) -> None:
    def ground(scheme: str) -> Any:
        browser.prefer(color_scheme=scheme)
        return browser.ask("getComputedStyle(document.documentElement).backgroundColor")

    browser.open(page_address)
    assert (ground("light"), ground("dark")) == ("rgb(244, 246, 248)", "rgb(13, 18, 22)")


def test_everything_with_a_role_has_a_name(browser: Browser, page_address: str) -> None:
    browser.open(page_address)
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


def test_an_empty_wall_says_that_the_file_is_refused(
    browser: Browser, page_fleet: ScriptedFleet, page_address: str
) -> None:
    page_fleet.cameras.clear()
    page_fleet.health = {"state": "warning", "reason": "cameras.yaml:3: sink 'f': path is missing"}
    browser.open(page_address)
    browser.wait_for_text(".empty .message", "cameras.yaml:3: sink 'f'")
    page_fleet.health = {"state": "ok", "reason": None}
    browser.wait_for("document.querySelector('.empty .message')?.checkVisibility() === false")


def test_names_of_a_line_and_a_zone_do_not_cover_each_other(
    browser: Browser, page_address: str
) -> None:
    browser.open(page_address)
    places = browser.driver.execute_async_script(
        """
        const done = arguments[0];
        import("/static/js/live/labels.js").then(({ Labels }) => {
          const pen = document.createElement("canvas").getContext("2d");
          const labels = new Labels(pen, 1, { left: 0, top: 0, wide: 300, high: 200 });
          for (const at of [[10, 50], [20, 52], [15, 60]]) labels.write("name", at, {});
          done(labels.taken.map(({ y, high }) => [y, y + high]).sort((a, b) => a[0] - b[0]));
        });
        """
    )
    assert all(one[1] <= other[0] for one, other in pairwise(places))


def test_a_wall_uses_the_whole_of_a_large_screen(
    browser: Browser, page_fleet: ScriptedFleet, page_address: str
) -> None:
    page_fleet.cameras[:] = [camera_status(f"cam-{number}") for number in range(16)]
    browser.resize(2560, 1300)
    browser.open(page_address)
    browser.wait_for("document.querySelectorAll('.tile').length === 16")
    tops = browser.ask(
        "[...document.querySelectorAll('.tile')].map((one) => one.getBoundingClientRect().top)"
    )
    assert tops.count(tops[0]) == 5
