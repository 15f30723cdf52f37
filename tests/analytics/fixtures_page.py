"""The page in Chromium, in two ways.

`page_app` is the real application with scripted cameras; `page_fleet` at `page_address` is a
scripted fleet with real live video.
"""

import json
from collections.abc import Iterator

import pytest

from browser import Browser, chromium
from fakes_page import FilmedCamera, ScriptedFleet, camera_status, running, served
from fakes_upstream import Upstream, serving
from page_steps import log_in
from running_app import ONE_CAMERA, RunningApp, running_app
from test_past_events import crossing

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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as tab:
        yield tab


@pytest.fixture(scope="module")
def page_upstream() -> Iterator[Upstream]:
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
def page_app(
    page_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningApp]:
    port = int(page_upstream.url.rpartition(":")[2])
    folder = tmp_path_factory.mktemp("views")
    with running_app(folder, capture_http=page_upstream.url, rest_port=port) as app:
        for number in range(130):
            app.journal.append(crossing(number))
        yield app


@pytest.fixture
def admin_page(page_app: RunningApp, browser: Browser) -> Iterator[None]:
    """An admin looks at a camera with its first line; the page is left before the next test."""
    page_app.file.write_text(ONE_CAMERA)
    page_app.fleet.follow_file()
    browser.resize(1400, 900)
    log_in(browser, page_app, "admin")
    yield
    browser.open("about:blank")


@pytest.fixture
def page_fleet() -> ScriptedFleet:
    return ScriptedFleet(
        cameras=[camera_status("street")],
        services=[{"name": "model-server", "state": "ok", "reason": None}],
    )


@pytest.fixture
def page_address(page_fleet: ScriptedFleet, browser: Browser) -> Iterator[str]:
    """The page with one playing camera; the browser leaves it before it ends."""
    browser.resize(1400, 900)
    with (
        served(page_fleet.app()) as url,
        running([FilmedCamera(page_fleet, "street")], page_fleet.hub.close),
    ):
        yield url
        browser.open("about:blank")
