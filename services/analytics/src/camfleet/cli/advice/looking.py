"""Looks at the running fleet for a while: what its cameras cost, and what would save how much."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from camfleet.cli.advice.alternatives import alternatives_to
from camfleet.cli.advice.fleet_costs import CameraCosts, FleetCosts, Watch
from camfleet.cli.advice.rules import Advice, advise, facts
from camfleet.cli.advice.stillness import Stillness, watchers_of
from camfleet.cli.errors import CommandError
from camfleet_contracts.settings import FleetSettings


@dataclass(frozen=True, slots=True)
class Look:
    """What was found; `advice` by camera."""

    fleet: FleetCosts
    cameras: tuple[CameraCosts, ...]  # the asked-for ones
    advice: Mapping[str, tuple[Advice, ...]]


def look(
    settings: FleetSettings, camera: str | None, seconds: float, report: Callable[[float], None]
) -> Look:
    """Watch the fleet; `report` hears how many seconds have passed.

    Raises:
        CommandError: analytics does not run, or has no such camera.
    """
    fleet, seen = _watch(settings, camera, seconds, report)
    chosen = tuple(one for one in fleet.cameras if camera in {None, one.name})
    advice = {}
    for one in chosen:
        others = alternatives_to(settings, one.status["model"]["name"])
        advice[one.name] = advise(one, seen.get(one.name), fleet.server, others)
    return Look(fleet, chosen, advice)


def _watch(
    settings: FleetSettings, camera: str | None, seconds: float, report: Callable[[float], None]
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
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        time.sleep(min(0.2, seconds - passed))
        report(passed)
    costs = watch.costs()
    return costs, {name: one.stop() for name, one in watchers.items()}


def document(found: Look) -> dict[str, Any]:
    """All of it as JSON."""
    return {
        "seconds": round(found.fleet.seconds, 1),
        "unit": "milliseconds of processor time a second",
        "cameras": [_facts(one, found.advice[one.name]) for one in found.cameras],
    }


def _facts(costs: CameraCosts, advice: tuple[Advice, ...]) -> dict[str, Any]:
    return {
        "name": costs.name,
        "costs": {
            "decode": round(costs.decode_ms_s, 1),
            "reader": round(costs.reader_ms_s, 1),
            "pipeline": round(costs.pipeline_ms_s, 1),
            "model_server": None if costs.server_ms_s is None else round(costs.server_ms_s, 1),
        },
        "advice": [facts(hint) for hint in advice],
    }
