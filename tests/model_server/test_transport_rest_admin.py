"""What operators ask over REST, and the REST port itself."""

import ipaddress
from collections.abc import Iterator
from pathlib import Path

import pytest

from camfleet_contracts.key_entries import Role
from camfleet_contracts.keys import KeyStore
from camfleet_server.errors import ReloadFailed
from camfleet_server.metrics import ServerMetrics
from camfleet_server.transports.listening import PortTaken
from camfleet_server.transports.rest.app import build_app
from camfleet_server.transports.rest.server import RestServer
from fakes_model_server import FakeDataPlane
from transport_callers import RestCaller, serving_rest

MANIFEST = "/v1/models/increment/manifest"


@pytest.fixture(scope="module")
def server() -> Iterator[RestCaller]:
    with serving_rest() as caller:
        yield caller


@pytest.fixture
def caller(server: RestCaller) -> Iterator[RestCaller]:
    yield server
    server.plane.reload_result = False
    server.plane.is_ready = True


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    store = KeyStore(tmp_path / "keys.json")
    store.ensure()
    return store


def test_config_has_the_form_of_ovms_and_the_reason_of_the_failed(caller: RestCaller) -> None:
    states = caller.get("/v1/config").json()
    assert set(states) == {"increment", "pair", "echo"}
    assert states["increment"]["model_version_status"][0] == {
        "version": "3",
        "state": "LOADING",
        "status": {
            "error_code": "UNKNOWN",
            "error_message": "version 3: model.xml is truncated",
        },
    }


def test_last_loads_are_told_with_time_outcome_reason_and_duration(caller: RestCaller) -> None:
    assert caller.get("/v1/config/loads").json() == {
        "loads": [
            {
                "time": "2026-11-29T18:00:09.000Z",
                "model": "increment",
                "version": 3,
                "outcome": "refused",
                "reason": "model.onnx is cut off",
                "took_s": 0.25,
            },
            {
                "time": "2026-11-29T18:00:00.000Z",
                "model": "increment",
                "version": 2,
                "outcome": "loaded",
                "reason": None,
                "took_s": 1.235,
            },
        ]
    }


@pytest.mark.parametrize(("changed", "status"), [(True, 201), (False, 200)])
def test_reload_tells_whether_something_changed(
    caller: RestCaller, changed: bool, status: int
) -> None:
    caller.plane.reload_result = changed
    response = caller.post("/v1/config/reload")
    assert response.status_code == status
    assert "increment" in response.json()


def test_refused_reload_tells_why(caller: RestCaller) -> None:
    caller.plane.reload_result = ReloadFailed("config.json:3: no comma")
    response = caller.post("/v1/config/reload")
    assert response.status_code == 412
    expected = "Reloading config file failed. config.json:3: no comma"
    assert response.json() == {"error": expected}


def test_manifest_comes_once_and_304_after(caller: RestCaller) -> None:
    first = caller.get(MANIFEST)
    again = caller.get(MANIFEST, headers={"if-none-match": first.headers["etag"]})
    assert first.json() == {"id": "increment", "version": 2}
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("header", "status"),
    [('W/"etag-increment-2"', 304), ('"x", "etag-increment-2"', 304), ("*", 304), ('"x"', 200)],
)
def test_if_none_match_takes_weak_tags_lists_and_any(
    caller: RestCaller, header: str, status: int
) -> None:
    assert caller.get(MANIFEST, headers={"if-none-match": header}).status_code == status


def test_manifest_of_a_version(caller: RestCaller) -> None:
    assert caller.get("/v1/models/increment/versions/1/manifest").json()["version"] == 1


def test_health_and_readiness_with_what_is_wrong(caller: RestCaller) -> None:
    assert caller.get("/healthz").status_code == 200
    assert caller.get("/readyz").json() == {
        "ready": True,
        "faults": ["version 3: model.xml is truncated"],
    }
    caller.plane.is_ready = False
    assert caller.get("/readyz").status_code == 503


def test_metrics_are_prometheus_text(caller: RestCaller) -> None:
    caller.get("/v2/models/increment")
    response = caller.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert (
        'ovms_requests_success{name="increment",version="2",api="KServe",interface="REST",'
        'method="ModelMetadata"}'
    ) in response.text


def test_metrics_that_are_switched_off_say_how(
    caller: RestCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caller.metrics, "is_on", False)
    response = caller.get("/metrics")
    assert response.status_code == 404
    assert "--metrics_enable" in response.json()["error"]


@pytest.mark.parametrize(
    "body", [b"12345678901", iter([b"123456", b"78901"])], ids=["declared", "chunked"]
)
def test_a_body_that_is_too_large_is_refused(
    caller: RestCaller, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setattr("camfleet_server.transports.rest.bodies.MAX_BODY_BYTES", 10)
    response = caller.post("/v2/models/pair/infer", content=body)
    assert response.status_code == 413
    assert response.json()["error"] == "Request body exceeds 10 bytes"


def test_a_taken_port_is_refused_by_name(caller: RestCaller) -> None:
    second = RestServer(build_app(FakeDataPlane(), ServerMetrics()))
    with pytest.raises(PortTaken, match=f"127.0.0.1:{caller.port}.*--rest_port"):
        second.bind("127.0.0.1", caller.port)


@pytest.mark.parametrize("path", ["/v1/config", "/v2", "/v1/models/increment"])
def test_beyond_loopback_paths_need_a_key(keys: KeyStore, path: str) -> None:
    key = keys.add("laptop", "viewer")
    with serving_rest(keys=keys) as guarded:
        with_key = guarded.get(path, headers={"authorization": f"Bearer {key}"})
        assert guarded.get(path).status_code == 401
        assert with_key.status_code == 200


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("service", 200), ("admin", 200)])
def test_a_viewer_changes_nothing(keys: KeyStore, role: Role, status: int) -> None:
    headers = {"x-api-key": keys.add("laptop", role)}
    with serving_rest(keys=keys) as guarded:
        assert guarded.post("/v1/config/reload", headers=headers).status_code == status
        assert guarded.get("/v1/config", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"])
def test_health_needs_no_key(keys: KeyStore, path: str) -> None:
    with serving_rest(keys=keys, networks=(ipaddress.ip_network("10.0.0.0/8"),)) as guarded:
        assert guarded.get(path).status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://evil.example", 403),
        ("http://evil.example:8000", 403),
        ("null", 403),
        ("http://[", 403),
        ("http://localhost:8080", 200),
        ("http://127.0.0.1:8080", 200),
        ("http://[::1]:8080", 200),
    ],
)
def test_pages_of_other_sites_do_not_control_a_server_without_keys(
    caller: RestCaller, origin: str, status: int
) -> None:
    response = caller.post("/v1/config/reload", headers={"origin": origin})
    assert response.status_code == status


def test_a_page_of_another_site_may_control_with_a_key(keys: KeyStore) -> None:
    key = keys.add("operator", "admin")
    headers = {"authorization": f"Bearer {key}", "origin": "https://fleet.example"}
    with serving_rest(keys=keys) as caller:
        assert caller.post("/v1/config/reload", headers=headers).status_code == 200
