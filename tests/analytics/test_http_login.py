"""Who gets in over HTTP: by a login link, by a key, and what needs neither."""

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import httpx
import pytest

from camfleet_contracts.keys import TooManyChecks
from running_app import RunningApp, running_app


@pytest.fixture
def app(tmp_path: Path) -> Iterator[RunningApp]:
    with running_app(tmp_path) as running:
        yield running


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_health_needs_no_key(app: RunningApp, path: str) -> None:
    assert httpx.get(app.address + path, timeout=60).status_code == 200


@pytest.mark.parametrize("path", ["/v1/status", "/v1/cameras", "/v1/cameras/door"])
def test_everything_else_needs_a_key(app: RunningApp, path: str) -> None:
    assert httpx.get(app.address + path, timeout=60).status_code == 401


def test_link_logs_in_once(app: RunningApp) -> None:
    token = app.keys.new_login()
    with httpx.Client(base_url=app.address, timeout=60) as browser:
        answer = browser.get("/login", params={"token": token})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert browser.get("/v1/status").status_code == 200
        assert browser.get("/").status_code == 200
    with httpx.Client(base_url=app.address, timeout=60) as other:
        answer = other.get("/login", params={"token": token})
        assert answer.headers["location"] == "/login?failed=1"
        assert other.get("/v1/status").status_code == 401


def test_key_logs_in_by_the_form(app: RunningApp, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "camfleet.web.login")
    with httpx.Client(base_url=app.address, timeout=60) as browser:
        refused = browser.post("/login", data={"key": "wrong"})
        assert refused.headers["location"] == "/login?failed=1"
        browser.post("/login", data={"key": app.key})
        assert browser.get("/v1/status").status_code == 200
    assert "wrong key peer=127.0.0.1 times=1" in caplog.messages
    assert "logged in who=test role=admin peer=127.0.0.1" in caplog.messages


def test_login_is_told_to_come_again_when_too_many_try(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.keys, "start_check", Mock(side_effect=TooManyChecks))
    answer = httpx.post(app.address + "/login", data={"key": "wrong"}, timeout=60)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")


def test_login_reads_no_large_form(app: RunningApp) -> None:
    answer = httpx.post(app.address + "/login", data={"key": "x" * 5000}, timeout=60)
    assert (answer.status_code, answer.text) == (413, "the form is too large; send only the key\n")


def test_stranger_sees_the_login_in_place_of_the_page(app: RunningApp) -> None:
    answer = httpx.get(app.address + "/", timeout=60)
    assert answer.status_code == 401
    assert "default-src 'none'" in answer.headers["content-security-policy"]
