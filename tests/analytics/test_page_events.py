"""The view of events in Chromium: the list, one event, exports."""

import json

import cv2
import numpy as np
import pytest

from browser import Browser
from camfleet.service.http import past_events
from camfleet_contracts.events import Envelope
from fakes_live import ClipPlan, make_clip
from fakes_upstream import Upstream
from page_steps import go, press
from running_app import RunningApp
from test_past_events import crossing

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("admin_page")]


def test_events_are_listed_chosen_and_followed(browser: Browser, page_app: RunningApp) -> None:
    go(browser, "events?label=person")
    browser.wait_for("document.querySelectorAll('.event-row').length === 60")
    assert "person" in browser.text(".event-row")
    press(browser, "Show older ones")
    browser.wait_for("document.querySelectorAll('.event-row').length > 60")
    page_app.hub.publish_event(crossing(998))
    browser.wait_for_text(".event-row", "person 998")
    page_app.hub.publish_event(crossing(999))
    page_app.hub.publish_event(crossing(1000))
    browser.wait_for_text(".event-row", "person 1000")
    assert "car 999" not in browser.text(".long-list")


def test_what_is_rare_and_old_is_found_without_asking_again(
    browser: Browser, page_app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past_events, "SCANNED_AT_ONCE", 40)
    go(browser, "events?span=own&to=2026-11-29T00:09")
    browser.wait_for("document.querySelectorAll('.event-row').length === 10")
    assert browser.text(".events-left .hint") == ""


def test_an_event_has_its_picture_once_the_recording_has_it(
    browser: Browser, page_app: RunningApp, page_upstream: Upstream
) -> None:
    page_upstream.files["/cameras/door/snapshot.jpg"] = black_picture()
    tell_of_recording(page_app, until="2026-11-29T16:30:00Z")
    go(browser, "events?camera=door")
    browser.wait_for("document.querySelector('.event-row img')")
    page_app.hub.publish_event(crossing(1004))  # of 16:44
    browser.wait_for_text(".event-row", "person 1004")
    newest = "document.querySelector('.event-row')"
    assert browser.ask(f"{newest}.querySelector('img')") is None
    tell_of_recording(page_app, until="2026-11-29T16:50:00Z")
    browser.wait_for(f"{newest}.querySelector('img')?.naturalWidth === 160")
    page_app.tell_of_capture()


def test_the_clip_of_what_just_happened_comes_by_itself(
    browser: Browser, page_app: RunningApp, page_upstream: Upstream
) -> None:
    page_upstream.files.pop("/cameras/door/clip", None)
    page_upstream.files["/cameras/door/snapshot.jpg"] = black_picture()
    tell_of_recording(page_app, until="2026-11-29T16:30:00Z")
    go(browser, "events?camera=door&event=line_crossed")
    browser.wait_for("document.querySelector('.event-row img')")
    page_app.hub.publish_event(crossing(1010))  # of 16:50
    browser.wait_for_text(".event-row", "person 1010")
    browser.ask("document.querySelector('.event-row').click()")
    browser.wait_for_text(".clip", "in a few seconds")
    page_upstream.files["/cameras/door/clip"] = make_clip(ClipPlan(container="mp4"))
    browser.wait_for("document.querySelector('.clip video')")
    page_app.tell_of_capture()


def black_picture() -> bytes:
    return cv2.imencode(".jpg", np.zeros((90, 160, 3), np.uint8))[1].tobytes()


def tell_of_recording(app: RunningApp, until: str) -> None:
    recording = {"from": "2026-11-29T00:00:00Z", "to": until}
    app.tell_of_capture(cameras={"door": {"recording": recording}})


def test_the_value_of_an_applications_event_is_told(browser: Browser, page_app: RunningApp) -> None:
    go(browser, "events")
    browser.wait_for("document.querySelector('.event-row')")
    waiting = {"event_label": "queue_length", "value": 0, "zone_label": "till"}
    update = {"type": "ValueEvent", "results": waiting}
    page_app.hub.publish_event(crossing(1006).model_copy(update=update))
    browser.wait_for_text(".event-row", "queue length 0")


def test_an_event_without_a_recording_says_so(browser: Browser) -> None:
    go(browser, "events?camera=door")
    browser.wait_for("document.querySelector('.event-row')")
    browser.ask("document.querySelector('.event-row').click()")
    browser.wait_for_text(".event-detail", "door is not recorded")
    assert "UTC" in browser.text(".event-detail")


def test_a_list_that_is_followed_for_long_lets_the_oldest_go(
    browser: Browser, page_app: RunningApp
) -> None:
    go(browser, "events")
    browser.wait_for("document.querySelectorAll('.event-row').length === 60")
    for number in range(2000, 3000):
        page_app.hub.publish_event(numbered(number))
    browser.wait_for_text(".event-row", "person 2999")
    browser.wait_for("document.querySelectorAll('.event-row').length === 60")
    assert browser.is_shown(".events-left > .button")


def numbered(number: int) -> Envelope:
    """Event `number` of one moment."""
    update = {"event_id": f"event-{number}"}
    event = crossing(0)
    results = {**event.results, "object_id": number}
    return event.model_copy(update={**update, "results": results})


def test_the_clip_of_an_event_is_let_go_with_the_next(
    browser: Browser, page_app: RunningApp, page_upstream: Upstream
) -> None:
    page_upstream.files["/cameras/door/snapshot.jpg"] = black_picture()
    page_upstream.files["/cameras/door/clip"] = make_clip(ClipPlan(container="mp4"))
    tell_of_recording(page_app, until="2026-11-29T16:50:00Z")
    go(browser, "events?camera=door")
    browser.wait_for("document.querySelector('.event-row img')")
    browser.ask("document.querySelectorAll('.event-row')[0].click()")
    clip = browser.wait_for("document.querySelector('.clip video')?.src")
    browser.ask("void (URL.revokeObjectURL = (url) => (window.letGo = url))")
    browser.ask("document.querySelectorAll('.event-row')[1].click()")
    browser.wait_for(f"window.letGo === {json.dumps(clip)}")
    page_app.tell_of_capture()


def test_an_export_holds_what_is_chosen(browser: Browser) -> None:
    go(browser, "events?camera=door&event=line_crossed")
    link = "document.querySelector('.view-head a')"
    browser.ask(f"{link}.addEventListener('click', (e) => e.preventDefault())")
    browser.ask(f"{link}.click()")
    assert "camera=door" in browser.ask(f"{link}.href")
    assert "format=csv" in browser.ask(f"{link}.href")


def test_rows_have_room_for_pictures_only_where_something_is_recorded(
    browser: Browser, page_app: RunningApp
) -> None:
    page_app.tell_of_capture()
    go(browser, "events")
    browser.wait_for("document.querySelector('.event-row')?.checkVisibility()")
    browser.wait_for("!document.querySelector('.thumbnail').checkVisibility()")
    tell_of_recording(page_app, until="2026-11-29T16:50:00Z")
    browser.wait_for("document.querySelector('.thumbnail').checkVisibility()")
    page_app.tell_of_capture()
