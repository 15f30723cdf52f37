"""What is on the model volume: version folders, the sums of their files, their manifests."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from camfleet_contracts.catalog import Catalog
from camfleet_contracts.files import sha256_of
from camfleet_contracts.frameworks import FRAMEWORKS
from camfleet_contracts.model_manifest import MANIFEST_NAMES, BadManifest, ModelManifest
from camfleet_contracts.serving_config import ModelConfig
from camfleet_contracts.volume import (
    SETTLE_S,
    Completeness,
    completeness,
    is_staging,
    is_version_folder,
    sums_match,
    versions_named,
)
from camfleet_server.reload.manifests import find_manifest
from camfleet_server.serving.configuring import LABELS_NAME

Stamp = tuple[int, int, int, int]  # inode, size, mtime, ctime
Stamps = Mapping[str, Stamp]  # by path relative to the version folder
_BESIDE = {suffix: f.config_suffixes for f in FRAMEWORKS for suffix in f.model_suffixes}
_BESIDE[".pdiparams"] = (".pdmodel",)  # base_path may name the weights
_NOT_LOADED_FROM = {"name", "base_path", "model_version_policy"}


@dataclass(frozen=True, slots=True)
class VersionFiles:
    """One version folder as it was when last looked at."""

    folder: Path
    stamps: Stamps
    digests: Mapping[str, str]
    manifest: ModelManifest
    waiting: str = ""  # why it may not be loaded (yet); empty when it is complete
    is_settling: bool = False  # waiting for nothing but time

    def load_key(self, config: ModelConfig) -> str:
        """Return a digest of all that decides what is served: files, manifest, settings."""
        settings = config.model_dump(mode="json", exclude=_NOT_LOADED_FROM)
        return _digest(self.digests, settings, self.manifest.to_json())

    def content_key(self, config: ModelConfig) -> str:
        """Return a digest of what decides whether it can be loaded; the manifest's texts do not."""
        settings = config.model_dump(mode="json", exclude=_NOT_LOADED_FROM)
        files = {path: sum_ for path, sum_ in self.digests.items() if path not in MANIFEST_NAMES}
        manifest = self.manifest
        batching = manifest.batching.model_dump() if manifest.batching else None
        wishes = [manifest.precision, manifest.runtimes, manifest.model_file, batching]
        return _digest(files, settings, wishes)


@dataclass(frozen=True, slots=True)
class FoundVersions:
    """The version folders of a model by number, and what else lies beside them."""

    folders: Mapping[int, Path] = field(default_factory=dict)
    has_labels: bool = False
    is_publishing: bool = False  # somebody began to publish one since the last look


@dataclass(frozen=True, slots=True)
class _Listing:
    """The names in a model's folder that matter."""

    versions: tuple[str, ...] = ()
    staging: frozenset[str] = frozenset()
    has_labels: bool = False


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a folder held at the last look."""

    files: VersionFiles
    changed_at: float
    catalog: Catalog


class ModelRepository:
    """Looks at the volume: stats first and hashes only what changed. One thread uses it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[Path, dict[str, _Seen]] = {}  # by folder, then by name of the model
        self._listings: dict[Path, _Listing] = {}
        self._folders: dict[Path, Mapping[int, Path]] = {}

    def find_versions(self, base_path: Path) -> FoundVersions:
        """Look for version folders; a model file given as base_path is version 1.

        Raises:
            OSError: the volume cannot be read at the moment.
        """
        try:
            listing = _list(base_path)
        except FileNotFoundError:
            listing = _Listing()
        except NotADirectoryError:
            return FoundVersions({1: base_path})
        known = self._listings.get(base_path, _Listing())
        if listing.versions != known.versions or base_path not in self._folders:
            self._take_folders(base_path, versions_named(base_path, listing.versions))
        self._listings[base_path] = listing
        is_publishing = bool(listing.staging - known.staging)
        return FoundVersions(self._folders[base_path], listing.has_labels, is_publishing)

    def read_version(self, name: str, folder: Path, catalog: Catalog) -> VersionFiles:
        """Look at one version folder.

        Raises:
            OSError: a file vanished meanwhile or cannot be read.
        """
        stamps = stamps_of(folder)
        by_name = self._seen.setdefault(folder, {})
        seen = by_name.get(name)
        if seen and seen.files.stamps == stamps and seen.catalog is catalog:
            files, changed_at = seen.files, seen.changed_at
            if files.is_settling:
                files = _with_completeness(files, self._clock() - changed_at)
        else:
            files, changed_at = self._read(name, folder, stamps, catalog), self._clock()
        by_name[name] = _Seen(files, changed_at, catalog)
        return files

    def _take_folders(self, base_path: Path, folders: Mapping[int, Path]) -> None:
        for folder in self._folders.get(base_path, {}).values():
            if folder not in folders.values():
                self._seen.pop(folder, None)
        self._folders[base_path] = folders

    def _read(self, name: str, folder: Path, stamps: Stamps, catalog: Catalog) -> VersionFiles:
        by_name = self._seen[folder].values()
        newest = max(by_name, key=lambda seen: seen.changed_at, default=None)
        digests = _digests_of(folder, stamps, newest.files if newest else None)
        try:
            manifest = find_manifest(name, folder, digests, catalog)
        except BadManifest as error:
            return VersionFiles(folder, stamps, digests, ModelManifest(), waiting=str(error))
        return _with_completeness(VersionFiles(folder, stamps, digests, manifest), unchanged_s=0)


def stamps_of(folder: Path) -> dict[str, Stamp]:
    """Return what stat says of every file of a version, hidden ones left out.

    Raises:
        OSError: a file vanished meanwhile.
    """
    try:
        return dict(sorted(_stamps_below(str(folder), "")))
    except NotADirectoryError:
        files = [folder, *map(folder.with_suffix, _BESIDE.get(folder.suffix, ()))]
        return {path.name: _stamp(path.stat()) for path in files if path.is_file()}


def _list(base_path: Path) -> _Listing:
    """Look with the least calls, as this and what is below run at every poll."""
    versions, staging, has_labels = [], [], False
    with os.scandir(base_path) as entries:
        for entry in entries:
            if is_version_folder(entry):
                versions.append(entry.name)
            elif is_staging(entry.name):
                staging.append(entry.name)
            elif entry.name == LABELS_NAME:
                has_labels = True
    return _Listing(tuple(versions), frozenset(staging), has_labels)


def _stamps_below(folder: str, prefix: str) -> Iterator[tuple[str, Stamp]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _stamps_below(entry.path, f"{prefix}{entry.name}/")
            elif entry.is_file():
                yield prefix + entry.name, _stamp(entry.stat())


def _stamp(status: os.stat_result) -> Stamp:
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _digests_of(folder: Path, stamps: Stamps, seen: VersionFiles | None) -> dict[str, str]:
    base = folder if folder.is_dir() else folder.parent
    return {
        name: seen.digests[name]
        if seen and seen.stamps.get(name) == stamp
        else sha256_of(base / name)
        for name, stamp in stamps.items()
    }


def _with_completeness(files: VersionFiles, unchanged_s: float) -> VersionFiles:
    has_sums = bool(files.manifest.files)
    if not has_sums and unchanged_s >= SETTLE_S:  # also where the volume's clock is not ours
        return replace(files, waiting="", is_settling=False)
    complete, reason = _completeness(files)
    if complete:
        return replace(files, waiting="", is_settling=False)
    return replace(files, waiting=reason, is_settling=not has_sums)


def _completeness(files: VersionFiles) -> Completeness:
    if not files.folder.is_dir():
        return Completeness(complete=False, reason="settling")
    if files.manifest.files:
        return sums_match(files.folder, files.manifest.files, known=files.digests)
    return completeness(files.folder, files.manifest)


def _digest(*values: object) -> str:
    text = json.dumps(values, sort_keys=True, default=list)
    return hashlib.sha256(text.encode()).hexdigest()
