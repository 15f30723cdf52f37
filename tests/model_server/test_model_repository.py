"""What the server makes of a version folder: complete, settling or unusable; and its manifest."""

import json
from pathlib import Path

import pytest

from camfleet_contracts import volume
from camfleet_contracts.catalog import Catalog, CatalogEntry, CatalogFile
from camfleet_contracts.files import sha256_of
from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.reload import repository
from camfleet_server.reload.repository import ModelRepository, VersionFiles

NO_CATALOG = Catalog()


class Clock:
    """Time that only tests move."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "model" / "1"
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(b"weights")
    return folder


def _look(repository: ModelRepository, folder: Path, catalog: Catalog = NO_CATALOG) -> VersionFiles:
    return repository.read_version("model", folder, catalog)


def _catalog(name: str, sha256: str) -> Catalog:
    file = CatalogFile(path="model.onnx", url="https://example.org/m", sha256=sha256, size=7)
    entry = CatalogEntry(
        name=name,
        purpose="ObjectDetection",
        licence="MIT",
        files=(file,),
        manifest={"id": name, "postprocess": {"decoder": "fastestdet"}},
    )
    return Catalog(entries=(entry,))


def test_files_copied_by_hand_are_complete_when_they_rested(folder: Path) -> None:
    clock = Clock()
    repository = ModelRepository(clock)
    assert "settling" in _look(repository, folder).waiting
    clock.now = 0.6
    assert not _look(repository, folder).waiting


def test_every_change_starts_the_wait_anew(folder: Path) -> None:
    clock = Clock()
    repository = ModelRepository(clock)
    _look(repository, folder)
    clock.now = 0.4
    (folder / "model.onnx").write_bytes(b"more weights")
    _look(repository, folder)
    clock.now = 0.8
    assert _look(repository, folder).is_settling


def test_version_with_sums_is_complete_as_soon_as_they_match(folder: Path) -> None:
    sums = {"model.onnx": sha256_of(folder / "model.onnx")}
    (folder / "model.json").write_text(json.dumps({"files": sums}))
    repository = ModelRepository(Clock())
    assert not _look(repository, folder).waiting
    (folder / "model.onnx").write_bytes(b"half")
    assert "model.onnx differs" in _look(repository, folder).waiting


def test_files_with_sums_are_hashed_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sums = {"model.onnx": sha256_of(folder / "model.onnx")}
    (folder / "model.json").write_text(json.dumps({"files": sums}))
    hashed: list[str] = []

    def note(path: Path) -> str:
        hashed.append(path.name)
        return sha256_of(path)

    for module in (repository, volume):
        monkeypatch.setattr(module, "sha256_of", note)
    assert not _look(ModelRepository(Clock()), folder).waiting
    assert sorted(hashed) == ["model.json", "model.onnx"]


def test_a_version_that_went_and_came_back_is_looked_at_anew(folder: Path) -> None:
    clock = Clock()
    repository = ModelRepository(clock)
    repository.find_versions(folder.parent)
    _look(repository, folder)
    clock.now = 0.6
    folder.rename(folder.with_name("aside"))
    repository.find_versions(folder.parent)
    folder.with_name("aside").rename(folder)
    assert "settling" in _look(repository, folder).waiting


def test_a_version_that_stays_is_known_at_the_next_look(folder: Path) -> None:
    clock = Clock()
    repository = ModelRepository(clock)
    for clock.now in (0.0, 0.6):
        repository.find_versions(folder.parent)
        files = _look(repository, folder)
    assert not files.waiting


def test_beginning_to_publish_is_noticed_once(folder: Path) -> None:
    repository = ModelRepository(Clock())
    (folder.parent / ".2.tmp-x").mkdir()
    assert repository.find_versions(folder.parent).is_publishing
    assert not repository.find_versions(folder.parent).is_publishing


def test_folders_that_link_to_themselves_are_not_followed(folder: Path) -> None:
    (folder / "again").symlink_to(folder)
    assert set(_look(ModelRepository(Clock()), folder).digests) == {"model.onnx"}


def test_unreadable_manifest_is_the_reason_to_wait(folder: Path) -> None:
    (folder / "model.json").write_text('{"labels": ')
    assert "model.json" in _look(ModelRepository(Clock()), folder).waiting


def test_only_changed_content_changes_the_load_key(folder: Path) -> None:
    repository = ModelRepository(Clock())
    config = ModelConfig(name="model", base_path=folder.parent)
    before = _look(repository, folder).load_key(config)
    (folder / "model.onnx").touch()
    assert _look(repository, folder).load_key(config) == before
    assert _look(repository, folder).load_key(config.model_copy(update={"nireq": 3})) != before
    (folder / "model.onnx").write_bytes(b"other weights")
    assert _look(repository, folder).load_key(config) != before


def test_new_labels_change_what_is_served_but_not_what_was_probed(folder: Path) -> None:
    repository = ModelRepository(Clock())
    config = ModelConfig(name="model", base_path=folder.parent)
    before = _look(repository, folder)
    (folder / "model.json").write_text('{"labels": ["cat"]}')
    after = _look(repository, folder)
    assert after.load_key(config) != before.load_key(config)
    assert after.content_key(config) == before.content_key(config)


def test_manifest_comes_from_the_catalogue_entry_of_the_same_content(folder: Path) -> None:
    catalog = _catalog("known-elsewhere", sha256_of(folder / "model.onnx"))
    manifest = _look(ModelRepository(Clock()), folder, catalog).manifest
    assert manifest.id == "known-elsewhere"
    assert manifest.postprocess is not None


def test_manifest_comes_from_the_catalogue_entry_of_the_same_name(folder: Path) -> None:
    manifest = _look(ModelRepository(Clock()), folder, _catalog("model", "0" * 64)).manifest
    assert manifest.postprocess is not None


def test_a_catalogue_that_changed_counts_for_files_that_did_not(folder: Path) -> None:
    repository, catalog = ModelRepository(Clock()), _catalog("model", "0" * 64)
    assert _look(repository, folder).manifest.postprocess is None
    assert _look(repository, folder, catalog).manifest.postprocess is not None


def test_without_a_catalogue_the_labels_come_from_the_files(folder: Path) -> None:
    (folder / "coco.names").write_text("cat\ndog\n")
    (folder / "LICENSE.txt").write_text("no labels")
    manifest = _look(ModelRepository(Clock()), folder).manifest
    assert manifest.labels == ("cat", "dog")
    assert manifest.postprocess is None


def test_a_model_json_without_labels_leaves_them_to_the_files(folder: Path) -> None:
    (folder / "model.json").write_text('{"id": "pets"}')
    (folder / "labels.txt").write_text("cat\ndog\n")
    assert _look(ModelRepository(Clock()), folder).manifest.labels == ("cat", "dog")


def test_hidden_files_do_not_count(folder: Path) -> None:
    (folder / ".model.onnx.swp").write_bytes(b"an editor's")
    assert set(_look(ModelRepository(Clock()), folder).digests) == {"model.onnx"}


def test_model_file_as_base_path_is_version_1(folder: Path) -> None:
    path = folder / "model.onnx"
    assert ModelRepository().find_versions(path).folders == {1: path}
