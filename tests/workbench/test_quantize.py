"""`camfleet model quantize`: NNCF on real pictures, and the comparison with the original."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from camfleet.cli.errors import CommandError
from camfleet.cli.settings import command_settings
from camfleet.detections import Detections
from camfleet_workbench.tools.agreement import matched
from camfleet_workbench.tools.calibration import pictures_of
from camfleet_workbench.tools.located import locate
from cli_runs import CommandLine
from direct_inference import MODELS

pytestmark = pytest.mark.long


@pytest.fixture
def camfleet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    return CommandLine(tmp_path / "fleet", monkeypatch, capsys)


@pytest.fixture
def fastestdet(shared_data: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "fastestdet"
    folder.mkdir()
    for name in ("FastestDet.onnx", "coco.names"):
        shutil.copyfile(shared_data / "models" / "fastestdet-coco" / name, folder / name)
    (folder / "model.json").write_text(json.dumps(MODELS["fastestdet-coco"]))
    return folder


def test_int8_agrees_with_the_original_on_pictures_kept_back(
    camfleet: CommandLine, fastestdet: Path, shared_data: Path, tmp_path: Path
) -> None:
    clip = shared_data / "media" / "clips" / "highway-a-320x240.mp4"
    outcome = camfleet.run(
        "model", "quantize", str(fastestdet), "--with", str(clip), "--count", "24"
    )
    assert outcome.code == 0, outcome.err
    agreement = float(outcome.err.split("agreement ")[1].split("%")[0])
    assert agreement > 60
    assert "on 6 pictures" in outcome.err
    assert "times as fast" in outcome.err
    made = locate(command_settings(), str(tmp_path / "fastestdet-int8"))
    assert made.manifest.labels[0] == "person"
    assert made.path.with_suffix(".bin").stat().st_size < 500_000
    again = camfleet.run("model", "quantize", str(made.folder), "--with", str(clip), "--count", "4")
    assert (again.code, "is quantised already" in again.err) == (1, True)


def test_pictures_are_spread_over_a_film_and_a_folder(
    camfleet: CommandLine, shared_data: Path
) -> None:
    media = shared_data / "media"
    film = pictures_of(str(media / "clips" / "highway-a-320x240.mp4"), 5)
    assert len(film) == 5
    assert film[-1].time is not None
    assert film[-1].time > 40  # of 57 s
    assert len(pictures_of(str(media / "images"), 4)) == 4


def test_too_few_pictures_and_absent_cameras_are_named(
    camfleet: CommandLine, fastestdet: Path, shared_data: Path, tmp_path: Path
) -> None:
    picture = shared_data / "media" / "images" / "cat.bmp"
    outcome = camfleet.run("model", "quantize", str(fastestdet), "--with", str(picture))
    assert (outcome.code, "1 pictures are too few" in outcome.err) == (1, True)
    camfleet.set(CAMFLEET_CAPTURE="rtsp://127.0.0.1:1")
    with pytest.raises(CommandError, match="nor a camera that capture shows"):
        pictures_of("door", 4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fastestdet"]


def test_objects_are_matched_once_by_label_and_place() -> None:
    def found(*boxes: tuple[int, ...], labels: str) -> Detections:
        return Detections(
            xyxy=np.array(boxes, np.float32),
            confidence=np.linspace(0.9, 0.5, len(boxes), dtype=np.float32),
            class_id=np.zeros(len(boxes), np.int64),
            labels=tuple(labels),
        )

    first = found((0, 0, 10, 10), (1, 0, 11, 10), (50, 50, 60, 60), labels="aab")
    second = found((50, 50, 60, 60), (0, 0, 10, 10), (80, 80, 90, 90), labels="aab")
    assert matched(first, second) == [(0, 1)]
