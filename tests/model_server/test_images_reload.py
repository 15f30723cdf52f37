"""Pictures while versions change."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest

from camfleet_contracts.volume import publish_version
from camfleet_server.types import InferRequest, InferResult
from model_volume import Core, Volume, running_core
from picture_models import as_bytes, png, save_echo, scene
from waiting import wait_until

PICTURE = scene(24, 16)
REQUEST = InferRequest("echo", {"image": as_bytes(png(PICTURE))})


def publish(volume: Volume, version: int, scale: float) -> None:
    def fill(folder: Path) -> None:
        save_echo(folder, [1, 3, 16, 24])
        (folder / "model.json").write_text(
            json.dumps({"preprocess": {"colour": "BGR", "scale": scale}})
        )

    publish_version(volume.root, "echo", version, fill)


def seen_by(result: InferResult) -> tuple[int, float]:
    """Version and scale of what it saw."""
    ratio = result.outputs["seen"].sum() / PICTURE.astype(np.float64).sum()
    return result.version, round(float(ratio), 3)


def test_every_picture_is_answered_by_a_version_with_its_own_preprocessing(tmp_path: Path) -> None:
    volume = Volume(tmp_path)
    publish(volume, 1, 1.0)
    volume.serve("echo")
    with running_core(volume) as core:
        core.wait_for("echo", 1)
        publish(volume, 2, 0.5)
        answers = {seen_by(core.plane.infer(REQUEST))}
        wait_until(lambda: is_newest(core, answers), 60, "version 2 answers")
    assert answers == {(1, 1.0), (2, 0.5)}


def is_newest(core: Core, answers: set[tuple[int, float]]) -> bool:
    answer = seen_by(core.plane.infer(REQUEST))
    answers.add(answer)
    return answer[0] == 2


def test_a_manifest_that_does_not_fit_pictures_is_logged_and_loaded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    volume = Volume(tmp_path)
    publish(volume, 1, 1.0)
    volume.serve("echo")
    with running_core(volume) as core, caplog.at_level(logging.ERROR):
        core.wait_for("echo", 1)
        core.plane.infer(REQUEST)
        publish_version(volume.root, "echo", 2, fill_misfit)
        core.wait_for("echo", 2)
    assert "pictures cannot be taken model=echo version=2 reason=" in caplog.text


def fill_misfit(folder: Path) -> None:
    save_echo(folder, [1, 1, 16, 24])
    (folder / "model.json").write_text(json.dumps({"preprocess": {"colour": "BGR"}}))
