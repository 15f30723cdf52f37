"""Explicit control against a real core: changes wait until somebody asks for their model."""

from pathlib import Path

import pytest

from camfleet_server.errors import ModelVersionRetired
from model_volume import LOAD_LIMIT_S, Core, Volume, running_core


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    made = Volume(tmp_path)
    for name, addend in (("first", 1.0), ("second", 2.0)):
        made.publish_adder(name, 1, addend)
        made.serve(name)
    return made


def load(core: Core, name: str | None) -> None:
    core.reconciler.reload(LOAD_LIMIT_S, only=name)


def test_changes_are_taken_up_model_by_model(volume: Volume) -> None:
    with running_core(volume, is_explicit=True, poll_s=0) as core:
        load(core, None)
        volume.publish_adder("first", 2, 10.0)
        volume.remove("second")
        load(core, "unrelated")
        assert (core.add("first"), core.add("second")) == (1.0, 2.0)
        load(core, "first")
        assert (core.add("first"), core.add("second")) == (10.0, 2.0)
        load(core, None)
        with pytest.raises(ModelVersionRetired):
            core.add("second")


def test_a_byte_order_mark_in_config_json_hinders_no_load(volume: Volume) -> None:
    volume.config_path.write_text(volume.config_path.read_text(), encoding="utf-8-sig")
    with running_core(volume, is_explicit=True, poll_s=0) as core:
        core.plane.load_model("first", {}, {})
        assert core.add("first") == 1.0


def test_what_was_loaded_on_request_is_served_after_a_restart(volume: Volume) -> None:
    volume.publish_adder("third", 1, 3.0)
    with running_core(volume, is_explicit=True, poll_s=0) as core:
        core.plane.load_model("third", {}, {})
        core.plane.unload_model("second")
    with running_core(volume, is_explicit=True, poll_s=0) as core:
        core.wait_for("third", 1)
        assert sorted(core.plane.all_statuses()) == ["first", "third"]
