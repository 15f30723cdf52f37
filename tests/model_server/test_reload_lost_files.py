"""A served model outlives files that are gone by mistake, and ends with those that were meant."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from camfleet_server.types import VersionState
from model_volume import LOAD_LIMIT_S, Core, Volume, running_core
from waiting import wait_until


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    volume = Volume(tmp_path)
    volume.serve("adder")
    volume.publish_adder("adder", 1, addend=1)
    return volume


@pytest.fixture
def core(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> Iterator[Core]:
    """Serves the adder; files that are gone are believed to be at once."""
    monkeypatch.setattr("camfleet_server.reload.reconciliation._GONE_AFTER_S", 0)
    with running_core(volume) as core:
        core.wait_for("adder", 1)
        yield core


def test_a_volume_that_vanishes_with_its_config_costs_no_served_model(
    volume: Volume, core: Core
) -> None:
    volume.config_path.unlink()
    core.wait_for_fault("config.json: cannot be read")
    shutil.rmtree(volume.root / "adder")
    core.wait_for_fault("no version found")
    assert core.add("adder") == 1
    volume.write_config()
    core.wait_for("adder", 1, VersionState.END)


def test_a_base_path_that_leads_nowhere_costs_no_served_model(volume: Volume, core: Core) -> None:
    volume.serve("adder", base_path="adder/1")
    core.wait_for_fault(f"if that is a version itself, base_path is {volume.root / 'adder'}")
    assert core.add("adder") == 1
    volume.serve("adder")
    wait_until(lambda: not core.plane.faults(), LOAD_LIMIT_S, "the fault to be gone")
    shutil.rmtree(volume.root / "adder")
    core.wait_for("adder", 1, VersionState.END)
