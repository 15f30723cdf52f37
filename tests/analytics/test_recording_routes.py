"""Clips and pictures of recordings through analytics, and models of the server beside them."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from camfleet.service.server_figures import ServerFigures
from camfleet_contracts.serving_config import put_model
from fakes_upstream import Upstream, serving
from running_app import RunningApp, running_app

AVAILABLE = {"error_code": "OK", "error_message": "OK"}
BROKEN = {"error_code": "UNKNOWN", "error_message": "model.onnx is cut off"}
CONFIG = {
    "cars": {
        "model_version_status": [
            {"version": "1", "state": "AVAILABLE", "status": AVAILABLE},
            {"version": "2", "state": "END", "status": BROKEN},
        ]
    }
}


@pytest.fixture(scope="module")
def others() -> Iterator[Upstream]:
    """Capture and the model server, as far as they are asked."""
    with serving() as upstream:
        upstream.files |= {
            "/cameras/door/clip?from=1&to=2": b"mp4 of the door",
            "/v1/config": json.dumps(CONFIG).encode(),
            "/v1/models/cars/manifest": b'{"id": "cars"}',
            "/v1/models/cars/versions/2/manifest": b'{"id": "cars", "newer": true}',
        }
        yield upstream


@pytest.fixture(scope="module")
def app(others: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    port = int(others.url.rpartition(":")[2])
    folder = tmp_path_factory.mktemp("recordings")
    with running_app(folder, capture_http=others.url, rest_port=port) as app:
        yield app


@pytest.fixture
def client(app: RunningApp) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {app.key}"}
    with httpx.Client(base_url=app.address, headers=headers, trust_env=False, timeout=60) as client:
        yield client


def test_a_clip_comes_from_capture(client: httpx.Client, others: Upstream) -> None:
    answer = client.get("/v1/cameras/door/clip", params={"from": "1", "to": "2", "apiKey": ""})
    assert answer.content == b"mp4 of the door"
    assert others.requests[0][0] == "/cameras/door/clip?from=1&to=2"


def test_what_capture_does_not_have_keeps_its_status(client: httpx.Client) -> None:
    assert client.get("/v1/cameras/door/snapshot.jpg", params={"at": "1"}).status_code == 404


def test_a_clip_needs_a_key(app: RunningApp) -> None:
    url = f"{app.address}/v1/cameras/door/clip?from=1&to=2"
    assert httpx.get(url, trust_env=False, timeout=60).status_code == 401


def test_models_are_listed_with_state_and_reason(client: httpx.Client) -> None:
    [cars] = client.get("/v1/models").json()["models"]
    states = [(one["version"], one["state"], one["reason"]) for one in cars["versions"]]
    assert states == [("1", "AVAILABLE", None), ("2", "END", "model.onnx is cut off")]


def test_faults_of_config_json_are_no_versions() -> None:
    broken = {"error_code": "UNKNOWN", "error_message": "config.json:2: ',' is missing"}
    none = {"model_version_status": [{"version": "0", "state": "END", "status": broken}]}
    told = json.dumps(CONFIG | {"config.json": none, "dogs": none}).encode()
    served = ServerFigures(lambda path: told if path == "/v1/config" else b"").served()
    assert served["config_fault"] == "config.json:2: ',' is missing"
    cars, dogs = served["models"]
    assert (cars["name"], cars["fault"], len(cars["versions"])) == ("cars", None, 2)
    assert dogs == {"name": "dogs", "fault": "config.json:2: ',' is missing", "versions": []}


def test_figures_are_of_the_time_between_two_looks() -> None:
    clock = iter([0.0, 2.0])
    answers = iter([metrics(requests=10, time_us=50_000), metrics(requests=20, time_us=150_000)])
    config = json.dumps(CONFIG).encode()
    figures = ServerFigures(
        lambda path: config if path == "/v1/config" else next(answers), lambda: next(clock)
    )
    figures.served()
    shown = figures.served()["models"][0]["versions"][0]
    assert (shown["requests_s"], shown["latency_ms"]) == (5.0, 10.0)


def metrics(requests: int, time_us: int) -> bytes:
    one = 'name="cars",version="1"'
    lines = (
        f"ovms_requests_success{{{one}}} {requests}",
        f"ovms_request_time_us_count{{{one}}} {requests}",
        f"ovms_request_time_us_sum{{{one}}} {time_us}",
    )
    return "\n".join(lines).encode()


def test_who_is_away_is_named(tmp_path: Path) -> None:
    with running_app(tmp_path, rest_port=9, capture_http="http://127.0.0.1:9") as app:
        headers = {"authorization": f"Bearer {app.key}"}
        with httpx.Client(
            base_url=app.address, headers=headers, trust_env=False, timeout=60
        ) as client:
            models = client.get("/v1/models").json()
            clip = client.get("/v1/cameras/door/clip?from=1&to=2")
    assert (models["models"], "does not answer" in models["reason"]) == ([], True)
    assert (clip.status_code, "capture" in clip.json()["error"]) == (502, True)


def test_a_model_card_is_the_versions_own(client: httpx.Client) -> None:
    url = "/v1/models/cars/manifest"
    assert client.get(url).json() == {"id": "cars"}
    assert client.get(url, params={"version": "2"}).json()["newer"]
    assert client.get("/v1/models/nothing/manifest").status_code == 404


def test_a_change_of_the_models_is_taken_back(app: RunningApp, client: httpx.Client) -> None:
    config = app.settings.models_dir / "config.json"
    config.write_text('{"model_config_list": []}')
    put_model(config, {"name": "cars", "base_path": "/models/cars"})
    [change] = client.get("/v1/config/changes").json()["changes"]
    assert change["added"] == ["cars"]
    asked = {"number": change["number"], "newest": change["number"]}
    answer = client.post("/v1/config/rollback", json=asked)
    assert answer.json()["taken_back"]["added"] == ["cars"]
    assert json.loads(config.read_text())["model_config_list"] == []


def test_who_did_not_see_the_newest_change_takes_nothing_back(
    app: RunningApp, client: httpx.Client
) -> None:
    config = app.settings.models_dir / "config.json"
    config.write_text('{"model_config_list": []}')
    put_model(config, {"name": "cars", "base_path": "/models/cars"})
    before = config.read_text()
    answer = client.post("/v1/config/rollback", json={"number": 1, "newest": 0})
    assert (answer.status_code, config.read_text()) == (412, before)
