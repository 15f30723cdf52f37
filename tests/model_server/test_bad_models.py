"""Models that are damaged, too large, or not what their manifest says."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from camfleet_server.memory_share import free_memory_bytes
from camfleet_server.reload.checks import check_room
from camfleet_server.reload.probe import Prober
from camfleet_server.runtimes.base import LoadError
from camfleet_server.runtimes.table import RUNTIMES
from loaded_models import load, save_scaler, source_of

PROBE_LIMIT_S = 60
DAMAGES = 4  # of each file
FUZZED = {
    "onnx-onnxruntime": ("yunet-n/yunet_n_320_320.onnx", "onnxruntime"),
    "onnx-openvino": ("yunet-n/yunet_n_320_320.onnx", "openvino"),
    "onnx-opencv": ("yunet-n/yunet_n_320_320.onnx", "opencv"),
    "caffe-opencv": ("ultraface-rfb320/RFB-320.caffemodel", "opencv"),
    "darknet-opencv": ("yolo-fastest-1.1-body/yolo-fastest-1.1_body.weights", "opencv"),
    "tflite-litert": ("person-detect-int8/person_detect_fixq.tflite", "litert"),
    "tflite-openvino": ("person-detect-int8/person_detect_fixq.tflite", "openvino"),
}


@pytest.fixture(scope="module")
def prober(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prober]:
    prober = Prober(RUNTIMES, tmp_path_factory.mktemp("cache"), PROBE_LIMIT_S)
    yield prober
    prober.stop()


@pytest.mark.parametrize("name", FUZZED)
def test_damaged_files_cost_a_reason_or_a_process_and_never_the_server(
    shared_data: Path, tmp_path: Path, prober: Prober, name: str
) -> None:
    path, runtime = FUZZED[name]
    source = shared_data / "models" / path
    chance, reasons = random.Random(name), []
    for number in range(DAMAGES):
        folder = tmp_path / str(number)
        shutil.copytree(source.parent, folder)
        damaged = folder / source.name
        damaged.chmod(0o644)
        damaged.write_bytes(_damage(source.read_bytes(), chance))
        try:
            prober.try_out(source_of(damaged, {"runtimes": [runtime]}), f"{name} {number}")
        except LoadError as error:
            reasons.append(str(error))
    assert all(reasons)
    good = save_scaler(tmp_path / "good.onnx")
    prober.try_out(source_of(good), f"{name} good")


def _damage(content: bytes, chance: random.Random) -> bytes:
    """Cut off, or overwritten where the structure of a file is told."""
    changed = bytearray(content[: chance.choice([len(content), chance.randrange(len(content))])])
    for _ in range(chance.choice([5, 500])):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def test_a_model_larger_than_free_memory_is_refused_with_numbers(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    with path.open("wb") as file:
        file.truncate(3_000_000_000)  # takes no room on disk
    source = source_of(path)
    with pytest.raises(LoadError, match=r"m\.onnx takes 3000 MB and 500 MB of memory are free"):
        check_room(source, free_bytes=500_000_000)
    check_room(source, free_bytes=4_000_000_000)


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({}, 8_000_000 * 1024),
        ({"memory.max": "max", "memory.current": "1000"}, 8_000_000 * 1024),
        (
            {"memory.max": "5000", "memory.current": "4000", "memory.stat": "inactive_file 500"},
            1500,
        ),
        ({"memory/memory.limit_in_bytes": "900", "memory/memory.usage_in_bytes": "1000"}, 0),
    ],
    ids=["host", "no limit", "container", "full container, v1"],
)
def test_free_memory_is_what_host_and_container_leave(
    tmp_path: Path, files: dict[str, str], free: int
) -> None:
    information = tmp_path / "meminfo"
    information.write_text("MemTotal: 9000000 kB\nMemAvailable: 8000000 kB\n")
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert free_memory_bytes(information, tmp_path) == free


@pytest.mark.parametrize("name", ["m.xml", "m.bin"])
def test_a_pointer_of_git_lfs_is_told_as_such(tmp_path: Path, name: str) -> None:
    (tmp_path / "m.xml").write_text("<net/>")
    (tmp_path / "m.bin").write_bytes(b"weights")
    (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    with pytest.raises(LoadError, match=f"{name} is a pointer of Git LFS .* `git lfs pull`"):
        load(tmp_path)


def test_tensors_of_a_manifest_that_the_file_does_not_have_are_told_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere = {"name": "elsewhere", "datatype": "FP32", "shape": [1]}
    manifest = {"outputs": [elsewhere], "preprocess": {"colors": "BGR"}}
    load(save_scaler(tmp_path / "m.onnx"), "openvino", manifest=manifest)
    keys, tensors = caplog.records
    assert "keys=preprocess.colors (colour?)" in keys.getMessage()
    assert "outputs=elsewhere known=scaled" in tensors.getMessage()


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ({"outputs": [["scaled", [1, 85, 4, 6]]]}, r"output 'scaled' is \[1, 85, 4, 6\], the file"),
        ({"inputs": [["picture", [1, 3, 8, 8]]]}, r"input 'picture' is \[1, 3, 8, 8\]"),
        ({"inputs": [["picture", [3, 4, 6]]]}, "it is another model"),
        ({"inputs": [["picture", [8, 3, -1, 6]]], "outputs": [["elsewhere", [9]]]}, ""),
    ],
)
def test_a_file_that_is_not_what_its_manifest_declares_is_refused(
    tmp_path: Path, declared: dict[str, Any], reason: str
) -> None:
    manifest = {
        side: [{"name": name, "datatype": "FP32", "shape": shape} for name, shape in tensors]
        for side, tensors in declared.items()
    }
    path = save_scaler(tmp_path / "m.onnx")
    if not reason:
        load(path, "openvino", manifest=manifest)
        return
    with pytest.raises(LoadError, match=reason):
        load(path, "openvino", manifest=manifest)
