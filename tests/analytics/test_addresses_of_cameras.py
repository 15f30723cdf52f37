"""Where analytics reads a camera from."""

from pathlib import Path
from typing import Any

import pytest

from camfleet.service.sources import address_of
from camfleet.video.addresses import normal_form
from camfleet_contracts.cameras import Camera
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.settings import read_settings

CAPTURE = "rtsp://127.0.0.1:8554"
SUB = "rtsp://a/2"
MASKED = {"masks": [[0, 0, 0.5, 1]]}


def address(folder: Path, capture: str, values: dict[str, Any]) -> str:
    camera = Camera.model_validate({"name": "door", "source": "rtsp://a/1", **values})
    settings = read_settings(state_dir=folder, capture=capture)
    return address_of(camera, settings, KeyStore(folder / "keys.json"))


@pytest.mark.parametrize(
    ("capture", "values", "expected"),
    [
        pytest.param(CAPTURE, {}, f"{CAPTURE}/door", id="capture"),
        pytest.param("", {}, "rtsp://a/1", id="no capture"),
        pytest.param(CAPTURE, {"detect_source": SUB}, SUB, id="sub-stream"),
        pytest.param(
            CAPTURE,
            {"detect_source": SUB, "capture": MASKED},
            f"{CAPTURE}/door-sub",
            id="masked sub-stream",
        ),
    ],
)
def test_a_camera_is_read_where_its_pictures_may_be_seen(
    tmp_path: Path, capture: str, values: dict[str, Any], expected: str
) -> None:
    assert address(tmp_path, capture, values) == expected


@pytest.mark.parametrize("source", ["rtsp://old:word@a/2", "rtsp://a/2"])
def test_credentials_come_before_a_login_in_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.setenv("DOOR", "me:new")
    values = {"detect_source": source, "credentials": "${env:DOOR}"}
    assert address(tmp_path, CAPTURE, values) == "rtsp://me:new@a/2"


def test_masks_are_never_passed_by_where_there_is_no_capture(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="rotation and masks need capture"):
        address(tmp_path, "", {"capture": MASKED})


@pytest.mark.parametrize(
    "values",
    [
        {"detect_source": "rtsp://capture:8554/yard"},
        {"source": "rtsp://capture:8554/yard"},
        {"source": "rtsp://capture:8554/yard", "credentials": "${env:NOT_SET}"},
    ],
    ids=["detect_source", "source", "credentials are for the camera"],
)
def test_another_camera_at_capture_is_read_with_the_fleets_own_key(
    tmp_path: Path, values: dict[str, Any]
) -> None:
    found = address(tmp_path, "rtsp://capture:8554", values)
    secret = KeyStore(tmp_path / "keys.json").fleet_secret()
    assert found == f"rtsp://camfleet:{secret}@capture:8554/yard"


def test_another_camera_at_capture_that_is_to_be_masked_comes_masked(tmp_path: Path) -> None:
    values = {"source": f"{CAPTURE}/yard", "capture": MASKED}
    assert address(tmp_path, CAPTURE, values) == f"{CAPTURE}/door"


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("rtsp://h/a", "RTSP://H:554/a", True),
        ("rtsp://localhost:8554/a", "rtsp://127.0.0.1:8554/a", True),
        ("rtsp://u:p@h/a", "rtsp://u:q@h/a", False),
        ("rtsp://u:p@h/a", "rtsp://h/a", False),
        ("rtsp://h/a", "rtsp://h/A", False),
        ("rtsp://h/a?channel=1", "rtsp://h/a?channel=2", False),
        ("rtsp://h/a", "rtsps://h/a", False),
    ],
)
def test_spellings_of_one_address_are_the_same_and_other_rights_are_not(
    one: str, other: str, *, is_same: bool
) -> None:
    assert (normal_form(one) == normal_form(other)) == is_same
