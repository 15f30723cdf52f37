"""`camfleet model log NAME`: where the versions of a model come from."""

from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape

from camfleet.cli.console import note, out, print_json, table
from camfleet.cli.errors import CommandError
from camfleet_contracts.model_manifest import BadManifest, read_manifest
from camfleet_contracts.names import stored_name
from camfleet_contracts.settings import FleetSettings
from camfleet_contracts.trail import Trail
from camfleet_contracts.volume import versions_of

_SHOWN_DIGITS = 12
_MINUTES = len("2026-11-29T15:40")


def print_trails(settings: FleetSettings, model_id: str, *, as_json: bool) -> None:
    """The versions of a model, newest first, and where each is from.

    Raises:
        CommandError: there is no such model on the volume.
    """
    trails = trails_of(settings, model_id)
    if as_json:
        print_json([_as_json(number, trail) for number, trail in trails.items()])
        return
    shown = table("version", "when", "by", "from", "what")
    for number, trail in trails.items():
        cells = (trail.at[:_MINUTES].replace("T", " "), trail.by, trail.source, words_of(trail))
        shown.add_row(str(number), *(escape(cell) or "-" for cell in cells))
    out.print(shown)
    if not any(trail.at for trail in trails.values()):
        note("nothing is noted of these versions: they were copied by hand or seeded")


def words_of(trail: Trail) -> str:
    """Parent, metrics, calibration and note, a line each."""
    calibration = trail.calibration_sha256[:_SHOWN_DIGITS]
    lines = (
        f"made from {trail.parent}" if trail.parent else "",
        ", ".join(f"{name} {value:g}" for name, value in trail.metrics.items()),
        f"calibrated with pictures {calibration}" if calibration else "",
        trail.note,
    )
    return "\n".join(line for line in lines if line)


def trails_of(settings: FleetSettings, model_id: str) -> dict[int, Trail]:
    """The trail of each version of a model, newest first; an empty one where nothing is noted.

    Raises:
        CommandError: there is no such model on the volume.
    """
    try:
        versions = versions_of(settings.models_dir / stored_name(model_id))
    except ValueError as error:
        raise CommandError(str(error)) from error
    if not versions:
        raise CommandError(
            f"model '{model_id}' has no version on the volume; `camfleet model list` shows what "
            "there is"
        )
    return {number: _trail_of(folder) for number, folder in reversed(versions.items())}


def metrics_of(given: Sequence[str]) -> dict[str, float]:
    """The numbers of `--metric name=number`.

    Raises:
        CommandError: one of them is not like that.
    """
    metrics = {}
    for text in given:
        name, _, value = text.partition("=")
        try:
            metrics[name] = float(value)
        except ValueError as error:
            raise CommandError(f"--metric {text}: must be name=number, as mAP=0.61") from error
    return metrics


def _trail_of(folder: Path) -> Trail:
    try:
        manifest = read_manifest(folder)
    except BadManifest:
        return Trail(note="its model.json cannot be read")
    return (manifest.trail if manifest else None) or Trail()


def _as_json(number: int, trail: Trail) -> dict[str, object]:
    return {"version": number, **trail.model_dump(mode="json")}
