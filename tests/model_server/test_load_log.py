"""The list of the last loads: what came, went and was refused, with reason and duration."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from camfleet_server.serving.load_log import LoadLog, LoadRecord, Outcome
from camfleet_server.types import VersionState
from model_volume import LOAD_LIMIT_S, Core, Volume, running_core, save_adder
from waiting import wait_until


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    return Volume.of_adder(tmp_path)


def told(core: Core) -> list[tuple[str, int | None, str]]:
    return [(one.model, one.version, str(one.outcome)) for one in core.plane.last_loads()]


def wait_for_record(core: Core, *record: object) -> LoadRecord:
    def found() -> LoadRecord | None:
        records = zip(told(core), core.plane.last_loads(), strict=True)
        return next((one for key, one in records if key == record), None)

    return wait_until(found, LOAD_LIMIT_S, f"{record} is told")


def test_what_came_and_went_is_told_newest_first(volume: Volume) -> None:
    with running_core(volume) as core:
        loaded = wait_for_record(core, "adder", 1, "loaded")
        assert loaded.took_s is not None
        assert 0 < loaded.took_s < LOAD_LIMIT_S
        volume.publish_adder("adder", 2, addend=2)
        wait_for_record(core, "adder", 1, "unloaded")
        assert told(core) == [
            ("adder", 1, "unloaded"),
            ("adder", 2, "loaded"),
            ("adder", 1, "loaded"),
        ]


def test_new_files_under_the_same_number_are_a_reload(tmp_path: Path) -> None:
    volume = Volume(tmp_path)
    volume.serve("adder")
    save_adder(volume.root / "adder" / "1", 1)
    with running_core(volume) as core:
        core.wait_for("adder", 1)
        save_adder(volume.root / "adder" / "1", 5)
        wait_for_record(core, "adder", 1, "reloaded")
        assert core.add("adder") == 5


def test_a_refusal_is_told_once_with_reason_and_duration(volume: Volume) -> None:
    with running_core(volume) as core:
        core.wait_for("adder", 1)
        volume.publish_garbage("adder", 2)
        refused = wait_for_record(core, "adder", 2, "refused")
        assert refused.reason == core.wait_for("adder", 2, VersionState.END).reason
        assert refused.took_s is not None
        assert refused.took_s > 0
        volume.serve("adder", nireq=2)  # another key: it is tried, and refused, again
        wait_until(lambda: told(core).count(("adder", 2, "refused")) == 2, LOAD_LIMIT_S, "again")


def test_a_bad_config_and_a_bad_entry_are_told_once(volume: Volume) -> None:
    with running_core(volume) as core:
        core.wait_for("adder", 1)
        volume.write_config('{"model_config_list": [')
        assert "config.json:1" in wait_for_record(core, "config.json", None, "refused").reason
        adder = {"config": {"name": "adder", "base_path": str(volume.root / "adder")}}
        bad = {"config": {"name": "bad", "base_path": 7}}
        volume.write_config(json.dumps({"model_config_list": [adder, bad]}))
        wait_for_record(core, "config.json", None, "loaded")
        assert "base_path" in wait_for_record(core, "bad", None, "refused").reason
        volume.write_config(json.dumps({"model_config_list": [bad, adder]}))
        core.plane.reload()
        assert told(core).count(("bad", None, "refused")) == 1
        assert told(core).count(("config.json", None, "refused")) == 1


def test_the_oldest_records_go() -> None:
    log, now = LoadLog(), datetime(2026, 11, 29, tzinfo=UTC)
    for version in range(1, 151):
        log.note(LoadRecord(now, "adder", version, Outcome.LOADED))
    kept = log.newest_first()
    assert (len(kept), kept[0].version, kept[-1].version) == (100, 150, 51)
