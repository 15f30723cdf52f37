"""Regions of system shared memory: what may be registered, read and written."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import shared_memory
from pathlib import Path

import numpy as np
import pytest

from camfleet_server.bytes_in_hand import BytesInHand
from camfleet_server.errors import (
    InvalidInput,
    RegionExists,
    RegionNotFound,
    ServerBusy,
    SharedMemoryOff,
)
from camfleet_server.runtimes.openvino.api import ov
from camfleet_server.serving.shared_memory import SEGMENTS, Place, Region, SharedMemory
from camfleet_server.types import InferRequest
from model_volume import Volume, running_core

SIZE = 1 << 17  # a tensor of this size is mapped, one of a few bytes is copied


def bytes_of(segment: shared_memory.SharedMemory) -> memoryview:
    assert segment.buf is not None
    return segment.buf


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.fixture
def segment() -> Iterator[shared_memory.SharedMemory]:
    made = shared_memory.SharedMemory(create=True, size=SIZE)
    bytes_of(made)[:8] = bytes(range(8))
    yield made
    made.close()
    made.unlink()


@pytest.fixture(params=[False, True], ids=["mapped", "copied"])
def memory(segment: shared_memory.SharedMemory, request: pytest.FixtureRequest) -> SharedMemory:
    made = SharedMemory(is_allowed=True, is_copied=request.param)
    made.register(Region("frames", f"/{segment.name}", 0, SIZE))
    return made


def test_a_tensor_is_read_where_the_client_put_it(memory: SharedMemory) -> None:
    assert bytes(memory.read(Place("frames", 2, 4))) == bytes([2, 3, 4, 5])


def test_offsets_count_from_the_begin_of_the_region(
    memory: SharedMemory, segment: shared_memory.SharedMemory
) -> None:
    memory.register(Region("tail", segment.name, 4, 100))
    assert bytes(memory.read(Place("tail", 1, 2))) == bytes([5, 6])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\x01\x02", b"\x01\x02"),
        (np.array([[1, 2], [3, 4]], np.uint8).T, bytes([1, 3, 2, 4])),
        (np.float32(1.5).reshape(()), np.float32(1.5).tobytes()),
        (np.empty((0, 3), np.float32), b""),
    ],
    ids=["bytes", "not contiguous", "scalar", "empty"],
)
def test_an_output_is_written_where_the_client_wants_it(
    memory: SharedMemory, segment: shared_memory.SharedMemory, content: bytes, expected: bytes
) -> None:
    size = memory.write(Place("frames", 16, 8), content, "out")
    assert (size, bytes(bytes_of(segment)[16 : 16 + size])) == (len(expected), expected)


def test_an_output_that_is_too_large_writes_nothing(
    memory: SharedMemory, segment: shared_memory.SharedMemory
) -> None:
    with pytest.raises(InvalidInput, match=r"output 'out' \(4 bytes\) should be at least 8 bytes"):
        memory.write(Place("frames", 0, 4), b"\xff" * 8, "out")
    assert bytes(bytes_of(segment)[:4]) == bytes(range(4))


@pytest.mark.parametrize(
    ("offset", "size"), [(0, 8), (SIZE - 8, 8), (0, SIZE)], ids=["begin", "end", "all"]
)
def test_a_segment_that_has_shrunk_is_an_error_and_no_crash(
    memory: SharedMemory, segment: shared_memory.SharedMemory, offset: int, size: int
) -> None:
    os.truncate(SEGMENTS / segment.name, 4)
    with pytest.raises(InvalidInput, match=r"'frames': its segment .* has shrunk"):
        memory.read(Place("frames", offset, size))
    with pytest.raises(InvalidInput, match="has shrunk"):
        memory.write(Place("frames", offset, 8), bytes(8), "out")


@pytest.mark.parametrize(("is_copied", "seen"), [(False, 9), (True, 0)], ids=["mapped", "copied"])
def test_a_large_input_is_the_memory_of_the_client_or_a_copy(
    segment: shared_memory.SharedMemory, is_copied: bool, seen: int
) -> None:
    memory = SharedMemory(is_allowed=True, is_copied=is_copied)
    memory.register(Region("frames", segment.name, 0, SIZE))
    content = memory.read(Place("frames", 0, SIZE))
    bytes_of(segment)[0] = 9
    assert content[0] == seen


def test_an_input_outlives_its_region(memory: SharedMemory) -> None:
    content = memory.read(Place("frames", 0, SIZE))
    memory.unregister()
    assert bytes(content[:4]) == bytes(range(4))


def test_memory_cut_off_while_it_is_read_is_zeros_and_the_region_is_refused_then(
    segment: shared_memory.SharedMemory,
) -> None:
    memory = SharedMemory(is_allowed=True)
    memory.register(Region("frames", segment.name, 0, SIZE))
    bytes_of(segment)[:] = bytes([7]) * SIZE
    seen = np.frombuffer(memory.read(Place("frames", 0, SIZE)), np.uint8)
    assert seen.sum() == 7 * SIZE
    os.truncate(SEGMENTS / segment.name, 0)
    assert seen.sum() == 0
    os.truncate(SEGMENTS / segment.name, SIZE)
    with pytest.raises(InvalidInput, match="was cut off while it was read"):
        memory.read(Place("frames", 0, SIZE))
    memory.unregister("frames")
    memory.register(Region("frames", segment.name, 0, SIZE))
    bytes_of(segment)[0] = 9
    assert memory.read(Place("frames", 0, SIZE))[0] == 9


@pytest.mark.parametrize("is_copied", [False, True], ids=["mapped", "copied"])
def test_a_client_that_shrinks_its_segment_all_the_time_crashes_nobody(
    segment: shared_memory.SharedMemory, is_copied: bool
) -> None:
    memory = SharedMemory(is_allowed=True, is_copied=is_copied)
    path, is_over = SEGMENTS / segment.name, threading.Event()
    hostile = threading.Thread(target=shrink_and_grow, args=(path, is_over))
    hostile.start()
    for _ in range(300):
        memory.unregister()
        with suppress(InvalidInput):
            memory.register(Region("frames", segment.name, 0, SIZE))
            content = np.frombuffer(memory.read(Place("frames", 0, SIZE)), np.uint8)
            assert content.max() <= 7
            memory.write(Place("frames", 0, SIZE), bytes(SIZE), "out")
    is_over.set()
    hostile.join(5)


def test_a_model_that_reads_memory_cut_off_answers(
    segment: shared_memory.SharedMemory, tmp_path: Path
) -> None:
    memory = SharedMemory(is_allowed=True)
    memory.register(Region("frames", segment.name, 0, SIZE))
    bytes_of(segment)[:] = bytes([1]) * SIZE
    volume = Volume(tmp_path)
    save_summer(tmp_path / "summer" / "1", SIZE)
    volume.serve("summer")
    frame = np.frombuffer(memory.read(Place("frames", 0, SIZE)), np.uint8)
    with running_core(volume) as core:
        core.wait_for("summer", 1)
        request = InferRequest("summer", {"x": frame})
        assert core.plane.infer(request).outputs["y"] == SIZE
        os.truncate(SEGMENTS / segment.name, 0)
        assert core.plane.infer(request).outputs["y"] == 0


def save_summer(folder: Path, size: int) -> None:
    x = ov.opset13.parameter([size], np.uint8, name="x")
    x.output(0).set_names({"x"})
    y = ov.opset13.reduce_sum(ov.opset13.convert(x, np.float32), np.array([0]), False)
    y.output(0).set_names({"y"})
    folder.mkdir(parents=True)
    ov.save_model(ov.Model([y], [x], "summer"), folder / "model.xml")


def test_other_bus_errors_end_the_process_as_before(tmp_path: Path) -> None:
    program = """
import mmap, os, sys
from multiprocessing import shared_memory
from camfleet_server.serving.shared_memory import Region, SharedMemory

segment = shared_memory.SharedMemory(create=True, size=1 << 17)
memory = SharedMemory(is_allowed=True)
memory.register(Region("frames", segment.name, 0, 1 << 17))
segment.close()
segment.unlink()
with open(sys.argv[1], "wb+") as file:
    file.truncate(1 << 17)
    own = mmap.mmap(file.fileno(), 1 << 17)
    file.truncate(0)
    own[0]
"""
    ended = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "file")], timeout=60, check=False
    )
    assert ended.returncode == -signal.SIGBUS


def shrink_and_grow(path: Path, is_over: threading.Event) -> None:
    while not is_over.is_set():
        os.truncate(path, 0)
        os.truncate(path, SIZE)


def test_a_segment_that_was_unlinked_stays_usable(segment: shared_memory.SharedMemory) -> None:
    short_lived = shared_memory.SharedMemory(create=True, size=SIZE)
    bytes_of(short_lived)[:1] = b"x"
    memory = SharedMemory(is_allowed=True)
    memory.register(Region("r", short_lived.name, 0, SIZE))
    short_lived.close()
    short_lived.unlink()
    assert bytes(memory.read(Place("r", 0, 1))) == b"x"


@pytest.mark.parametrize(
    ("offset", "size", "text"),
    [
        (0, SIZE + 1, "Invalid offset \\+ byte size"),
        (SIZE, 1, "Invalid offset \\+ byte size"),
        (2**62, 2**62, "may have 1073741824 bytes"),
    ],
)
def test_places_outside_the_region_are_refused(
    memory: SharedMemory, offset: int, size: int, text: str
) -> None:
    with pytest.raises(InvalidInput, match=text):
        memory.read(Place("frames", offset, size))


@pytest.mark.parametrize(
    "key", ["", "/", "..", ".", "a/b", "../etc/passwd", "/a/../b", "nul\0", "x" * 300, "not-there"]
)
def test_keys_name_a_segment_and_nothing_else(key: str) -> None:
    with pytest.raises(InvalidInput):
        SharedMemory(is_allowed=True).register(Region("r", key, 0, 8))


@pytest.mark.parametrize(
    ("offset", "size"), [(0, 0), (0, SIZE + 1), (SIZE, 1), (0, -1), (-1, 8), (2**63, 2**63)]
)
def test_a_region_lies_within_its_segment(
    segment: shared_memory.SharedMemory, offset: int, size: int
) -> None:
    with pytest.raises(InvalidInput, match="shared memory region 'r'"):
        SharedMemory(is_allowed=True).register(Region("r", segment.name, offset, size))


def test_a_link_or_a_pipe_is_no_segment(tmp_path: Path) -> None:
    memory = SharedMemory(is_allowed=True, folder=tmp_path)
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    for key in ("link", "pipe"):
        with pytest.raises(InvalidInput):
            memory.register(Region("r", key, 0, 8))


def test_a_name_is_registered_once(
    memory: SharedMemory, segment: shared_memory.SharedMemory
) -> None:
    with pytest.raises(RegionExists, match="'frames' already in manager"):
        memory.register(Region("frames", segment.name, 0, 8))


def test_regions_are_told_and_forgotten(memory: SharedMemory) -> None:
    assert memory.regions() == memory.regions("frames")
    memory.unregister("never registered")
    memory.unregister("frames")
    assert memory.regions() == ()
    with pytest.raises(RegionNotFound, match="Unable to find shared memory region: 'frames'"):
        memory.read(Place("frames", 0, 1))


def test_forgotten_segments_are_closed(segment: shared_memory.SharedMemory) -> None:
    before = open_files()
    memory = SharedMemory(is_allowed=True)
    memory.register(Region("r", segment.name, 0, 8))
    assert open_files() > before
    memory.unregister()
    assert open_files() == before


def test_regions_leave_most_of_the_files_that_may_be_open(
    segment: shared_memory.SharedMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camfleet_server.serving.shared_memory.most_open_files", lambda: 17)
    memory = SharedMemory(is_allowed=True)
    memory.register(Region("first", segment.name, 0, 8))
    memory.register(Region("second", segment.name, 0, 8))
    with pytest.raises(InvalidInput, match="'third' - 2 are registered already"):
        memory.register(Region("third", segment.name, 0, 8))


def test_inputs_in_hand_are_bounded_and_one_alone_always_fits(
    monkeypatch: pytest.MonkeyPatch, segment: shared_memory.SharedMemory
) -> None:
    memory = SharedMemory(is_allowed=True, is_copied=True)
    memory.register(Region("frames", segment.name, 0, SIZE))
    monkeypatch.setattr("camfleet_server.bytes_in_hand._COUNTED_BYTES", 1)
    memory.in_hand = BytesInHand("from shared memory", SIZE - 1)
    held = memory.read(Place("frames", 0, SIZE))
    with pytest.raises(ServerBusy, match="from shared memory are in hand"):
        memory.read(Place("frames", 0, 8))
    held.release()
    del held
    assert bytes(memory.read(Place("frames", 0, 2))) == bytes([0, 1])


def test_everything_is_refused_unless_it_is_allowed() -> None:
    memory = SharedMemory()
    for use in (
        memory.regions,
        memory.unregister,
        lambda: memory.register(Region("r", "k", 0, 8)),
        lambda: memory.read(Place("r", 0, 8)),
    ):
        with pytest.raises(SharedMemoryOff, match="--allow-client-shm"):
            use()
