"""A catalogue entry becomes a served version of a model."""

import difflib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from camfleet.catalog.download import Report, fetch
from camfleet.catalog.errors import DownloadFailed, UnknownModel
from camfleet.catalog.mirror import Mirror, open_mirror
from camfleet.catalog.trail import complete
from camfleet_contracts.catalog import Catalog, CatalogEntry, CatalogFile, read_catalog
from camfleet_contracts.files import locked, write_atomically
from camfleet_contracts.model_manifest import BadManifest, read_manifest
from camfleet_contracts.names import stored_name
from camfleet_contracts.settings import FleetSettings
from camfleet_contracts.trail import Trail
from camfleet_contracts.volume import MANIFEST, publish_version, versions_of

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
        names = [name for entry in catalog.entries for name in (entry.name, *entry.aliases)]
        raise UnknownModel(model_id, difflib.get_close_matches(model_id, names, n=2, cutoff=0.5))
    return entry


def pull_model(settings: FleetSettings, model_id: str, report: Report) -> Pulled:
    """Download, check and publish a model; one that is on the volume already is left as it is.

    An alias is published under its own name, so that whoever asks for that id finds it served.

    Raises:
        CatalogError: unknown, unreachable or wrong; the volume is unchanged.
        BadCatalog: catalog.json cannot be read.
    """
    entry = find_entry(read_catalog(settings.models_dir / "catalog.json"), model_id)
    name = stored_name(model_id)
    present = _present_version(settings.models_dir / name, entry)
    if present:
        return Pulled(entry, name, present, is_new=False)
    mirror = open_mirror(settings.mirror) if settings.mirror else None
    downloads = settings.cache_dir / "downloads"
    with locked(downloads / "fetch"):
        files, warnings = _fetch_all(entry, mirror, downloads, report)
        trail = complete(settings, Trail(source=f"catalogue entry {entry.name}"), None, "")
        manifest = _manifest_of(entry, name if name == entry.name else model_id) | {
            "trail": trail.model_dump(mode="json", exclude_defaults=True)
        }

        def fill(folder: Path) -> None:
            for path, content in files.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(content, folder / path)
            write_atomically(folder / MANIFEST, json.dumps(manifest, indent=2) + "\n")

        folder = publish_version(settings.models_dir, name, None, fill)
        for content in set(files.values()):
            content.unlink(missing_ok=True)
    return Pulled(entry, name, folder, is_new=True, warnings=warnings)


def _fetch_all(
    entry: CatalogEntry, mirror: Mirror | None, downloads: Path, report: Report
) -> tuple[dict[str, Path], tuple[str, ...]]:
    """The entry's files by their path; a licence text that cannot be had is a warning only."""
    files: dict[str, Path] = {}
    warnings: list[str] = []
    for file in entry.files:
        source = mirror.find(file) if mirror else None
        try:
            if source is None and mirror and _is_licence(file):
                raise DownloadFailed(f"the mirror does not have it, see {file.url}")  # noqa: TRY301
            files[file.path] = fetch(source or file.url, file, downloads, report)
        except DownloadFailed as error:
            if not _is_licence(file):
                raise
            warnings.append(f"without the text of its licence ({entry.licence}): {error}")
    return files, tuple(warnings)


def _is_licence(file: CatalogFile) -> bool:
    return file.path.startswith(_LICENCE)


def _manifest_of(entry: CatalogEntry, model_id: str) -> dict[str, Any]:
    return entry.manifest | {"id": model_id, "catalog_entry": entry.name}


def _present_version(base_path: Path, entry: CatalogEntry) -> Path | None:
    """The newest version that has all the entry's files, by their sha256."""
    wanted = {file.path: file.sha256 for file in entry.files if not _is_licence(file)}
    for folder in reversed(versions_of(base_path).values()):
        try:
            manifest = read_manifest(folder)
        except BadManifest:
            continue
        if manifest and wanted.items() <= manifest.files.items():
            return folder
    return None
