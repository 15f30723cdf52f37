"""The manifest of a version: its own, else the catalogue's, completed by what its files say."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from camfleet_contracts.catalog import BadCatalog, Catalog, CatalogEntry, read_catalog
from camfleet_contracts.exports import Export, find_export
from camfleet_contracts.model_files import NoModelFiles, find_model_files
from camfleet_contracts.model_manifest import (
    ModelManifest,
    Postprocess,
    Preprocess,
    ServedBy,
    Tensor,
    parse_manifest,
    read_labels,
    read_manifest,
)
from camfleet_server.runtimes.base import ModelSource, Servable
from camfleet_server.types import Manifest, TensorSpec

logger = logging.getLogger(__name__)


class CatalogFile:
    """catalog.json beside config.json, read again when it changes; a bad one counts as empty."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._catalog = Catalog()

    def read(self) -> Catalog:
        """Return the catalogue as it is now."""
        stamp = self._current_stamp()
        if stamp != self._stamp:
            self._stamp = stamp
            self._catalog = self._parse() if stamp else Catalog()
        return self._catalog

    def _current_stamp(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat() if self._path else None
        except OSError:
            return None
        return (status.st_mtime_ns, status.st_size) if status else None

    def _parse(self) -> Catalog:
        assert self._path is not None  # noqa: S101 - only a path has a stamp
        try:
            return read_catalog(self._path)
        except BadCatalog as error:
            logger.warning("catalogue is not used reason=%s", error)
            return Catalog()


def find_manifest(
    name: str, folder: Path, digests: Mapping[str, str], catalog: Catalog
) -> ModelManifest:
    """Return the manifest of a version folder; never None, but it may say nearly nothing.

    Raises:
        BadManifest: model.json, or the label file it names, cannot be read or used.
    """
    return _completed(folder, _manifest_of(name, folder, digests, catalog))


def _manifest_of(
    name: str, folder: Path, digests: Mapping[str, str], catalog: Catalog
) -> ModelManifest:
    manifest = read_manifest(folder) if folder.is_dir() else None
    entry = None if manifest else _find_entry(name, digests, catalog)
    if entry:
        manifest = parse_manifest(entry.manifest, where=f"catalogue entry {entry.name}")
    manifest = manifest or ModelManifest(id=name)
    if manifest.labels:
        return manifest
    return manifest.model_copy(update={"labels": _find_labels(folder, manifest, digests)})


def with_decoder(source: ModelSource, servable: Servable) -> ModelManifest:
    """Return the manifest of a loaded version, with the decoder of an Ultralytics export."""
    manifest = source.manifest
    export = None if manifest.postprocess else _export_of(source.folder, manifest)
    told = export and export.postprocess([spec.shape for spec in servable.outputs])
    return manifest.model_copy(update={"postprocess": Postprocess(**told)}) if told else manifest


def _completed(folder: Path, manifest: ModelManifest) -> ModelManifest:
    """The manifest, with the labels and pictures of an Ultralytics export if it says nothing."""
    export = _export_of(folder, manifest)
    if export is None:
        return manifest
    told: dict[str, Any] = {} if manifest.labels else {"labels": export.labels}
    if manifest.preprocess is None and not _describes_pictures(manifest):
        told["preprocess"] = Preprocess(**export.preprocess())
    return manifest.model_copy(update=told)


def _export_of(folder: Path, manifest: ModelManifest) -> Export | None:
    try:
        return find_export(find_model_files(folder, manifest))
    except (NoModelFiles, OSError):
        return None  # the runtimes say what they miss


def _describes_pictures(manifest: ModelManifest) -> bool:
    """Tell whether alwaysAI's fields say how pictures become the input."""
    fields = ("mean", "scalefactor", "size", "swaprb", "crop")
    return any(getattr(manifest, field) is not None for field in fields)


def publish_manifest(manifest: ModelManifest, servable: Servable) -> Manifest:
    """Return the text clients get; inputs, outputs and what runs it come from the loaded model."""
    complete = manifest.model_copy(
        update={
            "inputs": _as_tensors(servable.inputs),
            "outputs": _as_tensors(servable.outputs),
            "served_by": ServedBy(platform=servable.platform, device=servable.device),
        }
    )
    text = complete.to_json()
    return Manifest(text, hashlib.sha256(text.encode()).hexdigest()[:16])


def _as_tensors(specs: Sequence[TensorSpec]) -> tuple[Tensor, ...]:
    return tuple(Tensor(name=s.name, datatype=s.datatype, shape=s.shape) for s in specs)


def _find_entry(name: str, digests: Mapping[str, str], catalog: Catalog) -> CatalogEntry | None:
    found = (catalog.find_by_sha256(digest) for path, digest in digests.items() if _is_model(path))
    return next(filter(None, found), None) or catalog.find(name)


def _is_model(path: str) -> bool:
    return Path(path).suffix not in {".txt", ".names", ".json", ".md"}


def _find_labels(
    folder: Path, manifest: ModelManifest, digests: Mapping[str, str]
) -> tuple[str, ...]:
    names = sorted(path for path in digests if _is_label_file(path))
    wanted = [name for name in (manifest.label_file, *names) if name in digests]
    return read_labels(folder, wanted[0]) if wanted else ()


def _is_label_file(path: str) -> bool:
    file = Path(path)
    is_text = file.suffix == ".txt" and (
        "label" in file.stem.lower() or "class" in file.stem.lower()
    )
    return file.suffix == ".names" or is_text
