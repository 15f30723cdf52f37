"""What servers answer to a download, and what is made of it."""

import hashlib
from pathlib import Path

import pytest

from camfleet.catalog import transfer
from camfleet.catalog.download import fetch
from camfleet.catalog.errors import BadAnswer, DownloadFailed, Unreachable, WrongContent
from camfleet_contracts.catalog import CatalogFile
from scripted_upstream import Answer, Script, answering, chunked, rest, whole

OLD = bytes(range(250)) * 4  # 1000 bytes
NEW = OLD[::-1]
LONGER = NEW + NEW
SUM = hashlib.sha256(OLD).hexdigest()
REFUSED = Answer(416, {"Content-Length": "0", "Content-Range": "bytes */1000"})


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "_BACK_OFF_S", 0.0)


def bring(
    script: Script, folder: Path, sha256: str = "", size: int | None = None, name: str = "pets.onnx"
) -> bytes:
    wanted = CatalogFile(path=name, url=script.url, sha256=sha256, size=size)
    return fetch(script.url, wanted, folder, lambda *_: None).read_bytes()


def left_by_a_killed_pull(folder: Path, content: bytes) -> Path:
    part = folder / f"{SUM}.part"
    part.write_bytes(content)
    return part


def test_a_part_of_known_content_is_continued(tmp_path: Path) -> None:
    left_by_a_killed_pull(tmp_path, OLD[:300])
    with answering(rest(OLD, 300)) as script:
        assert bring(script, tmp_path, SUM) == OLD
    assert script.ranges == ["bytes=300-"]


@pytest.mark.parametrize("size", [1000, None], ids=["size known", "size unknown"])
def test_a_part_that_is_whole_already_is_not_sent_again(tmp_path: Path, size: int | None) -> None:
    left_by_a_killed_pull(tmp_path, OLD)
    with answering(REFUSED) as script:
        assert bring(script, tmp_path, SUM, size) == OLD


def test_a_part_that_is_longer_than_the_file_begins_anew(tmp_path: Path) -> None:
    left_by_a_killed_pull(tmp_path, LONGER)
    with answering(REFUSED, whole(OLD)) as script:
        assert bring(script, tmp_path, SUM) == OLD
    assert script.ranges == ["bytes=2000-", ""]


def test_the_rest_is_asked_for_only_while_the_mark_is_the_same(tmp_path: Path) -> None:
    with answering(whole(OLD, cut=300, ETag='"a"'), whole(NEW, ETag='"b"')) as script:
        assert bring(script, tmp_path) == NEW
    assert script.ranges == ["", 'bytes=300- "a"']


def test_a_weak_mark_vouches_for_nothing(tmp_path: Path) -> None:
    with answering(whole(OLD, cut=300, ETag='W/"a"'), whole(NEW)) as script:
        assert bring(script, tmp_path) == NEW
    assert script.ranges == ["", ""]


@pytest.mark.parametrize(
    "second",
    [rest(NEW, 300, ETag='"b"'), rest(LONGER, 300, ETag='"a"')],
    ids=["another mark", "another length"],
)
def test_the_rest_of_another_file_is_never_put_behind_the_first(
    tmp_path: Path, second: Answer
) -> None:
    with answering(whole(OLD, cut=300, ETag='"a"'), second, whole(NEW)) as script:
        assert bring(script, tmp_path) == NEW
    assert script.ranges[2] == ""


@pytest.mark.parametrize(
    "second",
    [rest(OLD, 200), Answer(206, {"Content-Length": "700"}, OLD[300:])],
    ids=["from another byte", "without saying from where"],
)
def test_another_part_than_was_asked_for_is_not_taken(tmp_path: Path, second: Answer) -> None:
    with answering(whole(OLD, cut=300), second, whole(OLD)) as script:
        assert bring(script, tmp_path, SUM) == OLD
    assert script.ranges == ["", "bytes=300-", ""]


def test_a_part_that_nobody_asked_for_is_continued_to_the_end(tmp_path: Path) -> None:
    first = rest(OLD[:300], 0, total=1000, ETag='"a"')
    with answering(first, rest(OLD, 300, ETag='"a"')) as script:
        assert bring(script, tmp_path) == OLD


def test_a_range_from_the_first_byte_replaces_what_was_there(tmp_path: Path) -> None:
    left_by_a_killed_pull(tmp_path, NEW[:300])
    with answering(rest(OLD, 0)) as script:
        assert bring(script, tmp_path, SUM) == OLD


@pytest.mark.parametrize("content", [LONGER, OLD[:800]], ids=["longer", "shorter"])
def test_a_file_that_changes_its_length_between_tries_comes_whole(
    tmp_path: Path, content: bytes
) -> None:
    with answering(whole(OLD, cut=300), chunked(content)) as script:
        assert bring(script, tmp_path) == content


@pytest.mark.parametrize("content", [LONGER, OLD[:800]], ids=["longer", "shorter"])
def test_another_length_than_wanted_is_said_at_once(tmp_path: Path, content: bytes) -> None:
    with (
        answering(whole(content, cut=0)) as script,
        pytest.raises(WrongContent, match=rf"bytes {len(content)}, wanted 1000"),
    ):
        bring(script, tmp_path, SUM, 1000)


def test_more_than_wanted_is_refused_though_its_length_was_not_said(tmp_path: Path) -> None:
    with (
        answering(chunked(LONGER)) as script,
        pytest.raises(WrongContent, match="bytes 2000 and more, wanted 1000"),
    ):
        bring(script, tmp_path, SUM, 1000)
    assert not [*tmp_path.iterdir()]


def test_an_empty_file_is_one(tmp_path: Path) -> None:
    with answering(whole(b"")) as script:
        assert bring(script, tmp_path, size=0) == b""


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_server_that_is_busy_is_asked_again(tmp_path: Path, status: int) -> None:
    with answering(Answer(status, {"Content-Length": "0"}), whole(OLD)) as script:
        assert bring(script, tmp_path) == OLD


def test_a_server_that_stays_busy_is_said_with_its_answer(tmp_path: Path) -> None:
    busy = Answer(429, {"Content-Length": "0"})
    with answering(*[busy] * 4) as script, pytest.raises(Unreachable, match="answers 429"):
        bring(script, tmp_path)


@pytest.mark.parametrize(("status", "mend"), [(401, "login"), (403, "login"), (410, "correct")])
def test_a_refusal_says_what_to_do(tmp_path: Path, status: int, mend: str) -> None:
    with (
        answering(Answer(status, {"Content-Length": "0"})) as script,
        pytest.raises(BadAnswer, match=rf"answers {status} .*{mend}"),
    ):
        bring(script, tmp_path)


def test_a_web_page_is_not_taken_for_a_model(tmp_path: Path) -> None:
    page = whole(b"<html>", Content_Type="text/html; charset=utf-8")
    with answering(page) as script, pytest.raises(BadAnswer, match="web page"):
        bring(script, tmp_path)


def test_what_is_packed_on_the_way_is_not_taken_for_the_file(tmp_path: Path) -> None:
    packed = whole(b"\x1f\x8b", Content_Encoding="gzip")
    with answering(packed) as script, pytest.raises(BadAnswer, match=r"packed \(gzip\)"):
        bring(script, tmp_path)
    with answering(packed) as script:
        assert bring(script, tmp_path, name="pets.tar.gz") == b"\x1f\x8b"


def test_a_mirror_that_cannot_be_read_is_named_and_not_the_cache(tmp_path: Path) -> None:
    broken = tmp_path / "pets.onnx"
    broken.symlink_to("/proc/self/mem")  # opens, and answers the first read with EIO
    wanted = CatalogFile(path="pets.onnx", url="http://host/pets.onnx")
    with pytest.raises(DownloadFailed, match="cannot be copied from the mirror"):
        fetch(broken, wanted, tmp_path / "cache", lambda *_: None)
