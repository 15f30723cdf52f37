"""Logins of cameras that are added or changed over REST: where they are kept, and by whom used."""

from collections.abc import Iterator

import httpx
import pytest

from camfleet.service.sources import address_of
from camfleet_contracts.cameras_file import read_cameras
from camfleet_contracts.secret_references import resolve_credentials
from running_app import RunningApp, running_app


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("logins")) as app:
        yield app


@pytest.fixture
def client(app: RunningApp) -> Iterator[httpx.Client]:
    """With one camera in the file, which has no login."""
    app.file.write_text("cameras: [{name: yard, source: demo:street}]")
    app.fleet.follow_file()
    headers = {"authorization": f"Bearer {app.key}"}
    with httpx.Client(base_url=app.address, headers=headers, trust_env=False, timeout=60) as client:
        yield client


def test_a_login_in_the_address_goes_into_a_file_of_its_own(
    app: RunningApp, client: httpx.Client
) -> None:
    client.post("/v1/cameras", json={"name": "gate", "source": "rtsp://you:hunter2@10.0.0.5/x"})
    assert login_of(app, "gate") == ("rtsp://10.0.0.5/x", ("you", "hunter2"))
    change = {"source": "rtsp://you:hunter3@10.0.0.6/x"}
    client.patch("/v1/cameras/gate", json=change, headers={"if-match": "*"})
    assert login_of(app, "gate") == ("rtsp://10.0.0.6/x", ("you", "hunter3"))
    assert "hunter" not in app.file.read_text()


@pytest.mark.parametrize("key", ["source", "detect_source"])
def test_an_address_that_cannot_be_right_is_refused_without_its_password(
    app: RunningApp, client: httpx.Client, key: str
) -> None:
    entry = {"name": "gate", "source": "auto", key: "rtsp://you:hunt#er@10.0.0.5/x"}
    answer = client.post("/v1/cameras", json=entry)
    assert answer.status_code == 400
    assert f"{key}: the user or password in it holds" in answer.json()["error"]
    assert "er@" not in answer.text + app.file.read_text()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("rtsp://you:hunter2@10.0.0.5/sub", "rtsp://10.0.0.5/sub"),
        ("rtsp://10.0.0.5/sub", "rtsp://10.0.0.5/sub"),
    ],
    ids=["same", "none"],
)
def test_the_same_login_in_the_stream_to_analyse_goes_there_too(
    app: RunningApp, client: httpx.Client, typed: str, kept: str
) -> None:
    source = "rtsp://you:hunter2@10.0.0.5/x"
    client.post("/v1/cameras", json={"name": "gate", "source": source, "detect_source": typed})
    assert login_of(app, "gate") == ("rtsp://10.0.0.5/x", ("you", "hunter2"))
    camera = read_cameras(app.file).find("gate")
    assert camera is not None
    assert camera.detect_source == kept


def test_two_logins_of_a_camera_stay_each_in_its_address(
    app: RunningApp, client: httpx.Client
) -> None:
    both = {"source": "rtsp://you:hunter2@10.0.0.5/x", "detect_source": "rtsp://me:o@10.0.0.5/sub"}
    client.post("/v1/cameras", json={"name": "gate", **both})
    camera = read_cameras(app.file).find("gate")
    assert camera is not None
    assert address_of(camera, app.settings, app.keys) == both["detect_source"]
    assert camera.source == both["source"]


@pytest.mark.parametrize("shown", [{}, {"detect_source": "rtsp://***@10.0.0.5/sub"}])
def test_a_new_login_of_the_source_leaves_the_other_one_in_force(
    app: RunningApp, client: httpx.Client, shown: dict[str, str]
) -> None:
    both = {"source": "rtsp://you:hunter2@10.0.0.5/x", "detect_source": "rtsp://me:o@10.0.0.5/sub"}
    client.post("/v1/cameras", json={"name": "gate", **both})
    change = {"source": "rtsp://you:hunter3@10.0.0.5/x", **shown}
    client.patch("/v1/cameras/gate", json=change, headers={"if-match": "*"})
    camera = read_cameras(app.file).find("gate")
    assert camera is not None
    assert address_of(camera, app.settings, app.keys) == both["detect_source"]
    assert camera.source == change["source"]


def test_two_logins_take_the_place_of_the_one_there_was(
    app: RunningApp, client: httpx.Client
) -> None:
    client.post("/v1/cameras", json={"name": "gate", "source": "rtsp://you:hunter2@10.0.0.5/x"})
    both = {"source": "rtsp://you:hunter3@10.0.0.5/x", "detect_source": "rtsp://me:o@10.0.0.5/sub"}
    client.patch("/v1/cameras/gate", json=both, headers={"if-match": "*"})
    camera = read_cameras(app.file).find("gate")
    assert camera is not None
    assert camera.credentials is None
    assert (camera.source, camera.detect_source) == tuple(both.values())


def test_a_refused_change_leaves_the_login_of_the_camera_as_it_is(
    app: RunningApp, client: httpx.Client
) -> None:
    first = {"name": "gate", "source": "rtsp://you:hunter2@10.0.0.5/x"}
    other = {"name": "gate", "source": "rtsp://you:wrong@10.0.0.9/x"}
    client.post("/v1/cameras", json=first)
    assert client.post("/v1/cameras", json=other).status_code == 409
    outdated = client.patch("/v1/cameras/gate", json=other, headers={"if-match": '"old"'})
    assert outdated.status_code == 412
    assert login_of(app, "gate") == ("rtsp://10.0.0.5/x", ("you", "hunter2"))


def login_of(app: RunningApp, name: str) -> tuple[str, tuple[str, str] | None]:
    camera = read_cameras(app.file).find(name)
    assert camera is not None
    return camera.source, resolve_credentials(camera.credentials, {})
