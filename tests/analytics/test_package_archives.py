"""Archives that `camfleet model publish` and `pull` are given: what is wrong is said in a line."""

import gzip
import io
import random
import tarfile
import zipfile
from pathlib import Path

import pytest

from camfleet.cli.errors import CommandError
from camfleet.cli.packages.package import opened

WEIGHTS = random.Random(1).randbytes(4000) + bytes(4000)
METHOD, FLAGS = (8, 10), (6, 8)  # where a zip keeps them, in a file's own header and in the index


def zip_that_leaves(archive: Path) -> None:
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("../outside.txt", "")


def tar_that_leaves(archive: Path) -> None:
    with tarfile.open(archive, "w") as packed:
        packed.addfile(tarfile.TarInfo("../outside.txt"), io.BytesIO())


def zip_with(archive: Path, places: tuple[int, int], value: int) -> None:
    """One file, and another value in both of its headers."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("net.onnx", WEIGHTS)
    content = bytearray(archive.read_bytes())
    content[places[0]] = content[content.rfind(b"PK\x01\x02") + places[1]] = value
    archive.write_bytes(content)


def zip_with_a_password(archive: Path) -> None:
    zip_with(archive, FLAGS, 1)


def zip_of_another_method(archive: Path) -> None:
    zip_with(archive, METHOD, 99)


def zip_with_other_bytes(archive: Path) -> None:
    zip_with(archive, METHOD, 8)
    content = bytearray(archive.read_bytes())
    content[100:160] = random.Random(2).randbytes(60)
    archive.write_bytes(content)


def tgz_with_another_sum(archive: Path) -> None:
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as packed:
        entry = tarfile.TarInfo("net.onnx")
        entry.size = len(WEIGHTS)
        packed.addfile(entry, io.BytesIO(WEIGHTS))
    content = bytearray(gzip.compress(tar.getvalue()))
    content[-8] ^= 1  # the tar reader ends before it
    archive.write_bytes(content)


def damaged(archive: Path) -> None:
    archive.write_bytes(b"no archive")


@pytest.mark.parametrize(
    ("name", "make", "reason"),
    [
        ("a.zip", zip_that_leaves, "would be written outside its folder"),
        ("a.tar", tar_that_leaves, "outside"),
        ("a.zip", damaged, "cannot be unpacked"),
        ("a.zip", zip_with_a_password, "has a password; pack it without one"),
        ("a.zip", zip_of_another_method, "cannot be unpacked: .*method"),
        ("a.zip", zip_with_other_bytes, "cannot be unpacked"),
        ("a.tgz", tgz_with_another_sum, "cannot be unpacked: CRC check failed"),
        ("a.tgz", damaged, "cannot be unpacked"),
        ("a.txt", damaged, "is not a package"),
    ],
)
def test_archives_that_cannot_be_trusted_are_refused(
    tmp_path: Path, name: str, make: object, reason: str
) -> None:
    assert callable(make)
    make(tmp_path / name)
    with pytest.raises(CommandError, match=reason) as refusal, opened(tmp_path / name):
        pass
    assert "\n" not in str(refusal.value)
    assert not (tmp_path.parent / "outside.txt").exists()


def test_files_that_lie_bare_in_an_archive_have_its_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "pets.zip", "w") as packed:
        packed.writestr("net.onnx", WEIGHTS)
    with opened(tmp_path / "pets.zip") as folder:
        assert folder.name == "pets"
        assert [path.name for path in folder.iterdir()] == ["net.onnx"]


@pytest.mark.parametrize(
    "note", ["__MACOSX/pets/._net.onnx", "._pets", ".DS_Store", "pets/._net.onnx"]
)
def test_what_a_mac_notes_beside_files_is_left_out(tmp_path: Path, note: str) -> None:
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as packed:
        packed.writestr("pets/net.onnx", WEIGHTS)
        packed.writestr(note, "")
    with opened(tmp_path / "archive.zip") as folder:
        assert folder.name == "pets"
        assert [path.name for path in folder.iterdir()] == ["net.onnx"]
