"""Measures this box with a progress bar and prints how many cameras it carries."""

import os
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from camfleet.cli.capacity.estimate import FULL, Capacity, Costs, capacity, usable_cores
from camfleet.cli.capacity.films import Film, make_film
from camfleet.cli.capacity.measuring import decoding_ms, first_picture, inference, tracking_ms
from camfleet.cli.console import note, out, print_json, table
from camfleet.cli.progress import waiting_bar
from camfleet_contracts.cameras_file import BadCameras, read_cameras
from camfleet_contracts.settings import FleetSettings

RATES = (1.0, 5.0, 10.0, 15.0)
USUAL_FPS = 5.0
SECONDS = {"film": 2.0, "decode": 3.0, "infer": 8.0, "track": 3.0}
TOTAL_S = 2 * (SECONDS["film"] + SECONDS["decode"]) + SECONDS["infer"] * 1.25 + SECONDS["track"]
DEFAULT_MODEL = "fastestdet-coco"


def print_capacity(settings: FleetSettings, *, model: str | None, as_json: bool) -> None:
    """Measure, then say what fits.

    Raises:
        CommandError: the model server does not run or does not serve the model.
    """
    model = model or _configured_model(settings)
    with waiting_bar(f"measuring this box with {model}", TOTAL_S) as report:
        costs = _measure(settings, model, report)
    cores, load = usable_cores(), os.getloadavg()[0]
    found = [capacity(film, one, fps, cores) for film, one in costs.items() for fps in RATES]
    if as_json:
        print_json(_document(model, cores, load, costs, found))
        return
    _print(model, costs, found)
    out.print(f"{cores:g} cores, filled to {FULL:.0%}; load average now {load:.1f}", markup=False)
    if load > cores:
        note("others are busy here now: processor time comes out too high, the claim too low")
    if any(one.inference.server_ms is None for one in costs.values()):
        note("the model server shows no figures here: what inference costs is left out")


def _measure(
    settings: FleetSettings, model: str, report: Callable[[float], None]
) -> dict[str, Costs]:
    passed = 0.0

    def done(step: str) -> None:
        nonlocal passed
        passed += SECONDS[step]
        report(passed)

    films: list[Film] = []
    for name, width, height, bits in (("720p15", 1280, 720, 2), ("1080p15", 1920, 1080, 4)):
        films.append(make_film(name, width, height, bits * 1_000_000))
        done("film")
    asked = inference(settings, model, first_picture(films[0]), SECONDS["infer"])
    done("infer")
    tracked = tracking_ms(USUAL_FPS, SECONDS["track"])
    done("track")
    decoded = {}
    for film in films:
        decoded[film.name] = decoding_ms(film, SECONDS["decode"])
        done("decode")
    reference = decoded[films[0].name]
    return {name: Costs(ms, reference, asked, tracked) for name, ms in decoded.items()}


def _configured_model(settings: FleetSettings) -> str:
    """The model of the first camera of cameras.yaml."""
    try:
        cameras = read_cameras(settings.cameras_file, settings).cameras
    except (OSError, BadCameras):
        return DEFAULT_MODEL
    return cameras[0].pipeline.model if cameras else DEFAULT_MODEL


def _print(model: str, costs: dict[str, Costs], found: list[Capacity]) -> None:
    decoded = ", ".join(f"{one.decode_ms:.1f} ms ({film})" for film, one in costs.items())
    one = next(iter(costs.values()))
    server = "?" if one.inference.server_ms is None else f"{one.inference.server_ms:.1f} ms"
    out.print(f"decoding a picture: {decoded}", markup=False)
    out.print(f"{model}: {server} in the model server", markup=False, end=", ")
    asking, tracking = one.inference.client_ms, one.track_ms
    out.print(f"{asking:.1f} ms for asking, {tracking:.1f} ms for tracking\n", markup=False)
    shown = table("camera", "analysed", "each takes", "cameras", "most of it is")
    for row in found:
        each, fps = f"{row.camera_ms_s:.0f} ms/s", f"{row.fps:g} fps"
        shown.add_row(row.film, fps, each, str(row.cameras), row.bottleneck)
    out.print(shown)


def _document(
    model: str, cores: float, load: float, costs: dict[str, Costs], found: list[Capacity]
) -> dict[str, Any]:
    return {
        "model": model,
        "cores": cores,
        "load_average": round(load, 2),
        "costs_ms": {film: asdict(one) for film, one in costs.items()},
        "capacity": [asdict(one) for one in found],
    }
