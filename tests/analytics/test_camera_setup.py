"""Sources that are tried before they are cameras, and secrets that are written and never shown."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock, call

import httpx
import pytest

from camfleet.service import source_trial
from camfleet_contracts.secret_references import resolve_credentials
from fakes_live import ClipPlan, make_clip
from running_app import RunningApp, running_app


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("setup")) as app:
        yield app


@pytest.fixture
def client(app: RunningApp) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {app.key}"}
    with httpx.Client(base_url=app.address, headers=headers, trust_env=False, timeout=30) as client:
        yield client


def test_a_trial_says_what_comes_and_shows_it(client: httpx.Client, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(make_clip(ClipPlan(frames=10)))
    found = client.post("/v1/source-trials", json={"source": str(clip)}).json()
    assert (found["codec"], found["width"], found["height"]) == ("h264", 320, 180)
    assert found["picture"].startswith("data:image/jpeg;base64,")


def test_a_source_is_tried_with_the_login_that_was_typed_or_the_one_of_its_camera(
    app: RunningApp, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Mock(return_value={})
    monkeypatch.setattr(source_trial, "_seen", seen)
    secret = client.put("/v1/secrets/gate", json={"user": "me", "password": "kept"}).json()
    client.post("/v1/cameras", json={"name": "gate", "source": "demo:street", **secret})
    for login in ({"user": "me", "password": "p/w"}, {"camera": "gate"}, {}):
        asked = {"source": "rtsp://10.0.0.9/x", **login}
        assert client.post("/v1/source-trials", json=asked).status_code == 200
    assert seen.call_args_list == [
        call("rtsp://me:p%2Fw@10.0.0.9/x"),
        call("rtsp://me:kept@10.0.0.9/x"),
        call("rtsp://10.0.0.9/x"),
    ]


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({"source": "/nowhere.mp4"}, 422, "No such file"),
        ({"source": "ftp://10.0.0.1/x"}, 422, "ftp"),
        ({"source": "/dev/video9"}, 422, "only capture opens a v4l2 source"),
        (
            {"source": "rtsp://127.0.0.1:9/x", "credentials": "${env:NOT_SET_HERE}"},
            422,
            "not there",
        ),
        ({"camera": "attic"}, 404, "attic"),
        ({"source": "x.mp4", "user": "a:b", "password": "x"}, 400, "without a colon"),
        ({"source": "x.mp4", "credentials": 7}, 400, "${env:NAME}"),
        ({}, 400, "source"),
    ],
)
def test_what_cannot_be_tried_says_why(
    client: httpx.Client, asked: dict[str, str], status: int, words: str
) -> None:
    answer = client.post("/v1/source-trials", json=asked)
    assert (answer.status_code, words in answer.json()["error"]) == (status, True), answer.text


def test_a_camera_that_capture_cannot_read_is_not_waited_for(
    app: RunningApp, client: httpx.Client
) -> None:
    app.tell_of_capture(cameras={"door": {"state": "FAILED", "reason": "not there"}})
    answer = client.post("/v1/source-trials", json={"camera": "door"})
    assert answer.json()["error"] == "camera 'door' is FAILED: not there"


def test_a_secret_becomes_a_file_that_only_its_owner_reads(
    app: RunningApp, client: httpx.Client
) -> None:
    answer = client.put("/v1/secrets/door", json={"user": "me", "password": "p:w"})
    reference = answer.json()["credentials"]
    file = app.settings.state_dir / "secrets" / "door"
    assert (answer.status_code, "p:w" in answer.text) == (201, False)
    assert file.stat().st_mode & 0o777 == 0o600
    assert resolve_credentials(reference, {}) == ("me", "p:w")


def test_the_secret_of_a_new_camera_replaces_none_of_a_camera_that_is_there(
    app: RunningApp, client: httpx.Client
) -> None:
    secret, is_new = {"user": "me", "password": "other"}, {"if-none-match": "*"}
    client.put("/v1/secrets/door", json={"user": "me", "password": "mine"})
    answer = client.put("/v1/secrets/door", json=secret, headers=is_new)
    assert (answer.status_code, "'door' is in" in answer.json()["error"]) == (409, True)
    assert (app.settings.state_dir / "secrets" / "door").read_text() == "me:mine\n"
    assert client.put("/v1/secrets/barn", json=secret, headers=is_new).status_code == 201


@pytest.mark.parametrize(
    ("method", "change"),
    [
        ("DELETE", None),
        ("PATCH", {"credentials": "${env:BARN}"}),
        ("PUT", {"source": "rtsp://b/1"}),
    ],
    ids=["removed", "other credentials", "replaced"],
)
def test_the_secret_of_a_camera_is_there_as_long_as_cameras_yaml_names_it(
    app: RunningApp, client: httpx.Client, method: str, change: dict[str, Any] | None
) -> None:
    entry = {"name": "barn", "source": "rtsp://me:mine@10.0.0.5/live"}
    assert client.post("/v1/cameras", json=entry).status_code == 201
    file = app.settings.state_dir / "secrets" / "barn"
    assert file.read_text() == "me:mine\n"
    answer = client.request(method, "/v1/cameras/barn", json=change, headers={"if-match": "*"})
    assert answer.is_success
    assert file.exists() == (method == "PUT")  # which keeps credentials it does not name
    client.delete("/v1/cameras/barn", headers={"if-match": "*"})


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("Door", {"user": "me", "password": "x"}),
        ("door", {"user": "a:b", "password": "x"}),
        ("door", {"user": "me", "password": "x\ny"}),
        ("door", {"user": "me"}),
    ],
    ids=["name", "colon", "two lines", "no password"],
)
def test_a_secret_that_could_not_be_read_again_is_refused(
    client: httpx.Client, name: str, secret: dict[str, Any]
) -> None:
    assert client.put(f"/v1/secrets/{name}", json=secret).status_code == 400
