"""`camfleet model`: what is searched, added, shown and removed."""

import json
from pathlib import Path

import pytest

from camfleet.cli import console
from cli_runs import CommandLine


def test_the_first_command_that_changes_something_seeds_the_volume(camfleet: CommandLine) -> None:
    assert camfleet.run("camera", "add", "desk", "/dev/video0").code == 0
    names = {path.name for path in camfleet.models.iterdir()}
    assert {"catalog.json", "config.json", "cameras.yaml", "examples"} <= names


def test_a_list_of_what_is_not_there_says_so_and_makes_no_volume(camfleet: CommandLine) -> None:
    said = camfleet.run("model", "list").err
    assert f"{camfleet.models / 'config.json'} is not there" in said
    assert "`camfleet model pull NAME` makes it" in said
    assert not camfleet.models.exists()


def test_a_card_of_the_catalogue_makes_no_volume(camfleet: CommandLine) -> None:
    assert "BSD-3-Clause" in camfleet.run("model", "show", "fastestdet-coco").out
    assert not camfleet.models.exists()


def test_a_search_among_what_can_be_pulled_makes_no_volume(camfleet: CommandLine) -> None:
    assert "fastestdet-coco" in camfleet.run("model", "search").out
    assert not camfleet.models.exists()


def test_search_finds_by_purpose_framework_and_foreign_id(camfleet: CommandLine) -> None:
    assert "yunet-n" in camfleet.run("model", "search", "FACE").out
    assert "yolo-fastest-1.1-body" in camfleet.run("model", "search", "darknet").out
    assert "ssd-mobilenet" in camfleet.run("model", "search", "alwaysai/mobilenet_ssd").out
    assert "nothing in the catalogue" in camfleet.run("model", "search", "zzz").err


def test_search_fits_a_terminal_of_80_columns(
    camfleet: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console.out, "width", 80)
    lines = camfleet.run("model", "search", "person-detect-int8").out.splitlines()
    assert lines[0] == "person-detect-int8  classification, 0.3 MB, Apache-2.0"
    assert 60 < len(lines[1]) <= 80
    assert all(line.startswith("    ") and len(line) <= 80 for line in lines[1:])


def test_a_copied_model_is_added_and_removed(camfleet: CommandLine) -> None:
    camfleet.make_volume()
    (camfleet.models / "resnet" / "1").mkdir(parents=True)
    (camfleet.models / "resnet" / "1" / "model.onnx").write_bytes(b"x")
    assert camfleet.run("model", "add", "resnet").code == 0
    assert "already" in camfleet.run("model", "add", "resnet").err
    rows = {
        row["name"]: row
        for row in json.loads(camfleet.run("model", "list", "--json").out)["models"]
    }
    assert rows["resnet"]["served"]
    assert rows["resnet"]["versions"] == [1]
    camfleet.run("model", "remove", "resnet", "--files")
    assert not (camfleet.models / "resnet").exists()
    assert "neither in config.json nor" in camfleet.run("model", "remove", "resnet").err


def test_what_is_no_model_is_not_removed_with_its_files(camfleet: CommandLine) -> None:
    example = camfleet.models / "examples" / "one-usb.yaml"
    example.parent.mkdir(parents=True)
    example.touch()
    outcome = camfleet.run("model", "remove", "examples", "--files")
    assert (outcome.code, "neither in config.json nor" in outcome.err) == (1, True)
    assert example.exists()


def test_what_a_killed_publisher_left_is_removed(camfleet: CommandLine) -> None:
    (camfleet.models / "pets" / ".1.tmp-publish-x").mkdir(parents=True)
    assert camfleet.run("model", "remove", "pets", "--files").code == 0
    assert not (camfleet.models / "pets").exists()


def test_one_version_is_taken_back_with_its_files(camfleet: CommandLine) -> None:
    camfleet.make_volume()
    for number in ("6", "7"):
        (camfleet.models / "pets" / number).mkdir(parents=True)
    camfleet.run("model", "add", "pets")
    config = (camfleet.models / "config.json").read_text()
    assert "--files deletes pets/7 and leaves 6" in camfleet.run("model", "remove", "pets:7").err
    assert "it has 6, 7" in camfleet.run("model", "remove", "pets:5", "--files").err
    assert camfleet.run("model", "remove", "pets:7", "--files").code == 0
    assert [path.name for path in (camfleet.models / "pets").iterdir()] == ["6"]
    assert "its only one" in camfleet.run("model", "remove", "pets:6", "--files").err
    assert (camfleet.models / "config.json").read_text() == config


def test_a_model_outside_the_volume_is_served_from_its_folder(
    camfleet: CommandLine, tmp_path: Path
) -> None:
    camfleet.make_volume()
    (tmp_path / "srv" / "7").mkdir(parents=True)
    assert camfleet.run("model", "add", "far", "--path", str(tmp_path / "srv")).code == 0
    assert str(tmp_path / "srv") in (camfleet.models / "config.json").read_text()


def test_a_model_without_a_version_is_not_added(camfleet: CommandLine) -> None:
    camfleet.make_volume()
    assert "no version folder" in camfleet.run("model", "add", "ghost").err


def test_the_card_of_a_catalogue_model(camfleet: CommandLine) -> None:
    card = camfleet.run("model", "show", "fastestdet-coco").out
    assert "BSD-3-Clause" in card
    assert "input.1 FP32 [1, 3, 352, 352]" in card
    assert "(80 in all)" in card or "none here; camfleet model pull fastestdet-coco" in card


@pytest.mark.parametrize(
    "look", [("model", "list"), ("model", "search"), ("model", "show", "plus")], ids=" ".join
)
def test_looking_at_a_volume_of_ovms_puts_nothing_into_it(
    camfleet: CommandLine, look: tuple[str, ...]
) -> None:
    (camfleet.models / "plus" / "1").mkdir(parents=True)
    entry = {"config": {"name": "plus", "base_path": "plus"}}
    (camfleet.models / "config.json").write_text(json.dumps({"model_config_list": [entry]}))
    assert camfleet.run(*look).code == 0
    assert sorted(path.name for path in camfleet.models.iterdir()) == ["config.json", "plus"]
