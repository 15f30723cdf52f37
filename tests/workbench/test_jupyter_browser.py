"""JupyterLab in a real browser beside the demo: log in, run a notebook, see the pictures."""

import base64
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest
from selenium.webdriver.common.by import By

from browser import Browser, chromium
from camfleet_contracts.keys import KeyStore
from free_ports import free_port
from processes import running
from waiting import wait_until

pytestmark = pytest.mark.browser

NOTEBOOK = "object_detection.ipynb"
CELLS = "document.querySelectorAll('.jp-NotebookPanel .jp-CodeCell')"
RUN_MENU = "//div[contains(@class, 'lm-MenuBar-itemLabel')][text()='Run']"
RUN_ALL = "li[data-command='runmenu:run-all']"
PICTURES = f"[...{CELLS}].flatMap(cell => [...cell.querySelectorAll('.jp-OutputArea img')])"
ANSWER = f"{CELLS}[4].querySelector('.jp-OutputArea').textContent"
SLOW = re.compile(r"(ms|too long) to activate")  # JupyterLab warns of a busy machine
INDICATOR = "document.querySelector('.jp-Notebook-ExecutionIndicator')"
KERNEL_RESTS = f"{INDICATOR}?.dataset.status === 'idle'"
LOADED = f"{PICTURES}.filter(img => img.complete && img.naturalWidth > 0)"
NUMBERS = f"[...{CELLS}].map(cell => cell.querySelector('.jp-InputPrompt').textContent)"


class Workbench(NamedTuple):
    address: str
    key: str  # of an admin


@pytest.fixture
def workbench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    """JupyterLab of a fleet on the demo, as `make run` starts it."""
    for name in ("MODELS_DIR", "CAMFLEET_STATE", "CAMFLEET_CACHE", "CAMFLEET_NOTEBOOKS"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    for name in ("RTSP_PORT", "CAPTURE_HTTP_PORT", "GRPC_PORT", "REST_PORT", "STREAMER_PORT"):
        monkeypatch.setenv(name, str(free_port()))
    port = free_port()
    monkeypatch.setenv("JUPYTER_PORT", str(port))
    with running("camfleet", "up") as fleet:
        fleet.logged("camfleet is ready", 120)
        fleet.logged(r"listening jupyter=", 120)
        show_live_for(tmp_path / "camfleet_notebooks" / NOTEBOOK, 2)
        key = KeyStore(tmp_path / "camfleet_state" / "keys.json").add("ada", "admin")
        yield Workbench(f"http://127.0.0.1:{port}", key)


def show_live_for(notebook: Path, seconds: int) -> None:
    text = notebook.read_text()
    assert "SECONDS = 10 " in text
    notebook.write_text(text.replace("SECONDS = 10 ", f"SECONDS = {seconds} "))


def log_in(browser: Browser, workbench: Workbench) -> None:
    browser.open(f"{workbench.address}/lab/tree/{NOTEBOOK}")
    browser.driver.find_element(By.NAME, "password").send_keys(workbench.key)
    browser.driver.find_element(By.ID, "login_submit").click()


def has_kernel(workbench: Workbench) -> bool:
    """Whether the notebook that is open is connected with a kernel that waits for work."""
    request = urllib.request.Request(f"{workbench.address}/api/kernels")
    request.add_header("Authorization", f"Bearer {workbench.key}")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            kernels = json.load(answer)
    except urllib.error.HTTPError as error:  # Jupyter answers 500 for a kernel that is being made
        error.close()
        return False
    return any(one["connections"] and one["execution_state"] == "idle" for one in kernels)


def run_all(browser: Browser, workbench: Workbench) -> None:
    wait_until(lambda: has_kernel(workbench), 60, "a kernel for the notebook")
    browser.wait_for(KERNEL_RESTS, 60)
    browser.driver.find_element(By.XPATH, RUN_MENU).click()
    browser.wait_for(f'document.querySelector("{RUN_ALL}") !== null')
    browser.driver.find_element(By.CSS_SELECTOR, RUN_ALL).click()


def pictures_of(browser: Browser) -> list[Any]:
    """The pictures of the cells' outputs, decoded."""
    sources = browser.ask(f"{LOADED}.map(img => img.src)")
    blobs = [base64.b64decode(source.partition(",")[2]) for source in sources]
    return [cv2.imdecode(np.frombuffer(blob, np.uint8), cv2.IMREAD_COLOR) for blob in blobs]


def test_a_notebook_runs_in_the_browser_and_shows_what_the_camera_sees(
    workbench: Workbench,
) -> None:
    with chromium() as browser:
        browser.resize(1280, 1600)
        log_in(browser, workbench)
        run_all(browser, workbench)
        browser.wait_for(f"{LOADED}.length >= 3", 60)  # the newest, with boxes, and live
        browser.wait_for(f"{NUMBERS}.every(number => /^\\[\\d+\\]:$/.test(number))", 60)
        plain, boxed, live = pictures_of(browser)
        assert plain.shape == boxed.shape == live.shape == (360, 640, 3)
        assert plain.std() > 20  # a street, not one colour
        changed = (cv2.absdiff(plain, boxed).max(axis=2) > 60).mean()
        assert 0.005 < changed < 0.5  # boxes on the same picture
        assert re.search(r"'version': 1.*'(car|person)'", browser.ask(ANSWER), re.DOTALL)
        assert [one for one in browser.complaints() if not SLOW.search(one)] == []
