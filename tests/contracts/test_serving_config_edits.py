import json
import stat
from pathlib import Path
from typing import Any

import pytest

from camfleet_contracts.serving_config import (
    BadServingConfig,
    edit_serving_config,
    put_model,
    read_serving_config,
    remove_model,
    replace_models,
    roll_back,
)

BEFORE = {
    "model_config_list": [
        {"config": {"name": "a", "base_path": "a", "note": "kept"}},
        {"config": {"name": "cloud", "base_path": "s3://bucket/cloud"}},
    ],
    "monitoring": {"metrics": {"enable": True}},
    "notes": "kept",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(BEFORE))
    return path


def entries(path: Path) -> list[dict[str, Any]]:
    return [entry["config"] for entry in json.loads(path.read_text())["model_config_list"]]


def test_an_edit_is_written_and_the_text_before_it_kept(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    for number in range(25):
        with edit_serving_config(path) as document:
            document["model_config_list"] = [{"config": {"name": f"m{number}", "base_path": "m"}}]
    assert read_serving_config(path).models[0].name == "m24"
    history = sorted((tmp_path / ".history").iterdir(), key=lambda p: int(p.stem.split("-")[1]))
    assert len(history) == 20
    assert "m23" in history[-1].read_text()


def test_a_bad_edit_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"model_config_list": []}')
    with pytest.raises(BadServingConfig, match="base_path"), edit_serving_config(path) as document:
        document["model_config_list"].append({"config": {"name": "a"}})
    assert path.read_text() == '{"model_config_list": []}'


def test_a_model_is_put_beside_the_others_and_nothing_else_changes(path: Path) -> None:
    assert put_model(path, {"name": "b", "base_path": "b", "nireq": 2})
    assert [entry["name"] for entry in entries(path)[:2]] == ["a", "cloud"]
    assert entries(path)[0]["note"] == "kept"
    assert entries(path)[2] == {"name": "b", "base_path": "b", "nireq": 2}
    assert json.loads(path.read_text())["notes"] == "kept"


def test_a_model_is_put_in_the_place_of_its_name(path: Path) -> None:
    assert put_model(path, {"name": "a", "base_path": "new"})
    assert not put_model(path, {"name": "a", "base_path": "new"})
    assert not put_model(path, {"name": "a", "base_path": "newer"}, replace=False)
    assert entries(path)[0] == {"name": "a", "base_path": "new"}


def test_a_model_is_put_into_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    assert put_model(tmp_path / "new" / "config.json", {"name": "a", "base_path": "a"})
    assert entries(tmp_path / "new" / "config.json") == [{"name": "a", "base_path": "a"}]


def test_a_model_is_removed_by_name(path: Path) -> None:
    assert remove_model(path, "cloud")
    assert not remove_model(path, "cloud")
    assert [entry["name"] for entry in entries(path)] == ["a"]


def test_all_models_are_replaced_at_once(path: Path) -> None:
    assert replace_models(path, [{"name": "c", "base_path": "c"}])
    assert not replace_models(path, [{"name": "c", "base_path": "c"}])
    assert [entry["name"] for entry in entries(path)] == ["c"]
    assert json.loads(path.read_text())["monitoring"] == BEFORE["monitoring"]


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "b"},
        {"base_path": "b"},
        {"name": "b", "base_path": "gs://b"},
        {"name": "b", "base_path": "b", "nireq": -1},
    ],
    ids=["no path", "no name", "cloud", "nireq"],
)
def test_an_entry_that_cannot_be_served_is_not_written(path: Path, entry: dict[str, Any]) -> None:
    before = path.read_text()
    with pytest.raises(BadServingConfig):
        put_model(path, entry)
    assert path.read_text() == before
    assert not (path.parent / ".history").exists()


def test_a_file_that_is_no_text_is_not_edited(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadServingConfig, match="cannot be read"):
        remove_model(path, "a")


def test_an_edit_without_effect_leaves_the_text_as_it_is(path: Path) -> None:
    before = path.read_text()
    assert not remove_model(path, "unknown")
    assert not put_model(path, {"name": "a", "base_path": "other"}, replace=False)
    assert path.read_text() == before
    assert not (path.parent / ".history").exists()


def test_a_link_stays_a_link_and_the_mode_stays(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere.json"
    path.rename(target)
    target.chmod(0o640)
    path.symlink_to(target)
    remove_model(path, "a")
    roll_back(path)
    assert path.is_symlink()
    assert (len(entries(path)), stat.S_IMODE(target.stat().st_mode)) == (2, 0o640)


def test_true_in_the_place_of_one_is_a_change(path: Path) -> None:
    with edit_serving_config(path) as document:
        document["monitoring"]["metrics"]["enable"] = 1
    assert '"enable": 1' in path.read_text()


def test_a_number_with_too_many_digits_is_a_fault_of_the_file(path: Path) -> None:
    path.write_text('{"model_config_list": [], "x": ' + "9" * 5000 + "}")
    with pytest.raises(BadServingConfig, match=r"config\.json: .*too many digits"):
        read_serving_config(path)


@pytest.mark.parametrize("written", ['{"model_config_list": []}', "{ nonsense"])
def test_what_an_editor_wrote_during_an_edit_stays(path: Path, written: str) -> None:
    def edit() -> None:
        with edit_serving_config(path) as document:
            document["model_config_list"] = [{"config": {"name": "mine", "base_path": "mine"}}]
            path.write_text(written)

    with pytest.raises(BadServingConfig, match="somebody wrote it meanwhile"):
        edit()
    assert path.read_text() == written
