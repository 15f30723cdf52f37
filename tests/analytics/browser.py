"""Headless Chromium on a page: what it plays, draws and complains about."""

import base64
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from waiting import wait_until

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


class Browser:
    """One tab."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, address: str) -> None:
        self.driver.get(address)

    def ask(self, script: str) -> Any:
        """The value of a JavaScript expression."""
        return self.driver.execute_script(f"return {script}")

    def text(self, selector: str) -> str:
        """Text of the first element that matches, as it is in the document."""
        value = self.ask(f"document.querySelector({json.dumps(selector)})?.textContent ?? ''")
        return str(value)

    def is_shown(self, selector: str) -> bool:
        return bool(self.ask(f"document.querySelector({json.dumps(selector)})?.checkVisibility()"))

    def wait_for(self, expression: str, timeout_s: float = 60) -> Any:
        """Wait until a JavaScript expression is true."""
        return wait_until(lambda: self.ask(expression), timeout_s, expression)

    def wait_for_text(self, selector: str, words: str, timeout_s: float = 60) -> None:
        wait_until(lambda: words in self.text(selector), timeout_s, f"'{words}' in {selector}")

    def resize(self, width: int, height: int) -> None:
        """Pretend a screen of this size; a narrow one is a phone's."""
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)

    def prefer(self, **features: str) -> None:
        """Set media features, e.g. prefer(color_scheme="dark")."""
        wanted = [
            {"name": f"prefers-{name.replace('_', '-')}", "value": value}
            for name, value in features.items()
        ]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wanted})

    def screenshot(self, target: Path) -> None:
        answer = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
        target.write_bytes(base64.b64decode(answer["data"]))

    def complaints(self) -> list[str]:
        """Errors and warnings of the console so far, violations of the policy among them."""
        log: list[dict[str, Any]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [entry["message"] for entry in log if entry["level"] in {"SEVERE", "WARNING"}]


def _options(profile: str, chromium: str) -> Options:
    options = Options()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return options


@contextmanager
def chromium() -> Iterator[Browser]:
    """A fresh browser; skips where Debian's chromium and chromium-driver are not installed."""
    found, driver_path = shutil.which("chromium"), shutil.which("chromedriver")
    if not found or not driver_path:
        pytest.skip("chromium is not installed; apt-get install chromium chromium-driver")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        driver = webdriver.Chrome(options=_options(profile, found), service=Service(driver_path))
        try:
            yield Browser(driver)
        finally:
            driver.quit()
