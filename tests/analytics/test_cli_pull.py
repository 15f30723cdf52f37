import errno
import hashlib
import json
import shutil
from pathlib import Path

import pytest

from camfleet.catalog import transfer
from camfleet_contracts.model_manifest import read_manifest
from camfleet_contracts.serving_config import read_serving_config
from cli_runs import CommandLine
from fakes_upstream import Upstream
from pets_catalog import LABELS, WEIGHTS, catalog_file, write_catalog


@pytest.fixture
def camfleet(pets_fleet: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.setattr(transfer, "_BACK_OFF_S", 0.01)
    return pets_fleet


def served_names(models: Path) -> list[str]:
    return [model.name for model in read_serving_config(models / "config.json").models]


def test_pull_publishes_a_checked_version_and_serves_it(camfleet: CommandLine) -> None:
    assert camfleet.run("model", "pull", "pets").code == 0
    folder = camfleet.models / "pets" / "1"
    assert (folder / "net.onnx").read_bytes() == WEIGHTS
    manifest = read_manifest(folder)
    assert manifest is not None
    assert manifest.labels == ("cat", "dog")
    assert set(manifest.files) == {"net.onnx", "labels.txt", "LICENSE"}
    assert served_names(camfleet.models) == ["pets"]


def test_pull_twice_leaves_the_volume_as_it_is(camfleet: CommandLine, upstream: Upstream) -> None:
    camfleet.run("model", "pull", "pets")
    upstream.requests.clear()
    assert camfleet.run("model", "pull", "pets").err == "pets version 1 on the volume already\n"
    assert not upstream.requests
    assert [path.name for path in (camfleet.models / "pets").glob("[0-9]*")] == ["1"]


def test_a_full_volume_is_named_and_not_the_cache_and_nothing_is_left_of_the_model(
    camfleet: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(content: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(content), None, str(target))

    monkeypatch.setattr(shutil, "copyfile", full)
    outcome = camfleet.run("model", "pull", "pets")
    assert outcome.code == 1
    assert f"error: {camfleet.models / 'pets'}" in outcome.err
    assert "no space left on device; free some space" in outcome.err
    assert not (camfleet.models / "pets").exists()


def test_pull_without_serving_leaves_config_json_alone(camfleet: CommandLine) -> None:
    camfleet.run("model", "pull", "pets", "--no-serve")
    assert (camfleet.models / "pets" / "1").is_dir()
    assert not (camfleet.models / "config.json").exists()


def test_an_alias_is_published_under_the_id_that_was_asked(camfleet: CommandLine) -> None:
    outcome = camfleet.run("model", "pull", "vendor/animals")
    assert "vendor/animals is here pets" in outcome.err
    assert served_names(camfleet.models) == ["vendor.animals"]
    manifest = read_manifest(camfleet.models / "vendor.animals" / "1")
    assert manifest is not None
    assert manifest.id == "vendor/animals"


def test_a_cut_download_is_continued_where_it_ended(
    camfleet: CommandLine, upstream: Upstream
) -> None:
    upstream.cut_after = [300_000, 200_000]
    assert camfleet.run("model", "pull", "pets").code == 0
    ranges = [wanted for path, wanted in upstream.requests if path == "/net.onnx"]
    assert ranges[0] == ""
    assert all(wanted.startswith("bytes=") for wanted in ranges[1:])
    assert (camfleet.models / "pets" / "1" / "net.onnx").read_bytes() == WEIGHTS


def test_a_server_without_ranges_is_asked_for_the_whole_file_again(
    camfleet: CommandLine, upstream: Upstream
) -> None:
    upstream.cut_after, upstream.knows_ranges = [300_000], False
    assert camfleet.run("model", "pull", "pets").code == 0
    assert (camfleet.models / "pets" / "1" / "net.onnx").read_bytes() == WEIGHTS


def test_a_download_that_never_ends_well_leaves_nothing_on_the_volume(
    camfleet: CommandLine, upstream: Upstream
) -> None:
    upstream.cut_after = [10_000] * 20
    outcome = camfleet.run("model", "pull", "pets")
    assert outcome.code == 1
    assert "net.onnx" in outcome.err
    assert "CAMFLEET_MIRROR" in outcome.err
    assert not (camfleet.models / "pets").exists()


def test_a_later_pull_continues_what_an_earlier_one_had(
    camfleet: CommandLine, upstream: Upstream
) -> None:
    upstream.cut_after = [100_000] * 4
    camfleet.run("model", "pull", "pets")
    upstream.requests.clear()
    assert camfleet.run("model", "pull", "pets").code == 0
    assert upstream.requests[0][1].startswith("bytes=")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(WEIGHTS[:-1] + b"x", "sha256"), (WEIGHTS + b"x", "bytes")],
    ids=["another content", "too long"],
)
def test_wrong_content_is_refused_and_forgotten(
    camfleet: CommandLine, upstream: Upstream, content: bytes, reason: str
) -> None:
    upstream.files["/net.onnx"] = content
    outcome = camfleet.run("model", "pull", "pets")
    assert outcome.code == 1
    assert reason in outcome.err
    assert "nothing was published" in outcome.err
    assert not (camfleet.models / "pets").exists()
    upstream.files["/net.onnx"] = WEIGHTS
    assert camfleet.run("model", "pull", "pets").code == 0


def test_a_wrong_address_is_named_at_once(camfleet: CommandLine, upstream: Upstream) -> None:
    del upstream.files["/net.onnx"]
    outcome = camfleet.run("model", "pull", "pets")
    assert f"{upstream.url}/net.onnx answers 404" in outcome.err
    assert len(upstream.requests) == 1


def test_a_missing_licence_text_is_a_warning_only(
    camfleet: CommandLine, upstream: Upstream
) -> None:
    del upstream.files["/LICENSE"]
    outcome = camfleet.run("model", "pull", "pets")
    assert outcome.code == 0
    assert "without the text of its licence (MIT)" in outcome.err


def test_a_mirror_folder_gives_files_by_their_sha256(
    camfleet: CommandLine, upstream: Upstream, tmp_path: Path
) -> None:
    write_mirror(tmp_path / "mirror")
    camfleet.set(CAMFLEET_MIRROR=tmp_path / "mirror")
    assert camfleet.run("model", "pull", "pets").code == 0
    assert not upstream.requests


def test_a_mirror_that_is_not_there_is_told_in_words(camfleet: CommandLine) -> None:
    camfleet.set(CAMFLEET_MIRROR="/nonexistent")
    outcome = camfleet.run("model", "pull", "pets")
    assert "INDEX.json cannot be used (no such file or directory)" in outcome.err


def test_a_mirror_server_gives_files_by_their_sha256(
    camfleet: CommandLine, upstream: Upstream, tmp_path: Path
) -> None:
    write_mirror(tmp_path / "mirror")
    content = {f"/{p.name}": p.read_bytes() for p in (tmp_path / "mirror").iterdir()}
    upstream.files = content
    camfleet.set(CAMFLEET_MIRROR=f"{upstream.url}/")
    assert camfleet.run("model", "pull", "pets").code == 0
    assert [path for path, _ in upstream.requests] == ["/INDEX.json", "/a.bin", "/b.bin"]


def write_mirror(folder: Path) -> None:
    folder.mkdir()
    (folder / "a.bin").write_bytes(WEIGHTS)
    (folder / "b.bin").write_bytes(LABELS)
    files = [
        {"path": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in sorted(folder.iterdir())
    ]
    (folder / "INDEX.json").write_text(json.dumps({"entries": [{"files": files}]}))


@pytest.mark.parametrize("location", ["no-such-folder", "http://127.0.0.1:1"])
def test_a_mirror_that_is_not_there_is_named(camfleet: CommandLine, location: str) -> None:
    camfleet.set(CAMFLEET_MIRROR=location)
    outcome = camfleet.run("model", "pull", "pets")
    assert outcome.code == 1
    assert f"CAMFLEET_MIRROR={location}" in outcome.err


def test_an_unknown_model_gets_a_suggestion(camfleet: CommandLine) -> None:
    outcome = camfleet.run("model", "pull", "pet")
    assert outcome.code == 1
    assert "model 'pet' is not in the catalogue; did you mean pets?" in outcome.err
    misspelt = camfleet.run("model", "pull", "vendor/animal")
    assert "did you mean vendor/animals?" in misspelt.err


def test_another_model_of_the_same_publisher_is_no_suggestion(camfleet: CommandLine) -> None:
    outcome = camfleet.run("model", "pull", "vendor/hands")
    assert "'vendor/hands' is not in the catalogue; `camfleet model search` lists" in outcome.err


def test_a_changed_entry_is_pulled_as_the_next_version(
    camfleet: CommandLine, upstream: Upstream
) -> None:
    camfleet.run("model", "pull", "pets")
    upstream.files["/labels.txt"] = b"cat\ncow\n"
    files = [catalog_file(path[1:], upstream.url, c) for path, c in upstream.files.items()]
    write_catalog(camfleet.models, upstream.url, files=files)
    camfleet.run("model", "pull", "pets")
    assert (camfleet.models / "pets" / "2" / "labels.txt").read_bytes() == b"cat\ncow\n"
