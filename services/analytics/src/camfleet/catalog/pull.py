"""A catalogue entry becomes a served version of a model."""

import difflib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from camfleet.catalog.download import fetch
from camfleet.catalog.errors import DownloadFailed, UnknownModel
from camfleet.catalog.mirror import Mirror, open_mirror
from camfleet.catalog.pins import Pins, pulled_from, read_pins
from camfleet.catalog.trail import complete
from camfleet.catalog.transfer import Report
from camfleet_contracts.catalog import Catalog, CatalogEntry, CatalogFile, read_catalog
from camfleet_contracts.files import locked, write_atomically
from camfleet_contracts.model_manifest import BadManifest, read_manifest
from camfleet_contracts.names import stored_name
from camfleet_contracts.settings import FleetSettings
from camfleet_contracts.trail import Trail
from camfleet_contracts.volume import MANIFEST, publish_version, sums_match, versions_of

_LICENCE = "LICENSE"


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull led to."""

    entry: CatalogEntry
    name: str  # stored and served under it
    version_folder: Path
    is_new: bool
    warnings: tuple[str, ...] = ()


def find_entry(catalog: Catalog, model_id: str) -> CatalogEntry:
    """The entry of a name, id or alias.

    Raises:
        UnknownModel: with names that look like it.
    """
    try:
        entry = catalog.find(model_id)
    except ValueError:  # not even a name
        entry = None
    if entry is None:
        raise UnknownModel(model_id, _like(model_id, catalog))
    return entry


def _like(model_id: str, catalog: Catalog) -> list[str]:
    """Names that look like it; who published it is not what makes two alike."""
    names = [name for entry in catalog.entries for name in (entry.name, *entry.aliases)]
    by_last_part = {_last_part(name): name for name in names}
    near = difflib.get_close_matches(_last_part(model_id), by_last_part, n=2)
    return [by_last_part[part] for part in near]


def _last_part(name: str) -> str:
    return name.rpartition("/")[2]


def pull_model(settings: FleetSettings, model_id: str, report: Report) -> Pulled:
    """Download, check and publish a model; one that is on the volume already is left as it is.

    An alias is published under its own name, so that whoever asks for that id finds it served.

    Raises:
        CatalogError: unknown, unreachable or wrong; the volume is unchanged.
        BadCatalog: catalog.json cannot be read.
    """
    entry = find_entry(read_catalog(settings.models_dir / "catalog.json"), model_id)
    name = stored_name(model_id)
    downloads = settings.cache_dir / "downloads"
    present = _present_version(settings, name, entry)
    if present is None:
        with locked(downloads / "fetch"):
            present = _present_version(settings, name, entry)  # whoever held the lock brought it
            if present is None:
                return _bring(settings, entry, model_id, report)
    return Pulled(entry, name, present, is_new=False)


def _bring(settings: FleetSettings, entry: CatalogEntry, model_id: str, report: Report) -> Pulled:
    name, downloads = stored_name(model_id), settings.cache_dir / "downloads"
    pins = read_pins(settings.models_dir)
    sources = _Sources(_mirror_of(settings), pins, downloads, report)
    files, warnings = _fetch_all(entry, sources)
    manifest = _manifest_of(entry, name if name == entry.name else model_id, files)
    folder = _publish(settings, name, manifest, files)
    for content in set(files.values()):
        content.unlink(missing_ok=True)
    return Pulled(entry, name, folder, is_new=True, warnings=warnings)


def _mirror_of(settings: FleetSettings) -> Mirror | None:
    return open_mirror(settings.mirror) if settings.mirror else None


def _publish(
    settings: FleetSettings, name: str, manifest: dict[str, Any], files: dict[str, Path]
) -> Path:
    source = f"catalogue entry {manifest['catalog_entry']}"
    trail = complete(settings, Trail(source=source), None, "")
    document = manifest | {"trail": trail.model_dump(mode="json", exclude_defaults=True)}

    def fill(folder: Path) -> None:
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(content, folder / path)
        write_atomically(folder / MANIFEST, json.dumps(document, indent=2) + "\n")

    return publish_version(settings.models_dir, name, None, fill)


@dataclass(frozen=True, slots=True)
class _Sources:
    """Where files come from, and where they go."""

    mirror: Mirror | None
    pins: Pins
    downloads: Path
    report: Report

    def fetch(self, file: CatalogFile) -> Path:
        return self.pins.fetch(file, self._fetch)

    def _fetch(self, file: CatalogFile) -> Path:
        source = self.mirror.find(file) if self.mirror else None
        if source is None and self.mirror and _is_licence(file):
            raise DownloadFailed(f"the mirror does not have it, see {file.url}")
        return fetch(source or file.url, file, self.downloads, self.report)


def _fetch_all(entry: CatalogEntry, sources: _Sources) -> tuple[dict[str, Path], tuple[str, ...]]:
    """The entry's files by their path; a licence text that cannot be had is a warning only."""
    files: dict[str, Path] = {}
    warnings: list[str] = []
    for file in entry.files:
        try:
            files[file.path] = sources.fetch(file)
        except DownloadFailed as error:
            if not _is_licence(file):
                raise
            warnings.append(f"without the text of its licence ({entry.licence}): {error}")
    return files, tuple(warnings)


def _is_licence(file: CatalogFile) -> bool:
    return file.path.startswith(_LICENCE)


def _manifest_of(entry: CatalogEntry, model_id: str, files: dict[str, Path]) -> dict[str, Any]:
    manifest = entry.manifest | {"id": model_id, "catalog_entry": entry.name}
    unknown = [file for file in entry.files if not file.sha256]
    pulled = pulled_from(unknown, files)
    return manifest | {"pulled_from": pulled} if pulled else manifest


def _present_version(settings: FleetSettings, name: str, entry: CatalogEntry) -> Path | None:
    """The newest whole version that has the entry's files, by their sha256 known or pinned."""
    pins = read_pins(settings.models_dir)
    wanted = {file.path: pins.held(file).sha256 for file in entry.files if not _is_licence(file)}
    if not all(wanted.values()):
        return None
    for folder in reversed(versions_of(settings.models_dir / name).values()):
        try:
            manifest = read_manifest(folder)
        except BadManifest:
            continue
        is_alike = manifest and wanted.items() <= manifest.files.items()
        if manifest and is_alike and sums_match(folder, manifest.files).complete:
            return folder
    return None
