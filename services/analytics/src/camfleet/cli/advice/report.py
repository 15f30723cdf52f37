"""Looks at the running fleet for a while and says what it found."""

import time
from typing import Any

from rich.markup import escape

from camfleet.cli.advice.alternatives import alternatives_to
from camfleet.cli.advice.fleet_costs import CameraCosts, FleetCosts, Watch
from camfleet.cli.advice.rules import Advice, advise, facts
from camfleet.cli.advice.stillness import Stillness, watchers_of
from camfleet.cli.console import note, out, print_json, table
from camfleet.cli.errors import CommandError
from camfleet.cli.progress import waiting_bar
from camfleet_contracts.settings import FleetSettings


def print_advice(
    settings: FleetSettings, camera: str | None, *, seconds: float, as_json: bool
) -> None:
    """Watch the fleet and print what would save how much.

    Raises:
        CommandError: analytics does not run, or has no such camera.
    """
    fleet, seen = _look(settings, camera, seconds)
    chosen = [one for one in fleet.cameras if camera in {None, one.name}]
    advice = {}
    for one in chosen:
        others = alternatives_to(settings, one.status["model"]["name"])
        advice[one.name] = advise(one, seen.get(one.name), fleet.server, others)
    if as_json:
        print_json(_document(fleet, chosen, advice))
        return
    _print_costs(chosen)
    out.print()
    _print_advice(chosen, advice)
    if fleet.server is None:
        note("the model server shows no figures: what inference costs is not known")


def _look(
    settings: FleetSettings, camera: str | None, seconds: float
) -> tuple[FleetCosts, dict[str, Stillness]]:
    watch = Watch(settings)
    names = [one.name for one in watch.costs().cameras]
    if not names:
        raise CommandError("analytics has no camera; add one with: camfleet camera add")
    if camera is not None and camera not in names:
        raise CommandError(f"analytics has no camera '{camera}'; it has {', '.join(names)}")
    watchers = watchers_of(settings, [camera] if camera else names)
    for one in watchers.values():
        one.start()
    with waiting_bar("looking at the fleet", seconds) as report:
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            time.sleep(min(0.2, seconds - passed))
            report(passed)
    costs = watch.costs()
    return costs, {name: one.stop() for name, one in watchers.items()}


def _print_costs(cameras: list[CameraCosts]) -> None:
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


def _print_advice(cameras: list[CameraCosts], advice: dict[str, tuple[Advice, ...]]) -> None:
    shown = table("camera", "change", "saves", "why")
    for one in cameras:
        for hint in advice[one.name]:
            shown.add_row(one.name, escape(hint.change), _saving(one, hint), escape(hint.because))
    out.print(shown)


def _saving(costs: CameraCosts, advice: Advice) -> str:
    if advice.saves_ms_s is None:
        return "?"
    return f"{advice.saves_ms_s:.0f} ms/s, {advice.saves_ms_s / max(costs.total_ms_s, 1e-9):.0%}"


def _document(
    fleet: FleetCosts, cameras: list[CameraCosts], advice: dict[str, tuple[Advice, ...]]
) -> dict[str, Any]:
    return {
        "seconds": round(fleet.seconds, 1),
        "unit": "milliseconds of processor time a second",
        "cameras": [
            {
                "name": one.name,
                "costs": {
                    "decode": round(one.decode_ms_s, 1),
                    "reader": round(one.reader_ms_s, 1),
                    "pipeline": round(one.pipeline_ms_s, 1),
                    "model_server": None if one.server_ms_s is None else round(one.server_ms_s, 1),
                },
                "advice": [facts(hint) for hint in advice[one.name]],
            }
            for one in cameras
        ],
    }
