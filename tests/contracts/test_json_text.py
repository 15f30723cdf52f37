"""JSON that people wrote, with what can be wrong in it."""

import os
from pathlib import Path

import pytest

from camfleet_contracts.json_text import parse_json, read_json


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 100_000, "^too deeply nested$"),
        ("9" * 5000, "^a number has too many digits$"),
        ("{", "line 1 column 2"),
        (b"\xff", "can't decode byte"),
    ],
    ids=["deep", "long number", "no JSON", "no UTF-8"],
)
def test_what_is_wrong_is_told_without_hints_for_programmers(
    text: str | bytes, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_json(text)


def test_a_pipe_is_told_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "model.json")
    with pytest.raises(OSError, match="It is not a regular file"):
        read_json(tmp_path / "model.json")


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text('{"id": "pets"}', encoding="utf-8-sig")
    assert read_json(path) == {"id": "pets"}
