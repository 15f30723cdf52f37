"""Who may change what over HTTP, and the line that every change leaves."""

from collections.abc import Iterator

import httpx
import pytest

from camfleet_contracts.access import SESSION_COOKIE
from running_app import RunningApp, running_app


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("audit"), streamer_port=9) as app:
        yield app


@pytest.fixture
def admin(app: RunningApp) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {app.key}"}
    with httpx.Client(base_url=app.address, headers=headers, trust_env=False, timeout=60) as client:
        yield client


@pytest.fixture
def browser(app: RunningApp) -> Iterator[httpx.Client]:
    """A client that is known by its session cookie only."""
    key = app.keys.check(app.key)
    assert key is not None
    cookies = {SESSION_COOKIE: app.keys.new_session(key)}
    with httpx.Client(base_url=app.address, cookies=cookies, trust_env=False, timeout=60) as client:
        yield client


def newest(client: httpx.Client) -> dict[str, object]:
    change: dict[str, object] = client.get("/v1/audit").json()["changes"][0]
    return change


def test_a_change_names_who_changed_what(admin: httpx.Client) -> None:
    patch = {"pipeline": {"lines": [], "fps": 4}}
    assert admin.patch("/v1/cameras/door", json=patch, headers={"if-match": "*"}).is_success
    change = newest(admin)
    assert (change["who"], change["role"], change["status"]) == ("test", "admin", 200)
    assert change["subject"] == "door: pipeline.lines, pipeline.fps"


def test_a_refused_change_says_why(admin: httpx.Client) -> None:
    admin.patch("/v1/cameras/door", json={"enabled": True}, headers={"if-match": '"old"'})
    change = newest(admin)
    assert (change["status"], "meanwhile" in str(change["reason"])) == (412, True)


def test_no_value_of_a_change_is_noted(admin: httpx.Client) -> None:
    secret = {"user": "me", "password": "hunter2"}
    assert admin.put("/v1/secrets/door", json=secret).status_code == 201
    entry = {"name": "rtsp-one", "source": "rtsp://me:hunter2@10.0.0.9/main", "enabled": False}
    assert admin.post("/v1/cameras", json=entry).status_code == 201
    assert "hunter2" not in admin.get("/v1/audit").text


def test_the_page_of_another_site_changes_nothing(app: RunningApp, browser: httpx.Client) -> None:
    foreign = {"if-match": "*", "origin": "https://evil.example"}
    answer = browser.delete("/v1/cameras/door", headers=foreign)
    assert (answer.status_code, "another site" in answer.json()["error"]) == (403, True)
    assert browser.post("/v1/events", content=b"{}", headers=foreign).status_code == 403
    own = {"if-match": "*", "origin": app.address}
    patch = {"pipeline": {"fps": 3}}
    assert browser.patch("/v1/cameras/door", json=patch, headers=own).status_code == 200


def test_a_page_learns_who_looks_at_it(app: RunningApp, browser: httpx.Client) -> None:
    assert browser.get("/v1/session").json() == {"name": "test", "role": "admin"}
    viewer = {"authorization": f"Bearer {app.keys.add('guest', 'viewer')}"}
    answer = httpx.get(f"{app.address}/v1/session", headers=viewer, trust_env=False, timeout=60)
    assert answer.json() == {"name": "guest", "role": "viewer"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/cameras"),
        ("PATCH", "/v1/cameras/door"),
        ("POST", "/v1/source-trials"),
        ("PUT", "/v1/secrets/door"),
        ("POST", "/v1/config/rollback"),
        ("POST", "/v1/advice"),
    ],
)
def test_a_viewer_changes_nothing(app: RunningApp, method: str, path: str) -> None:
    viewer = {"authorization": f"Bearer {app.keys.add(f'{method} {path}', 'viewer')}"}
    answer = httpx.request(
        method, app.address + path, json={}, headers=viewer, trust_env=False, timeout=60
    )
    assert (answer.status_code, "admin" in answer.json()["error"]) == (403, True)


def test_advice_says_whom_it_cannot_ask(admin: httpx.Client) -> None:
    answer = admin.post("/v1/advice")  # this application is not where its settings say
    assert (answer.status_code, "does not answer" in answer.json()["error"]) == (503, True)


def test_logging_out_takes_more_than_a_link(browser: httpx.Client) -> None:
    assert browser.get("/logout").status_code == 405
    answer = browser.post("/logout")
    assert (answer.status_code, SESSION_COOKIE in answer.headers["set-cookie"]) == (303, True)


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(app: RunningApp) -> None:
    answer = httpx.post(f"{app.address}/login", data={"key": app.key}, trust_env=False, timeout=60)
    cookie = answer.headers["set-cookie"].lower()
    assert ("httponly" in cookie, "samesite=lax" in cookie) == (True, True)
