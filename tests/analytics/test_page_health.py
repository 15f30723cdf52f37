"""The view of health in Chromium."""

import pytest

from browser import Browser
from page_steps import go
from running_app import RunningApp

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("admin_page")]


def test_every_service_has_a_light_with_its_reason(browser: Browser, page_app: RunningApp) -> None:
    page_app.server_watch.faults = ("cars v2 failed: model.onnx is cut off",)
    go(browser, "health")
    browser.wait_for_text(".lights", "model.onnx is cut off")
    page_app.server_watch.faults = ()


def test_frames_are_told_by_what_became_of_them(browser: Browser, page_app: RunningApp) -> None:
    pipeline = page_app.fleet.pipelines["door"]
    figures = pipeline.statistics
    figures.analysed, figures.still, figures.shared, figures.failed = 50, 20, 7, 3
    pipeline.source.slot.replaced = 2
    go(browser, "health")
    heads = ("Looked at", "of it repeated", "shared", "Lost")
    cells = "[...document.querySelectorAll('.health-view .card-table table')[0].querySelectorAll"
    browser.wait_for(f"{cells}('tbody td')].some((cell) => cell.textContent === '50')")
    named: list[str] = browser.ask(f"{cells}('thead th')].map((cell) => cell.textContent)")
    told: list[str] = browser.ask(f"{cells}('tbody tr > *')].map((cell) => cell.textContent)")
    assert [told[named.index(head)] for head in heads] == ["50", "20", "7", "5"]


def test_the_keyboard_stays_where_it_is_while_figures_change(
    browser: Browser, page_app: RunningApp
) -> None:
    go(browser, "health")
    browser.wait_for("document.querySelector('.card-table tbody a')?.checkVisibility()")
    browser.ask("document.querySelector('.card-table tbody a').focus()")
    page_app.fleet.pipelines["door"].statistics.analysed = 4711
    browser.wait_for_text(".card-table tbody", "4711")
    assert browser.ask("document.activeElement.textContent") == "door"
