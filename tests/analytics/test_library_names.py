"""`import camfleet`: what it offers and what it costs."""

import subprocess
import sys

import pytest

import camfleet
from camfleet._exports import exported_names

NAMES = exported_names(camfleet.__file__)
HEAVY = ("supervision", "trackers", "cv2", "grpc", "tritonclient", "av", "numpy", "pydantic")


def test_import_of_the_library_loads_nothing_heavy() -> None:
    script = f"import sys, camfleet; print([name for name in {HEAVY!r} if name in sys.modules])"

    assert run_python(script) == "[]"


def test_services_streams_and_trackers_do_without_supervision_and_trackers() -> None:
    names = "FileVideoStream, IPVideoStream, KalmanTracker, ObjectDetection, Streamer, VideoWriter"
    unwanted = ("supervision", "trackers", "matplotlib", "scipy", "openvino")
    script = (
        f"import sys; from camfleet import {names};"
        f"print([name for name in {unwanted!r} if name in sys.modules])"
    )

    assert run_python(script) == "[]"


def test_import_of_the_library_takes_less_than_half_a_second_of_processor_time() -> None:
    script = "import time; t = time.process_time(); import camfleet; print(time.process_time() - t)"

    assert float(run_python(script)) < 0.5


def run_python(script: str) -> str:
    """What a fresh interpreter prints."""
    command = [sys.executable, "-c", script]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(camfleet, name) is not None
    assert name in dir(camfleet)


def test_star_import_gives_the_public_names() -> None:
    names: dict[str, object] = {}

    exec("from camfleet import *", names)  # noqa: S102 - the only way to see what it gives

    assert set(NAMES) <= set(names)


def test_modules_are_there_without_an_import_of_their_own() -> None:
    asked = "camfleet.compat.make_ndarray, camfleet._trt_support.is_trt_supported_system"
    assert run_python(f"import camfleet; {asked}; print('found')") == "found"


def test_unknown_name_is_refused_by_name() -> None:
    with pytest.raises(AttributeError, match="'Detektion'"):
        _ = camfleet.Detektion  # type: ignore[attr-defined]  # that it is none is the test
