"""What holds for every view of the page, in Chromium."""

from pathlib import Path

import pytest

from axe import serious_findings
from browser import Browser
from camfleet_contracts.serving_config import put_model
from page_steps import VIEWS, go, log_in
from running_app import RunningApp

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("admin_page")]


def test_a_viewer_sees_no_way_to_change_anything(browser: Browser, page_app: RunningApp) -> None:
    log_in(browser, page_app, "viewer")
    config = page_app.settings.models_dir / "config.json"
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


def test_a_viewer_is_not_told_to_change_anything(browser: Browser, page_app: RunningApp) -> None:
    log_in(browser, page_app, "viewer")
    page_app.tell_of_capture()
    go(browser, "events")
    browser.wait_for("document.querySelector('.event-row')")
    browser.ask("document.querySelector('.event-row').click()")
    browser.wait_for_text(".clip", "is not recorded")
    assert browser.text(".clip a") == ""
    page_app.file.write_text("cameras: [{name: yard, source: demo:street}]")
    page_app.fleet.follow_file()
    go(browser, "camera/yard")
    browser.wait_for_text(".plots .hint", "Nothing was counted in this time.")
    assert "Draw a line" not in browser.text(".plots .hint")


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


LONG = "names-of-32-letters-stay-readable"[:32]
LONG_NAMES = f"""
cameras:
  - name: {LONG}
    source: demo:street
    pipeline:
      model: cars
      lines: [{{name: {"a line with a long name " * 2}, from: [0, 0.5], to: [1, 0.5]}}]
      zones: [{{name: {"unbreakable" * 5}, polygon: [[0, 0], [1, 0], [1, 1]]}}]
"""


@pytest.mark.parametrize("width", [360, 1400])
def test_numbers_stay_in_sight_beside_long_names(
    browser: Browser, page_app: RunningApp, width: int
) -> None:
    browser.resize(width, 800)
    page_app.file.write_text(LONG_NAMES)
    page_app.fleet.follow_file()
    cut = {}
    for view in ("", f"camera/{LONG}", *(["health"] if width > 1000 else [])):
        go(browser, view)
        browser.wait_for("document.querySelector('#view tbody th')?.checkVisibility()")
        cut[view] = browser.ask(
            "[...document.querySelectorAll('#view table')].filter((one) => one.checkVisibility()"
            " && one.offsetWidth > one.parentElement.clientWidth).length"
        )
    assert set(cut.values()) == {0}, cut


@pytest.mark.parametrize(
    ("address", "title"),
    [("camera/%zz", "%zz"), ("camera", "Wall"), ("constructor", "Wall"), ("%", "Wall")],
)
def test_an_odd_address_leads_somewhere(browser: Browser, address: str, title: str) -> None:
    go(browser, "health")
    browser.ask(f"void (location.hash = '#/{address}')")
    browser.wait_for(f"document.title === '{title} · camfleet'")
    assert "undefined" not in browser.text("#view h1")


def test_a_long_fault_leaves_every_view_in_reach(browser: Browser) -> None:
    browser.resize(1100, 800)
    fault = "document.querySelector('.health-reason').textContent = 'no such file '.repeat(40)"
    links = "document.getElementById('navigation')"
    assert browser.ask(f"({fault}, {links}.scrollWidth - {links}.clientWidth)") == 0


def test_all_views_are_in_the_bar_of_a_phone(browser: Browser) -> None:
    browser.resize(390, 844)
    links = "document.getElementById('navigation')"
    browser.wait_for(f"{links}.clientWidth < 390")
    assert browser.ask(f"{links}.scrollWidth - {links}.clientWidth") == 0


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
