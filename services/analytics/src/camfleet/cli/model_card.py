"""`camfleet model show`: one model's card."""

from pathlib import Path
from typing import Any, NamedTuple

from rich.table import Table

from camfleet.catalog.errors import UnknownModel
from camfleet.catalog.pull import find_entry
from camfleet.cli.console import out, print_json
from camfleet.cli.errors import CommandError
from camfleet.cli.packages.measured import measured_of, words_of
from camfleet.cli.server_status import VersionState, served_models
from camfleet.cli.volume_seed import catalog_to_look_at
from camfleet_contracts.catalog import CatalogEntry, read_catalog
from camfleet_contracts.model_manifest import ModelManifest, Tensor, parse_manifest, read_manifest
from camfleet_contracts.names import stored_name
from camfleet_contracts.settings import FleetSettings
from camfleet_contracts.volume import versions_of

_MAX_LABELS = 12
_ACCURACY = {
    "accuracy": "accuracy",
    "dataset": "dataset",
    "mean_average_precision_top_1": "mAP (1)",
    "mean_average_precision_top_5": "mAP (5)",
    "inference_time": "inference time",
}


def print_card(settings: FleetSettings, model_id: str, *, as_json: bool) -> None:
    """What manifest, catalogue, volume and server know of a model.

    Raises:
        CommandError: neither volume nor catalogue has it.
    """
    try:
        name = stored_name(model_id)
    except ValueError as error:
        raise CommandError(str(error)) from error
    versions = versions_of(settings.models_dir / name)
    entry = _entry_of(settings, model_id)
    if not versions and entry is None:
        raise CommandError(
            f"model '{model_id}' is neither on the volume nor in the catalogue; "
            "`camfleet model list` and `camfleet model search` show what there is"
        )
    manifest = _manifest_of(versions, entry)
    states = (served_models(settings) or {}).get(name, ())
    newest = list(versions.values())[-1:]
    measured = measured_of(settings, newest[0]) if newest else None
    known = _Known(name, manifest, entry, versions, states, measured)
    if as_json:
        print_json(_document(known))
    else:
        out.print(_card(known))


class _Known(NamedTuple):
    """All that is known of a model; `measured` on this machine, of its newest version."""

    name: str
    manifest: ModelManifest
    entry: CatalogEntry | None
    versions: dict[int, Path]
    states: tuple[VersionState, ...]
    measured: dict[str, Any] | None


def _entry_of(settings: FleetSettings, model_id: str) -> CatalogEntry | None:
    try:
        return find_entry(read_catalog(catalog_to_look_at(settings)), model_id)
    except UnknownModel:
        return None


def _manifest_of(versions: dict[int, Path], entry: CatalogEntry | None) -> ModelManifest:
    newest = list(versions.values())[-1:]
    found = read_manifest(newest[0]) if newest else None
    if found is None and entry is not None:
        found = parse_manifest(entry.manifest, where="catalog.json")
    return found or ModelManifest()


def _document(known: _Known) -> dict[str, Any]:
    entry = known.entry
    return {
        "name": known.name,
        "manifest": known.manifest.model_dump(exclude_none=True),
        "description": entry.description if entry else "",
        "files": [file.model_dump() for file in entry.files] if entry else [],
        "versions": list(known.versions),
        "states": [state._asdict() for state in known.states],
        "measured": known.measured,
    }


def _card(known: _Known) -> Table:
    manifest, entry = known.manifest, known.entry
    rows = {
        "model": known.name,
        "purpose": manifest.purpose,
        "what": entry.description if entry else "",
        "licence": manifest.license,
        "source": str((manifest.model_extra or {}).get("website_url", "")),
        "framework": manifest.framework_type,
        "runtimes": ", ".join(manifest.runtimes),
        "input": _tensors(manifest.inputs),
        "preprocess": _preprocess(manifest),
        "output": _tensors(manifest.outputs),
        "decoder": manifest.postprocess.decoder if manifest.postprocess else "",
        "labels": _labels(manifest.labels),
        **_accuracy(manifest),
        "size": f"{entry.size_bytes / 1e6:.1f} MB" if entry else "",
        "pinned": _pinned(known),
        "versions": ", ".join(map(str, known.versions))
        or f"none here; camfleet model pull {known.name}",
        "server": "\n".join(f"{s.version} {s.state} {s.reason}".rstrip() for s in known.states),
        "speed here": words_of(known.measured)
        if known.measured
        else "not measured; camfleet model benchmark does",
    }
    card = Table.grid(padding=(0, 2))
    card.add_column(style="bold")
    card.add_column(overflow="fold")
    for label, value in rows.items():
        if value:
            card.add_row(label, value.replace("[", "\\["))
    return card


def _pinned(known: _Known) -> str:
    """Files that nobody vouches for but the first pull, of the version here or of the entry."""
    pulled = known.manifest.pulled_from or {}
    here = [path for path, file in pulled.items() if file.pinned == "first-pull"]
    if known.versions or known.entry is None:
        return f"on first pull: {', '.join(here)}" if here else ""
    unknown = [file.path for file in known.entry.files if not file.sha256]
    return f"on first pull, nobody states a sha256 of: {', '.join(unknown)}" if unknown else ""


def _tensors(tensors: tuple[Tensor, ...]) -> str:
    return "\n".join(f"{t.name} {t.datatype} {list(t.shape)}" for t in tensors)


def _preprocess(manifest: ModelManifest) -> str:
    way = manifest.preprocess
    if way is None:
        return ""
    return f"{way.resize}, {way.colour}, {way.layout}, (x - {list(way.mean)}) * {way.scale}"


def _labels(labels: tuple[str, ...]) -> str:
    if not labels:
        return ""
    more = f", ... ({len(labels)} in all)" if len(labels) > _MAX_LABELS else ""
    return ", ".join(labels[:_MAX_LABELS]) + more


def _accuracy(manifest: ModelManifest) -> dict[str, str]:
    extra = manifest.model_extra or {}
    return {title: str(extra[key]) for key, title in _ACCURACY.items() if extra.get(key)}
