import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from camfleet_contracts.model_manifest import read_manifest
from camfleet_contracts.volume import (
    completeness,
    others_of_number,
    publish_version,
    version_number,
    versions_of,
)


def fill(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"weights")
    (folder / "model.json").write_text('{"id": "user/net", "purpose": "ObjectDetection"}')


def test_published_versions_count_up_and_are_complete(tmp_path: Path) -> None:
    first = publish_version(tmp_path, "user/net", None, fill)
    second = publish_version(tmp_path, "user/net", None, fill)
    assert list(versions_of(tmp_path / "user.net").items()) == [(1, first), (2, second)]
    assert completeness(first, read_manifest(first)).complete


def test_numbers_no_protocol_can_carry_are_no_versions(tmp_path: Path) -> None:
    for name in (str(2**63 - 1), str(2**63)):
        (tmp_path / name).mkdir()
    assert list(versions_of(tmp_path)) == [2**63 - 1]
    assert version_number(str(2**63 - 1)) == 2**63 - 1
    assert version_number(str(2**63)) is None


def test_a_number_that_no_protocol_can_carry_is_not_published(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nobody can ask for it"):
        publish_version(tmp_path, "pets", 2**63, lambda folder: (folder / "m.onnx").touch())
    assert not list(tmp_path.iterdir())


def test_leading_zeros_make_no_other_version_and_the_shortest_name_counts(tmp_path: Path) -> None:
    for name in ("01", "1", "001", "00000123", "0123"):
        (tmp_path / name).mkdir()
    assert versions_of(tmp_path) == {1: tmp_path / "1", 123: tmp_path / "0123"}
    assert others_of_number(tmp_path / "1") == (tmp_path / "001", tmp_path / "01")
    assert others_of_number(tmp_path / "model.onnx") == ()


def test_a_version_is_published_once(tmp_path: Path) -> None:
    publish_version(tmp_path, "net", 3, fill)
    with pytest.raises(FileExistsError, match="net version 3"):
        publish_version(tmp_path, "net", 3, fill)


def test_a_publish_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing to publish"):
        publish_version(tmp_path, "net", None, lambda folder: None)
    assert not list(tmp_path.iterdir())


def test_a_publish_that_fails_leaves_what_others_have_in_the_folder(tmp_path: Path) -> None:
    publish_version(tmp_path, "net", 1, fill)
    with pytest.raises(ValueError, match="nothing to publish"):
        publish_version(tmp_path, "net", 2, lambda folder: None)
    assert list(versions_of(tmp_path / "net")) == [1]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda f: (f / "model.onnx").write_bytes(b"weigh"), "differs from its sha256"),
        (lambda f: (f / "model.onnx").unlink(), "is not there yet"),
    ],
    ids=["truncated", "missing"],
)
def test_a_version_whose_sums_do_not_match_is_not_complete(
    tmp_path: Path, change: Callable[[Path], object], reason: str
) -> None:
    folder = publish_version(tmp_path, "net", None, fill)
    change(folder)
    assert reason in completeness(folder, read_manifest(folder)).reason


def test_sums_may_not_leave_the_folder(tmp_path: Path) -> None:
    folder = publish_version(tmp_path, "net", None, fill)
    manifest = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(manifest | {"files": {"../x": "0" * 64}}))
    assert "leaves the folder" in completeness(folder, read_manifest(folder)).reason


def test_a_version_without_sums_is_complete_when_it_has_settled(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"x")
    now = time.time()
    assert not completeness(tmp_path, None, now=now).complete
    assert completeness(tmp_path, None, now=now + 0.6).complete


def test_only_numbers_above_zero_are_versions(tmp_path: Path) -> None:
    for name in ("0", "1", "10", "2", "two", ".3.tmp-x"):
        (tmp_path / name).mkdir()
    (tmp_path / "4").write_text("a file")
    assert list(versions_of(tmp_path)) == [1, 2, 10]
    assert versions_of(tmp_path / "absent") == {}
