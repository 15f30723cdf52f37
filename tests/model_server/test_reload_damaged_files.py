"""Damaged and changed model files: what is served stays, and the reason is told."""

from pathlib import Path

import pytest

import fakes_runtimes
from camfleet_server.types import VersionState
from model_volume import Core, Volume, running_core, save_adder
from waiting import wait_until


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    return Volume(tmp_path)


def test_garbage_is_refused_with_its_reason_and_the_old_version_stays(volume: Volume) -> None:
    volume.serve("adder")
    volume.publish_adder("adder", 1, addend=1)
    with running_core(volume) as core:
        core.wait_for("adder", 1)
        volume.publish_garbage("adder", 2)
        status = core.wait_for("adder", 2, VersionState.END)
        assert "model.onnx" in status.reason
        assert core.add("adder") == 1
        volume.publish_adder("adder", 3, addend=3)
        core.wait_for_answer("adder", 3)


def test_garbage_at_start_falls_back_to_the_version_before(volume: Volume) -> None:
    volume.serve("adder")
    volume.publish_adder("adder", 1, addend=1)
    volume.publish_garbage("adder", 2)
    with running_core(volume) as core:
        core.wait_for("adder", 1)
        core.wait_for("adder", 2, VersionState.END)


def test_files_replaced_in_one_version_are_noticed(volume: Volume) -> None:
    volume.serve("adder")
    save_adder(volume.root / "adder" / "1", 1)
    with running_core(volume) as core:
        core.wait_for("adder", 1)
        save_adder(volume.root / "adder" / "1", 5)
        core.wait_for_answer("adder", 5)


@pytest.mark.parametrize("victim", ["model.bin", "model.xml"])
def test_truncating_a_served_file_changes_no_answer(volume: Volume, victim: str) -> None:
    volume.serve("adder")
    folder = volume.root / "adder" / "1"
    save_adder(folder, 1)
    with running_core(volume) as core:
        core.wait_for("adder", 1)
        whole = (folder / victim).read_bytes()
        (folder / victim).write_bytes(whole[: len(whole) // 2])
        status = wait_until(lambda: _refused(core), 60, "the truncated files to be refused")
        assert "still serves its former files" in status
        assert core.add("adder") == 1
        (folder / victim).write_bytes(whole)
        wait_until(lambda: core.plane.faults() == (), 60, "the fault to be gone")
        assert core.add("adder") == 1


def test_served_files_that_no_longer_match_their_sums_are_told(
    volume: Volume, caplog: pytest.LogCaptureFixture
) -> None:
    volume.serve("adder")
    folder = volume.publish_adder("adder", 1, addend=1)
    with running_core(volume) as core:
        core.wait_for("adder", 1)
        whole = (folder / "model.xml").read_bytes()
        (folder / "model.xml").write_bytes(whole[:100])
        assert "model.xml differs from its sha256" in wait_until(
            lambda: _refused(core), 60, "the reason beside the served version"
        )
        assert "model.xml differs from its sha256" in caplog.text
        assert core.add("adder") == 1
        (folder / "model.xml").write_bytes(whole)
        wait_until(lambda: core.plane.faults() == (), 60, "the fault to be gone")


def _refused(core: Core) -> str:
    status = core.status("adder", 1)
    return status.reason if status and status.state == VersionState.AVAILABLE else ""


@pytest.mark.parametrize(
    ("runtime", "reason"),
    [("crashing", "SIGSEGV"), ("hanging", "hung"), ("failing", "taste")],
)
def test_what_misbehaves_in_the_probe_never_enters_the_server(
    volume: Volume, monkeypatch: pytest.MonkeyPatch, runtime: str, reason: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(fakes_runtimes.__file__).parent))
    volume.serve("adder")
    volume.publish_adder("adder", 1, addend=1)
    with running_core(volume, fakes_runtimes.TABLE, probe_limit_s=12) as core:
        core.wait_for("adder", 1)
        volume.publish_adder("adder", 2, addend=2, runtimes=[runtime])
        assert reason in core.wait_for("adder", 2, VersionState.END).reason
        assert core.add("adder") == 1
        volume.publish_adder("adder", 3, addend=3, runtimes=["missing", "openvino"])
        core.wait_for_answer("adder", 3)
