"""Prints what a look at the running fleet has found."""

from collections.abc import Mapping

from rich.markup import escape

from camfleet.cli.advice.fleet_costs import CameraCosts
from camfleet.cli.advice.looking import document, look
from camfleet.cli.advice.rules import Advice
from camfleet.cli.console import note, out, print_json, table
from camfleet.cli.progress import waiting_bar
from camfleet_contracts.settings import FleetSettings


def print_advice(
    settings: FleetSettings, camera: str | None, *, seconds: float, as_json: bool
) -> None:
    """Watch the fleet and print what would save how much.

    Raises:
        CommandError: analytics does not run, or has no such camera.
    """
    with waiting_bar("looking at the fleet", seconds) as report:
        found = look(settings, camera, seconds, report)
    if as_json:
        print_json(document(found))
        return
    _print_costs(found.cameras)
    out.print()
    _print_advice(found.cameras, found.advice)
    if found.fleet.server is None:
        note("the model server shows no figures: what inference costs is not known")


def _print_costs(cameras: tuple[CameraCosts, ...]) -> None:
    shown = table("camera", "decode", "other reading", "pipeline", "model server", "together")
    for one in cameras:
        shown.add_row(
            one.name,
            f"{one.decode_ms_s:.1f}",
            f"{one.reader_ms_s - one.decode_ms_s:.1f}",
            f"{one.pipeline_ms_s:.1f}",
            "?" if one.server_ms_s is None else f"{one.server_ms_s:.1f}",
            f"{one.total_ms_s:.1f} ms/s",
        )
    out.print(shown)


def _print_advice(
    cameras: tuple[CameraCosts, ...], advice: Mapping[str, tuple[Advice, ...]]
) -> None:
    shown = table("camera", "change", "saves", "why")
    for one in cameras:
        for hint in advice[one.name]:
            shown.add_row(one.name, escape(hint.change), _saving(one, hint), escape(hint.because))
    out.print(shown)


def _saving(costs: CameraCosts, advice: Advice) -> str:
    if advice.saves_ms_s is None:
        return "?"
    return f"{advice.saves_ms_s:.0f} ms/s, {advice.saves_ms_s / max(costs.total_ms_s, 1e-9):.0%}"
