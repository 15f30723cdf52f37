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
