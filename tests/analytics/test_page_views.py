"""The views of the page in a real browser, on the real application with scripted cameras."""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from axe import serious_findings
from browser import Browser, chromium
from camfleet_contracts.cameras_file import read_cameras
from camfleet_contracts.serving_config import put_model
from fakes_analytics import falling
from fakes_upstream import Upstream, serving
from running_app import ONE_CAMERA, RunningApp, running_app
from test_past_events import crossing
from waiting import wait_until

pytestmark = pytest.mark.browser

VIEWS = ("", "camera/door", "events", "models", "cameras", "cameras/new", "health")
AVAILABLE = {"error_code": "OK", "error_message": "OK"}
CONFIG = {
    "cars": {"model_version_status": [{"version": "1", "state": "AVAILABLE", "status": AVAILABLE}]}
}

LOADS = {
    "loads": [
        {
            "time": "2026-11-29T18:00:09.000Z",
            "model": "cars",
            "version": 2,
            "outcome": "refused",
            "reason": "model.onnx is cut off",
            "took_s": 0.254,
        },
        {
            "time": "2026-11-29T18:00:00.000Z",
            "model": "cars",
            "version": 1,
            "outcome": "loaded",
            "reason": None,
            "took_s": 12.4,
        },
    ]
}

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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as tab:
        yield tab


@pytest.fixture(scope="module")
def others() -> Iterator[Upstream]:
    """Capture and the model server, as far as they are asked."""
    with serving() as upstream:
        manifest = {"id": "cars", "labels": ["car", "person"], "license": "Apache-2.0"}
        upstream.files |= {
            "/v1/config": json.dumps(CONFIG).encode(),
            "/v1/config/loads": json.dumps(LOADS).encode(),
            "/v1/models/cars/manifest": json.dumps(manifest).encode(),
            "/v1/models/cars/versions/1/manifest": json.dumps(manifest).encode(),
        }
        yield upstream


@pytest.fixture(scope="module")
def app(others: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    port = int(others.url.rpartition(":")[2])
    folder = tmp_path_factory.mktemp("views")
    with running_app(folder, capture_http=others.url, rest_port=port) as app:
        for number in range(130):
            app.journal.append(crossing(number))
        yield app


@pytest.fixture(autouse=True)
def page(app: RunningApp, browser: Browser) -> Iterator[None]:
    """An admin looks at a camera with its first line; the page is left before the next test."""
    app.file.write_text(ONE_CAMERA)
    app.fleet.follow_file()
    browser.resize(1400, 900)
    log_in(browser, app, "admin")
    yield
    browser.open("about:blank")


def log_in(browser: Browser, app: RunningApp, role: str) -> None:
    browser.open(f"{app.address}/login?token={app.keys.new_login(role)}")  # type: ignore[arg-type]
    browser.wait_for_text("#who", f"({role})", timeout_s=60)


def go(browser: Browser, view: str) -> None:
    browser.ask(f"void (location.hash = '#/{view}')")
    wanted = view.partition("/")[0].partition("?")[0] or "wall"
    browser.wait_for(f"document.querySelector('#view').dataset.view === '{wanted}'")
    browser.wait_for("document.querySelector('#view h1')?.textContent")


def press(browser: Browser, words: str) -> None:
    """Activate the button with these words as the keyboard does: without a place."""
    script = f"[...document.querySelectorAll('button')].find((b) => b.textContent === '{words}')"
    browser.wait_for(f"{script}?.checkVisibility() && !{script}.disabled")
    browser.ask(f"{script}.click()")


def edit(browser: Browser) -> None:
    go(browser, "camera/door")
    press(browser, "Edit lines and zones")
    browser.wait_for("document.querySelector('.drawing-area .handle')")


def names_in(app: RunningApp) -> list[str]:
    [camera] = read_cameras(app.file, app.settings).cameras
    lines, zones = camera.pipeline.lines, camera.pipeline.zones
    return [line.name for line in lines] + [zone.name for zone in zones]


def test_a_line_that_was_drawn_counts(browser: Browser, app: RunningApp) -> None:
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
    assert names_in(app) == ["gate", "line-1"]
    wait_until(lambda: "line-1" in app.fleet.pipelines["door"].counts, 20, "the new line counts")
    steps = falling([130, 150, 170, 190, 210, 225, 235])
    asked = count()
    app.detector.answer = lambda _: steps[min(next(asked), 6)]
    app.show(count=7)
    browser.wait_for(
        "[...document.querySelectorAll('.camera-grid .counts tbody tr')]"
        ".some((row) => row.textContent.startsWith('line-11'))"
    )


def test_a_zone_is_made_moved_named_and_taken_back_with_the_keyboard(
    browser: Browser, app: RunningApp
) -> None:
    edit(browser)
    press(browser, "Draw a zone")
    browser.wait_for(
        "document.activeElement.getAttribute('aria-label')?.startsWith('zone-1, corner 1')"
    )
    ActionChains(browser.driver).send_keys("\ue014", "\ue015").perform()  # right, down
    browser.wait_for("document.activeElement.getAttribute('aria-label').includes('31 %') || true")
    press(browser, "Undo")
    press(browser, "Save")
    browser.wait_for_text(".editor .message", "Saved")
    [camera] = read_cameras(app.file, app.settings).cameras
    [zone] = camera.pipeline.zones
    assert (zone.name, zone.polygon[0]) == ("zone-1", (0.305, 0.4))


def test_two_people_who_edit_one_zone_both_see_what_the_other_wants(
    browser: Browser, app: RunningApp
) -> None:
    edit(browser)
    other = {"pipeline": {"lines": [{"name": "theirs", "from": [0, 0.3], "to": [1, 0.3]}]}}
    headers = {"authorization": f"Bearer {app.key}", "if-match": "*"}
    url = f"{app.address}/v1/cameras/door"
    assert httpx.patch(url, json=other, headers=headers, trust_env=False).is_success
    press(browser, "Draw a line")
    press(browser, "Save")
    browser.wait_for_text(".conflict", "Somebody else changed this camera")
    told = browser.text(".conflict")
    assert ("line-1" in told, "theirs" in told, names_in(app)) == (True, True, ["theirs"])
    press(browser, "Keep mine")
    browser.wait_for_text(".editor .message", "Saved")
    assert names_in(app) == ["gate", "line-1"]


def test_a_name_given_twice_is_not_saved(browser: Browser, app: RunningApp) -> None:
    edit(browser)
    press(browser, "Draw a line")
    script = "document.querySelectorAll('.shape-form input[type=text]')[1]"
    browser.ask(f"void ({script}.value = 'gate', {script}.dispatchEvent(new Event('change')))")
    press(browser, "Save")
    browser.wait_for_text(".editor .message", "two of the name")
    assert names_in(app) == ["gate"]


def test_events_are_listed_chosen_and_followed(browser: Browser, app: RunningApp) -> None:
    go(browser, "events?label=person")
    browser.wait_for("document.querySelectorAll('.event-row').length === 60")
    assert "person" in browser.text(".event-row")
    press(browser, "Show older ones")
    browser.wait_for("document.querySelectorAll('.event-row').length > 60")
    app.hub.publish_event(crossing(998))
    browser.wait_for_text(".event-row", "person 998")
    app.hub.publish_event(crossing(999))
    app.hub.publish_event(crossing(1000))
    browser.wait_for_text(".event-row", "person 1000")
    assert "car 999" not in browser.text(".long-list")


def test_an_event_without_a_recording_says_so(browser: Browser) -> None:
    go(browser, "events?camera=door")
    browser.wait_for("document.querySelector('.event-row')")
    browser.ask("document.querySelector('.event-row').click()")
    browser.wait_for_text(".event-detail", "door is not recorded")
    assert "UTC" in browser.text(".event-detail")


def test_an_export_holds_what_is_chosen(browser: Browser) -> None:
    go(browser, "events?camera=door&event=line_crossed")
    link = "document.querySelector('.view-head a')"
    browser.ask(f"{link}.addEventListener('click', (e) => e.preventDefault())")
    browser.ask(f"{link}.click()")
    assert "camera=door" in browser.ask(f"{link}.href")
    assert "format=csv" in browser.ask(f"{link}.href")


def test_counts_are_plotted_with_a_table_beside(browser: Browser, app: RunningApp) -> None:
    app.detector.answer = lambda asked: falling([150, 180, 210, 240, 270, 300])[asked % 6]
    app.show(count=18)
    go(browser, "camera/door")
    browser.wait_for("document.querySelector('.plot .bar')")
    assert "in" in browser.ask("document.querySelector('.plot').getAttribute('aria-label')")
    browser.wait_for("document.querySelectorAll('.plot-table tbody tr').length > 0")


def test_models_are_shown_and_a_change_is_rolled_back(browser: Browser, app: RunningApp) -> None:
    config = app.settings.models_dir / "config.json"
    config.write_text('{"model_config_list": []}')
    put_model(config, {"name": "cars", "base_path": "/models/cars"})
    go(browser, "models/cars")
    browser.wait_for_text(".model", "serving")
    browser.wait_for_text(".model-card", "Apache-2.0")
    browser.wait_for_text(".loads + .card", "added cars")
    press(browser, "Roll back")
    browser.wait_for_text("dialog", "served as they were before")
    browser.ask("document.querySelector('dialog .danger').click()")
    browser.wait_for_text(".loads + .card .message", "Rolled back. Served now: cars v1")
    assert json.loads(config.read_text())["model_config_list"] == []


def test_last_loads_are_told_with_outcome_duration_and_reason(
    browser: Browser, others: Upstream
) -> None:
    go(browser, "models")
    browser.wait_for_text(".loads", "cars v2: refused (0.25 s)")
    assert "model.onnx is cut off" in browser.text(".loads")
    assert "cars v1: loaded (12 s)" in browser.text(".loads")
    assert "18:00:09 UTC" in browser.ask("document.querySelector('.loads time').title")
    told = others.files["/v1/config/loads"]
    others.files["/v1/config/loads"] = json.dumps(
        {"loads": [LOADS["loads"][1] | {"outcome": "reloaded", "took_s": 1}, *LOADS["loads"]]}
    ).encode()
    browser.wait_for_text(".loads", "cars v1: loaded anew")
    del others.files["/v1/config/loads"]
    browser.wait_for_text(".loads", "keeps no list of its loads")
    others.files["/v1/config/loads"] = told


def test_what_no_model_can_be_made_of_is_told_as_a_fault(
    browser: Browser, others: Upstream
) -> None:
    told = others.files["/v1/config"]
    others.files["/v1/config"] = json.dumps(
        CONFIG
        | {"config.json": no_version("config.json:2: ',' is missing")}
        | {"dogs": no_version("dogs: base_path is missing")}
    ).encode()
    go(browser, "models")
    browser.wait_for_text(".config-fault", "config.json:2: ',' is missing")
    assert "take its last change back" in browser.text(".config-fault")
    assert browser.ask("document.querySelectorAll('.model').length") == 2
    dogs = "[aria-label='Model dogs']"
    assert browser.text(f"{dogs} .message") == "dogs: base_path is missing"
    assert not browser.is_shown(f"{dogs} table")
    assert serious_findings(browser) == []
    others.files["/v1/config"] = told
    browser.wait_for("document.querySelector('.config-fault').hidden")


def no_version(reason: str) -> dict[str, Any]:
    """How the server tells what is wrong where there is no version."""
    status = {"error_code": "NOT_FOUND", "error_message": reason}
    return {"model_version_status": [{"version": "0", "state": "END", "status": status}]}


def test_a_camera_is_added_and_its_secret_is_never_shown(browser: Browser, app: RunningApp) -> None:
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
    yard = read_cameras(app.file, app.settings).find("yard")
    assert yard is not None
    assert str(yard.credentials).startswith("${file:")
    assert "hunter2" not in app.file.read_text()
    go(browser, "health")
    browser.wait_for_text(".health-view", "add cameras: yard")
    assert "hunter2" not in browser.text("body")


def fill(browser: Browser, fields: dict[str, str]) -> None:
    """Type into fields of the form by their names."""
    for name, text in fields.items():
        value, selector = json.dumps(text), json.dumps(f".form [name='{name}']")
        browser.ask(f"void (document.querySelector({selector}).value = {value})")


def faults(browser: Browser) -> dict[str, str]:
    """Words of each marked field by its name, as a screen reader hears them."""
    found: dict[str, str] = browser.ask(
        "Object.fromEntries([...document.querySelectorAll('.form [aria-invalid]')].map((input) =>"
        " [input.name, document.getElementById(input.getAttribute('aria-describedby')"
        ".split(' ')[0]).textContent]))"
    )
    return found


def test_more_settings_of_a_camera_are_written_and_the_others_stay(
    browser: Browser, app: RunningApp
) -> None:
    go(browser, "cameras/door")
    browser.wait_for("document.querySelector('.form [name=source]')?.value === 'demo:street'")
    assert not browser.is_shown(".form [name='capture.size']")
    browser.ask("document.querySelector('.form .more summary').click()")
    press(browser, "Add a second model")
    fill(browser, MORE)
    press(browser, "Save")
    browser.wait_for_text(".cameras-view > .message", "door is saved")
    door = read_cameras(app.file, app.settings).find("door")
    assert door is not None
    assert door.detect_source == "rtsp://me:hunter2@10.0.0.9/sub"
    assert (door.pipeline.labels, door.pipeline.sinks) == (("car", "person"), ("websocket",))
    assert [(one.name, one.labels) for one in door.pipeline.cascade] == [("face", ("person",))]
    assert (door.pipeline.tracker.kind, names_in(app)) == ("ocsort", ["gate"])
    assert (door.capture.size, door.capture.frame_rate) == ("1280x720", 12.5)
    assert door.capture.rotation == 180
    assert door.capture.masks == ((0, 0, 0.3, 0.2), ((0, 0), (0.5, 0), (0.5, 0.5)))
    go(browser, "cameras/door")
    browser.wait_for("document.querySelector('.form [name=detect_source]')?.value")
    assert "hunter2" not in browser.ask(
        "document.body.textContent + [...document.querySelectorAll('input')].map((i) => i.value)"
    )
    before = app.file.read_text()
    press(browser, "Save")
    browser.wait_for_text(".cameras-view > .message", "door is saved")
    assert app.file.read_text() == before


def test_what_is_wrong_is_said_at_its_field(browser: Browser, app: RunningApp) -> None:
    before = app.file.read_text()
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
    assert app.file.read_text() == before


def test_a_camera_is_switched_off_and_removed_after_a_question(
    browser: Browser, app: RunningApp
) -> None:
    go(browser, "cameras")
    press(browser, "Switch off")
    browser.wait_for_text(".table", "switched off")
    press(browser, "Remove")
    browser.wait_for_text("dialog", "Remove door?")
    browser.ask("document.querySelector('dialog .danger').click()")
    browser.wait_for("document.querySelectorAll('.table tbody tr').length === 0")
    assert read_cameras(app.file, app.settings).cameras == ()


def test_a_viewer_sees_no_way_to_change_anything(browser: Browser, app: RunningApp) -> None:
    log_in(browser, app, "viewer")
    config = app.settings.models_dir / "config.json"
    config.write_text('{"model_config_list": []}')
    put_model(config, {"name": "cars", "base_path": "/models/cars"})
    changing = ("Edit", "Draw", "Save", "Roll back", "Remove", "Switch", "Test", "Add")
    for view in VIEWS:
        go(browser, view)
        shown = browser.ask(
            "[...document.querySelectorAll('button')].filter((b) => b.checkVisibility())"
            ".map((b) => b.textContent)"
        )
        assert [words for words in shown if words.startswith(changing)] == [], view


def test_a_camera_that_is_gone_says_so(browser: Browser) -> None:
    go(browser, "camera/attic")
    browser.wait_for_text(".camera-view .message", 'no camera "attic"')


def test_every_service_has_a_light_with_its_reason(browser: Browser, app: RunningApp) -> None:
    app.server_watch.faults = ("cars v2 failed: model.onnx is cut off",)
    go(browser, "health")
    browser.wait_for_text(".lights", "model.onnx is cut off")
    app.server_watch.faults = ()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_view_has_serious_findings_of_axe(browser: Browser, scheme: str) -> None:
    browser.prefer(color_scheme=scheme)
    found = {}
    for view in VIEWS:
        go(browser, view)
        if findings := serious_findings(browser):
            found[view] = findings
    browser.prefer(color_scheme="light")
    assert found == {}


def test_the_editor_has_no_serious_findings_of_axe(browser: Browser) -> None:
    edit(browser)
    assert serious_findings(browser) == []


@pytest.mark.parametrize(
    ("width", "height"), [(390, 844), (700, 450)], ids=["phone", "desktop at 200 %"]
)
def test_no_view_is_wider_than_the_screen(browser: Browser, width: int, height: int) -> None:
    browser.resize(width, height)
    wide = {}
    for view in VIEWS:
        go(browser, view)
        if view == "cameras":
            browser.wait_for("document.querySelector('#view td')")
        if (found := browser.ask("document.documentElement.scrollWidth")) > width:
            wide[view] = found
    assert wide == {}


def test_a_long_fault_leaves_every_view_in_reach(browser: Browser) -> None:
    browser.resize(1100, 800)
    fault = "document.querySelector('.health-reason').textContent = 'no such file '.repeat(40)"
    links = "document.getElementById('navigation')"
    assert browser.ask(f"({fault}, {links}.scrollWidth - {links}.clientWidth)") == 0


def test_nothing_is_complained_about(browser: Browser) -> None:
    browser.complaints()
    for view in VIEWS:
        go(browser, view)
    missing = [one for one in browser.complaints() if "snapshot.jpg" not in one]
    assert [one for one in missing if "/live/" not in one] == []  # this fleet has no video


def test_axe_finds_what_is_wrong(browser: Browser, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.html"
    wrong.write_text("<!doctype html><html lang=en><title>x</title><button></button></html>")
    browser.open(wrong.as_uri())
    assert [finding.partition(":")[0] for finding in serious_findings(browser)] == ["button-name"]
