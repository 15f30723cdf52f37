"""Cameras changed over REST: what the file then says, and what is refused."""

import errno
import threading
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import httpx
import pytest

from camfleet_contracts import cameras_edit
from camfleet_contracts.cameras_edit import CamerasChanged
from running_app import RunningApp, running_app
from waiting import wait_until

CAMERAS = """
# the cameras of the yard
cameras:
  - name: door  # the front one
    source: rtsp://me:secret@10.0.0.1/main
    credentials: ${env:DOOR}
    pipeline:
      fps: 10  # enough
      model: cars
  - {name: yard, source: demo:street}
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("cameras"), CAMERAS) as app:
        yield app


@pytest.fixture
def client(app: RunningApp) -> Iterator[httpx.Client]:
    app.file.write_text(CAMERAS)
    app.fleet.follow_file()
    headers = {"authorization": f"Bearer {app.key}"}
    with httpx.Client(base_url=app.address, headers=headers, trust_env=False, timeout=60) as client:
        yield client


def tag(client: httpx.Client, name: str = "door") -> dict[str, str]:
    return {"if-match": client.get(f"/v1/cameras/{name}").headers["etag"]}


def test_a_new_camera_is_in_the_file_and_runs(app: RunningApp, client: httpx.Client) -> None:
    entry = {"name": "gate", "source": "demo:street", "pipeline": {"fps": 3}}
    answer = client.post("/v1/cameras", json=entry)
    assert (answer.status_code, answer.headers["location"]) == (201, "/v1/cameras/gate")
    assert answer.json()["pipeline"]["fps"] == 3
    wait_until(lambda: "gate" in app.fleet.pipelines, 60, "the camera runs")
    assert client.get("/v1/cameras/gate").headers["etag"] == answer.headers["etag"]


def test_what_a_new_camera_does_is_told_with_the_defaults_of_the_file(
    app: RunningApp, client: httpx.Client
) -> None:
    app.file.write_text("defaults: {model: cars, fps: 3}\ncameras: []\n")
    defaults = client.get("/v1/cameras").json()["defaults"]
    shown = {key: defaults["pipeline"][key] for key in ("model", "fps", "confidence")}
    assert shown == {"model": "cars", "fps": 3, "confidence": 0.5}
    assert defaults["capture"]["rotation"] == 0


def test_added_camera_is_shown_before_it_runs(
    app: RunningApp, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    following = threading.Event()
    monkeypatch.setattr(app.fleet, "listener", lambda _: following.wait(60))
    added = client.post("/v1/cameras", json={"name": "shed", "source": "demo:street"})
    shown = client.get("/v1/cameras/shed")
    following.set()
    assert (shown.status_code, shown.json()["state"]) == (200, "STARTING")
    assert shown.headers["etag"] == added.headers["etag"]


def test_disabled_camera_is_shown_as_such(client: httpx.Client) -> None:
    client.post("/v1/cameras", json={"name": "attic", "source": "demo:street", "enabled": False})
    listed = client.get("/v1/cameras").json()["cameras"]
    assert client.get("/v1/cameras/attic").json()["state"] == "DISABLED"
    assert [camera["name"] for camera in listed] == ["door", "yard", "attic"]


@pytest.mark.parametrize("text", ["cameras: {", ""], ids=["bad", "empty"])
def test_file_that_cannot_be_used_shows_the_last_good_cameras(
    app: RunningApp, client: httpx.Client, text: str
) -> None:
    good = client.get("/v1/cameras/door").json()
    app.file.write_text(text)
    assert client.get("/v1/cameras/door").json() == good


def test_some_values_change_and_comments_stay(app: RunningApp, client: httpx.Client) -> None:
    answer = client.patch("/v1/cameras/door", json={"pipeline": {"fps": 2}}, headers=tag(client))
    assert (answer.status_code, answer.json()["pipeline"]["fps"]) == (200, 2)
    kept = ("fps: 2 ", "# enough", "# the front one", "model: cars")
    assert [words for words in kept if words not in app.file.read_text()] == []


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        (
            {"pipeline": {"fps": 0, "model": "a:b:c"}},
            {"pipeline.fps": "greater than 0", "pipeline.model": "a:b:c"},
        ),
        ({"capture": {"size": "big"}}, {"capture.size": "should be WIDTHxHEIGHT, such as"}),
        ({"detect_source": "gopher://x"}, {"detect_source": "scheme 'gopher' is not one of"}),
        ({"credentials": "me:hunter2"}, {"credentials": "never the secret itself"}),
        ({"pipeline": {"sinks": ["mqqt"]}}, {"pipeline.sinks": "'mqqt' is not under"}),
        (
            {"pipeline": {"cascade": [{"name": "A B", "model": "x"}]}},
            {"pipeline.cascade.0.name": ""},
        ),
        (
            {"pipeline": {"cascade": [{"name": "face", "model": "x"}] * 2}},
            {"pipeline.cascade": "the name 'face' is there twice"},
        ),
        ({"pipeline": {"idle": {}}}, {"pipeline.idle": "set motion: true"}),
        ({"capture": {"real_time": False}}, {"capture.real_time": "waits for nobody"}),
    ],
    ids=[
        *("numbers", "size", "stream", "secret", "sink", "second model", "named twice"),
        *("rest without a gate", "a scene as fast as it goes"),
    ],
)
def test_a_refused_change_says_which_field_is_wrong_and_why(
    client: httpx.Client, change: dict[str, object], fields: dict[str, str]
) -> None:
    answer = client.patch("/v1/cameras/door", json=change, headers=tag(client))
    told = answer.json()
    assert (answer.status_code, told["camera"]) == (400, "door")
    assert told["fields"].keys() == fields.keys()
    assert [path for path, words in fields.items() if words not in told["fields"][path]] == []
    assert "hunter2" not in answer.text


def test_null_takes_a_value_out(client: httpx.Client) -> None:
    answer = client.patch("/v1/cameras/door", json={"pipeline": {"fps": None}}, headers=tag(client))
    assert answer.json()["pipeline"]["fps"] == 5


def test_what_was_read_can_be_written_back_and_loses_no_secret(
    app: RunningApp, client: httpx.Client
) -> None:
    read = client.get("/v1/cameras/door")
    assert "secret" not in read.text
    headers = {"if-match": read.headers["etag"]}
    answer = client.put("/v1/cameras/door", json=read.json(), headers=headers)
    assert (answer.status_code, answer.headers["etag"]) == (200, read.headers["etag"])
    assert "secret" not in answer.text
    assert "rtsp://me:secret@10.0.0.1/main" in app.file.read_text()
    assert "${env:DOOR}" in app.file.read_text()


def test_credentials_go_when_they_are_taken_out(app: RunningApp, client: httpx.Client) -> None:
    client.patch("/v1/cameras/door", json={"credentials": None}, headers=tag(client))
    assert "${env:DOOR}" not in app.file.read_text()


def test_a_removed_camera_is_gone(app: RunningApp, client: httpx.Client) -> None:
    assert client.delete("/v1/cameras/yard", headers=tag(client, "yard")).status_code == 204
    wait_until(lambda: "yard" not in app.fleet.pipelines, 60, "the camera ends")


def test_a_change_of_what_another_changed_is_refused(client: httpx.Client) -> None:
    old = tag(client)
    client.patch("/v1/cameras/door", json={"pipeline": {"fps": 2}}, headers=old)
    answer = client.patch("/v1/cameras/door", json={"pipeline": {"fps": 3}}, headers=old)
    assert (answer.status_code, "changed meanwhile" in answer.json()["error"]) == (412, True)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("POST", "/v1/cameras", {"name": "door", "source": "x.mp4"}, 409, "already"),
        ("POST", "/v1/cameras", {"name": "A!", "source": "x.mp4"}, 400, "1 to 32"),
        ("POST", "/v1/cameras", {"name": "b", "source": "ftp://x"}, 400, "ftp"),
        ("POST", "/v1/cameras", ["b"], 400, "one object"),
        ("PUT", "/v1/cameras/attic", {"source": "x.mp4"}, 404, "attic"),
        ("PUT", "/v1/cameras/door", {"name": "new", "source": "x.mp4"}, 400, "name"),
        ("PATCH", "/v1/cameras/door", {"colour": "red"}, 400, "colour"),
        ("PATCH", "/v1/cameras/door", {"pipeline": {"fps": -1}}, 400, "greater than 0"),
    ],
)
def test_what_cannot_be_done_is_refused_and_the_file_stays(
    app: RunningApp,
    client: httpx.Client,
    method: str,
    path: str,
    body: object,
    status: int,
    words: str,
) -> None:
    answer = client.request(method, path, json=body, headers={"if-match": "*"})
    assert (answer.status_code, words in answer.json()["error"]) == (status, True), answer.text
    assert app.file.read_text() == CAMERAS


def test_a_file_changed_by_hand_meanwhile_is_a_failed_precondition(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = CamerasChanged(Path("cameras.yaml"), "was changed meanwhile")
    monkeypatch.setattr(cameras_edit, "_replace", Mock(side_effect=fault))
    answer = client.patch("/v1/cameras/door", json={"enabled": False}, headers={"if-match": "*"})
    assert (answer.status_code, "meanwhile" in answer.json()["error"]) == (412, True)


@pytest.mark.parametrize(
    ("code", "status"), [(errno.ENOSPC, 507), (errno.EACCES, 500)], ids=["full", "no right"]
)
def test_a_file_that_cannot_be_written_is_an_answer_in_json(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, code: int, status: int
) -> None:
    monkeypatch.setattr(cameras_edit, "write_over", Mock(side_effect=OSError(code, "no way")))
    answer = client.patch("/v1/cameras/door", json={"enabled": False}, headers={"if-match": "*"})
    assert (answer.status_code, answer.json()["error"]) == (status, "cameras.yaml: no way")


def test_a_file_that_is_no_utf8_is_a_bad_request(app: RunningApp, client: httpx.Client) -> None:
    app.file.write_bytes(b"cameras: []  # \xff\n")
    answer = client.post("/v1/cameras", json={"name": "gate", "source": "demo:street"})
    assert (answer.status_code, "UTF-8" in answer.json()["error"]) == (400, True)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_change_must_say_what_it_was_made_from(client: httpx.Client, method: str) -> None:
    answer = client.request(method, "/v1/cameras/door", json={})
    assert (answer.status_code, "If-Match" in answer.json()["error"]) == (428, True)


def test_only_json_is_read(client: httpx.Client) -> None:
    answer = client.post("/v1/cameras", content=b"name=x", headers={"content-type": "text/plain"})
    assert answer.status_code == 415
    large = client.post("/v1/cameras", json={"name": "x" * 100_000})
    assert large.status_code == 413


def test_a_viewer_may_look_and_not_change(app: RunningApp, client: httpx.Client) -> None:
    headers = {"authorization": f"Bearer {app.keys.add('looker', 'viewer')}", "if-match": "*"}
    assert client.get("/v1/cameras", headers=headers).status_code == 200
    answer = client.delete("/v1/cameras/door", headers=headers)
    assert (answer.status_code, "admin" in answer.json()["error"]) == (403, True)
