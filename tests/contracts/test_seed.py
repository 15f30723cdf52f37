import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from camfleet_contracts.seed import seed_folder


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    folder = tmp_path / "seed"
    (folder / "demo" / "1").mkdir(parents=True)
    (folder / "demo" / "1" / "model.onnx").write_bytes(b"weights")
    (folder / "demo" / "1" / "model.json").write_text("{}")
    (folder / "config.json").write_text("one")
    return folder


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    return tmp_path / "volume"


def test_an_empty_volume_gets_every_file(seed: Path, volume: Path) -> None:
    report = seed_folder(seed, volume)
    assert set(report.written) == {"config.json", "demo/1/model.json", "demo/1/model.onnx"}
    assert (volume / "demo" / "1" / "model.onnx").read_bytes() == b"weights"


def test_the_same_seed_twice_does_nothing(seed: Path, volume: Path) -> None:
    seed_folder(seed, volume)
    (volume / "config.json").unlink()
    assert seed_folder(seed, volume) == ((), ())
    assert not (volume / "config.json").exists()


def test_a_new_seed_upgrades_what_nobody_changed(seed: Path, volume: Path) -> None:
    seed_folder(seed, volume)
    (seed / "config.json").write_text("two")
    assert seed_folder(seed, volume).written == ("config.json",)
    assert (volume / "config.json").read_text() == "two"


def test_a_new_seed_leaves_what_a_user_changed(seed: Path, volume: Path) -> None:
    seed_folder(seed, volume)
    (volume / "config.json").write_text("mine")
    (seed / "config.json").write_text("two")
    assert seed_folder(seed, volume).kept == ("config.json",)
    assert (volume / "config.json").read_text() == "mine"


def test_a_new_seed_does_not_bring_back_what_a_user_deleted(seed: Path, volume: Path) -> None:
    seed_folder(seed, volume)
    (volume / "config.json").unlink()
    (seed / "config.json").write_text("two")
    seed_folder(seed, volume)
    assert not (volume / "config.json").exists()


def test_a_file_that_was_there_before_the_first_seed_is_the_users(seed: Path, volume: Path) -> None:
    volume.mkdir()
    (volume / "config.json").write_text("mine")
    seed_folder(seed, volume)
    (seed / "config.json").write_text("two")
    seed_folder(seed, volume)
    assert (volume / "config.json").read_text() == "mine"


def test_no_unfinished_version_folder_is_left(seed: Path, volume: Path) -> None:
    seed_folder(seed, volume)
    assert [path.name for path in (volume / "demo").iterdir()] == ["1"]


def test_a_damaged_record_is_no_reason_to_overwrite(seed: Path, volume: Path) -> None:
    seed_folder(seed, volume)
    (volume / "config.json").write_text("mine")
    (volume / ".seed.json").write_text("{")
    seed_folder(seed, volume)
    assert (volume / "config.json").read_text() == "mine"
    assert json.loads((volume / ".seed.json").read_text())["stamp"]


def test_the_program_seeds_and_names_a_missing_seed(seed: Path, volume: Path) -> None:
    command = [sys.executable, "-m", "camfleet_contracts.seed"]
    subprocess.run([*command, str(seed), str(volume)], check=True, capture_output=True)
    assert (volume / "config.json").is_file()
    missing = subprocess.run(
        [*command, str(seed / "no"), str(volume)], capture_output=True, text=True, check=False
    )
    assert missing.returncode == 1
    assert "no seed found" in missing.stderr


def test_going_back_to_the_older_seed_and_forward_again_keeps_what_a_user_changed(
    seed: Path, volume: Path, tmp_path: Path
) -> None:
    newer = tmp_path / "newer"
    shutil.copytree(seed, newer)
    (newer / "config.json").write_text("two")
    (newer / "demo" / "1" / "model.json").write_text('{"two": 2}')
    seed_folder(seed, volume)
    (volume / "config.json").write_text("mine")

    for source in (newer, seed, newer):
        assert seed_folder(source, volume).kept == ("config.json",)
        manifest = Path("demo", "1", "model.json")
        assert (volume / manifest).read_text() == (source / manifest).read_text()
    assert (volume / "config.json").read_text() == "mine"


def notebook(path: Path, source: str, output: str = "") -> None:
    cell = {"cell_type": "code", "source": [source], "outputs": [output], "execution_count": 1}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": [cell]}))


def test_a_notebook_that_was_only_run_is_upgraded_and_one_that_was_changed_stays(
    seed: Path, volume: Path
) -> None:
    for name in ("run", "changed"):
        notebook(seed / f"{name}.ipynb", "show()")
    seed_folder(seed, volume)
    notebook(volume / "run.ipynb", "show()", "a picture")
    notebook(volume / "changed.ipynb", "show(mine)", "a picture")
    for name in ("run", "changed"):
        notebook(seed / f"{name}.ipynb", "show(better)")
    report = seed_folder(seed, volume)
    assert report == (("run.ipynb",), ("changed.ipynb",))
    assert "better" in (volume / "run.ipynb").read_text()
    assert "mine" in (volume / "changed.ipynb").read_text()
