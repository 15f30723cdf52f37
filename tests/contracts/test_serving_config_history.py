"""What config.json was before its last changes, and the way back."""

import json
from pathlib import Path

import pytest

from camfleet_contracts.files import locked
from camfleet_contracts.serving_config import (
    NoSuchChange,
    changes_of,
    edit_serving_config,
    keep_if_unknown,
    newest_change,
    put_model,
    remove_model,
    roll_back,
    withdraw_model,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.json"
    path.write_text('{"model_config_list": []}')
    put_model(path, {"name": "cat", "base_path": "cat"})
    put_model(path, {"name": "dog", "base_path": "dog"})
    put_model(path, {"name": "dog", "base_path": "dog", "nireq": 2})
    remove_model(path, "cat")
    return path


def _names(path: Path) -> list[str]:
    return [entry["config"]["name"] for entry in json.loads(path.read_text())["model_config_list"]]


def test_log_tells_newest_first_what_came_went_and_changed(path: Path) -> None:
    removed, changed, added, first = changes_of(path)
    assert [change.number for change in (removed, changed, added, first)] == [4, 3, 2, 1]
    assert removed.removed == ("cat",)
    assert changed.changed == ("dog",)
    assert added.added == ("dog",)
    assert first.time <= removed.time


def test_changed_settings_are_named(path: Path) -> None:
    with edit_serving_config(path) as document:
        document["monitoring"] = {"metrics": {"enable": True}}
    assert changes_of(path)[0].settings == ("monitoring",)


def test_roll_back_undoes_the_last_change_and_a_second_one_undoes_that(path: Path) -> None:
    undone = roll_back(path)
    assert undone is not None
    assert undone.removed == ("cat",)
    assert _names(path) == ["cat", "dog"]
    roll_back(path)
    assert _names(path) == ["dog"]


def test_roll_back_to_a_number_is_a_change_of_its_own(path: Path) -> None:
    roll_back(path, 2)
    assert _names(path) == ["cat"]
    assert changes_of(path)[0].number == 5
    assert changes_of(path)[0].removed == ("dog",)


def test_roll_back_mends_a_text_that_is_no_config_and_keeps_it(path: Path) -> None:
    path.write_text('{"model_config_list": [')
    roll_back(path, 4)
    assert _names(path) == ["cat", "dog"]
    assert (path.parent / ".history" / "config-5.json").read_text() == '{"model_config_list": ['
    assert not changes_of(path)[0].is_readable


def test_roll_back_to_what_is_there_changes_nothing(path: Path) -> None:
    roll_back(path, 4)
    assert roll_back(path, 4) is None
    assert len(changes_of(path)) == 5


@pytest.mark.parametrize("number", [0, 99])
def test_unknown_change_is_refused_with_those_there_are(path: Path, number: int) -> None:
    with pytest.raises(NoSuchChange, match="has 1 to 4"):
        roll_back(path, number)


def test_config_without_history_says_so(tmp_path: Path) -> None:
    assert changes_of(tmp_path / "config.json") == ()
    with pytest.raises(NoSuchChange, match="no history yet"):
        roll_back(tmp_path / "config.json")


def test_other_files_in_the_history_do_no_harm(path: Path) -> None:
    (path.parent / ".history" / "config-old.json").write_text("mine")
    assert len(changes_of(path)) == 4


def test_text_replaced_by_hand_is_kept_once(path: Path) -> None:
    by_hand = '{"model_config_list": [], "monitoring": {}}'
    assert keep_if_unknown(path, by_hand)
    assert not keep_if_unknown(path, by_hand)


def test_history_does_not_wait_for_who_edits(path: Path) -> None:
    with locked(path), pytest.raises(BlockingIOError):
        keep_if_unknown(path, "{}")


def test_text_that_an_older_change_kept_is_kept_again(path: Path) -> None:
    by_hand = '{"model_config_list": [], "monitoring": {}}'
    keep_if_unknown(path, by_hand)
    assert keep_if_unknown(path, by_hand, after=newest_change(path))


FOX = {"name": "fox", "base_path": "fox"}


def test_withdrawn_model_leaves_text_and_history_as_they_were(path: Path) -> None:
    before, known = path.read_text(), changes_of(path)
    put_model(path, FOX)
    assert withdraw_model(path, "fox")
    assert (path.read_text(), changes_of(path)) == (before, known)
    roll_back(path)
    assert _names(path) == ["cat", "dog"]


def test_entry_that_was_changed_and_withdrawn_is_again_what_it_was(path: Path) -> None:
    entry, known = {"name": "dog", "base_path": "dog", "nireq": 2}, changes_of(path)
    put_model(path, entry | {"nireq": 4})
    assert withdraw_model(path, "dog", entry)
    assert changes_of(path) == known
    assert not withdraw_model(path, "dog", entry)


def test_number_of_a_withdrawn_change_is_not_given_again(path: Path) -> None:
    put_model(path, FOX)
    withdraw_model(path, "fox")
    put_model(path, FOX)
    assert [change.number for change in changes_of(path)][:2] == [6, 4]


def test_who_read_a_withdrawn_text_does_not_take_its_end_for_a_change_by_hand(path: Path) -> None:
    put_model(path, FOX)
    text, newest = path.read_text(), newest_change(path)
    withdraw_model(path, "fox")
    assert not keep_if_unknown(path, text, after=newest)
    remove_model(path, "dog")
    assert keep_if_unknown(path, text, after=newest_change(path))


def test_withdrawn_text_is_no_change_by_hand_also_after_the_change_of_another(path: Path) -> None:
    put_model(path, FOX)
    text, newest = path.read_text(), newest_change(path)
    withdraw_model(path, "fox")
    put_model(path, {"name": "owl", "base_path": "owl"})
    assert not keep_if_unknown(path, text, after=newest)
    assert [change.added for change in changes_of(path)][:1] == [("owl",)]


def test_texts_of_withdrawn_changes_go_with_the_history(path: Path) -> None:
    put_model(path, FOX)
    withdraw_model(path, "fox")
    for nireq in range(1, 22):
        put_model(path, FOX | {"nireq": nireq})
    assert not list((path.parent / ".history").glob("withdrawn-*"))


def test_model_that_others_changed_config_after_is_withdrawn_by_a_change(path: Path) -> None:
    put_model(path, FOX)
    put_model(path, {"name": "owl", "base_path": "owl"})
    assert withdraw_model(path, "fox")
    assert _names(path) == ["dog", "owl"]
    assert changes_of(path)[0].removed == ("fox",)
