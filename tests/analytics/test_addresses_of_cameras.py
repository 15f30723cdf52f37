"""Where analytics reads a camera from."""

from pathlib import Path
from typing import Any

import pytest

from camfleet.service.sources import address_of
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


def test_masks_are_never_passed_by_where_there_is_no_capture(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="rotation and masks need capture"):
        address(tmp_path, "", {"capture": MASKED})
