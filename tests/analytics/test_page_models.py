"""The view of models in Chromium: what is served, was loaded and changed, and what is wrong."""

import json
from typing import Any

import pytest

from axe import serious_findings
from browser import Browser
from camfleet_contracts.serving_config import put_model
from fakes_upstream import Upstream
from fixtures_page import CONFIG, LOADS
from page_steps import go, press
from running_app import RunningApp

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("admin_page")]


def test_models_are_shown_and_a_change_is_rolled_back(
    browser: Browser, page_app: RunningApp
) -> None:
    config = page_app.settings.models_dir / "config.json"
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
    browser: Browser, page_upstream: Upstream
) -> None:
    go(browser, "models")
    browser.wait_for_text(".loads", "cars v2: refused (0.25 s)")
    assert "model.onnx is cut off" in browser.text(".loads")
    assert "cars v1: loaded (12 s)" in browser.text(".loads")
    assert "18:00:09 UTC" in browser.ask("document.querySelector('.loads time').title")
    told = page_upstream.files["/v1/config/loads"]
    page_upstream.files["/v1/config/loads"] = json.dumps(
        {"loads": [LOADS["loads"][1] | {"outcome": "reloaded", "took_s": 1}, *LOADS["loads"]]}
    ).encode()
    browser.wait_for_text(".loads", "cars v1: reloaded")
    del page_upstream.files["/v1/config/loads"]
    browser.wait_for_text(".loads", "keeps no list of its loads")
    page_upstream.files["/v1/config/loads"] = told


def test_what_no_model_can_be_made_of_is_told_as_a_fault(
    browser: Browser, page_upstream: Upstream
) -> None:
    told = page_upstream.files["/v1/config"]
    page_upstream.files["/v1/config"] = json.dumps(
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
    assert browser.text(f"{dogs} .hint") == "used by no camera"
    assert serious_findings(browser) == []
    page_upstream.files["/v1/config"] = told
    browser.wait_for("document.querySelector('.config-fault').hidden")


def no_version(reason: str) -> dict[str, Any]:
    """How the server tells what is wrong where there is no version."""
    status = {"error_code": "NOT_FOUND", "error_message": reason}
    return {"model_version_status": [{"version": "0", "state": "END", "status": status}]}
