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

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(camfleet, name) is not None
    assert name in dir(camfleet)


def test_star_import_gives_the_public_names() -> None:
    names: dict[str, object] = {}

    exec("from camfleet import *", names)  # noqa: S102 - the only way to see what it gives

    assert set(NAMES) <= set(names)


def test_unknown_name_is_refused_by_name() -> None:
    with pytest.raises(AttributeError, match="'Detektion'"):
        _ = camfleet.Detektion  # type: ignore[attr-defined]  # that it is none is the test
