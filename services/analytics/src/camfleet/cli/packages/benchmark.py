"""`camfleet model benchmark`: every runtime and precision that can run a model on this machine."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.progress import track

from camfleet.cli.console import err, note, out, print_json, table
from camfleet.cli.errors import CommandError
from camfleet.cli.packages.measured import keep_measured
from camfleet_contracts.frameworks import Framework
from camfleet_contracts.model_files import NoModelFiles, find_model_files
from camfleet_contracts.model_manifest import ModelManifest, read_manifest
from camfleet_contracts.names import split_version, stored_name
from camfleet_contracts.settings import FleetSettings
from camfleet_contracts.volume import versions_of

PROGRAM = "camfleet-server"
_PRECISIONS = {"openvino": ("f32", "bf16", "f16")}
_OTHERS = ("f32",)
_SPARE_S = 120.0  # for loading and warming up, beside the measuring itself


@dataclass(frozen=True, slots=True)
class Row:
    """One runtime and precision; `told` is what the server's program measured."""

    runtime: str
    precision: str
    told: dict[str, Any] | None
    reason: str = ""

    @property
    def rate(self) -> float:
        """Inferences per second, as many at once as pay; 0 where it cannot run."""
        return float(self.told["together"]["per_second"]) if self.told else 0.0

    @property
    def alone_ms(self) -> float:
        """The median of one inference at a time; 0 where it cannot run."""
        return float(self.told["one_at_a_time"]["p50_ms"]) if self.told else 0.0


def benchmark(
    settings: FleetSettings, reference: str, *, seconds: float, plot: Path | None, as_json: bool
) -> None:
    """Measure a model and print or draw what came of it.

    Raises:
        CommandError: there is no such model, or nothing here can run it or draw.
    """
    if plot and find_spec("matplotlib") is None:
        raise CommandError(
            "--plot draws with matplotlib, which is not here: pip install matplotlib"
        )
    rows = measure(settings, reference, seconds)
    if as_json:
        print_json([_as_json(row) for row in rows])
    else:
        _print(rows)
    if not any(row.told for row in rows):
        raise CommandError(f"{reference}: nothing here can run it: {rows[0].reason}")
    if plot:
        draw(reference, rows, plot)
        note(f"saved {plot}")


def measure(settings: FleetSettings, reference: str, seconds: float) -> list[Row]:
    """Measure one version with each runtime that reads its format.

    Raises:
        CommandError: there is no such model, or the server's program is not here.
    """
    folder, framework = _located(settings, reference)
    program = shutil.which(PROGRAM) or str(Path(sys.executable).parent / PROGRAM)
    if not Path(program).exists():
        raise CommandError(
            f"{PROGRAM} is not installed here; run the command where the model server is, or "
            "`docker compose -p camfleet exec model-server camfleet-server benchmark "
            "--model_path ...`"
        )
    rows = list(_measured(program, folder, framework, seconds))
    if folder.is_relative_to(settings.models_dir):
        keep_measured(settings, folder, [_as_json(row) for row in rows])
    return rows


def _located(settings: FleetSettings, reference: str) -> tuple[Path, Framework]:
    folder = Path(reference)
    if not folder.exists():
        folder = _on_volume(settings, reference)
    manifest = read_manifest(folder) if folder.is_dir() else None
    try:
        return folder, find_model_files(folder, manifest or ModelManifest()).framework
    except NoModelFiles as error:
        raise CommandError(str(error)) from error


def _on_volume(settings: FleetSettings, reference: str) -> Path:
    try:
        name, version = split_version(reference)
        versions = versions_of(settings.models_dir / stored_name(name))
    except ValueError as error:
        raise CommandError(f"{reference}: {error}") from error
    number = version or max(versions, default=0)
    if number not in versions:
        raise CommandError(
            f"{reference} is neither a folder nor a version on the volume; `camfleet model list` "
            "shows what is there"
        )
    return versions[number]


def _measured(program: str, folder: Path, framework: Framework, seconds: float) -> Iterator[Row]:
    pairs = [
        (runtime, precision)
        for runtime in framework.runtimes
        for precision in _PRECISIONS.get(runtime, _OTHERS)
    ]
    for runtime, precision in track(pairs, f"measuring {folder}", console=err, transient=True):
        command = [program, "benchmark", "--model_path", str(folder)]
        yield _measure(command, runtime, precision, seconds)


def _measure(command: list[str], runtime: str, precision: str, seconds: float) -> Row:
    wishes = ["--runtime", runtime, "--precision", precision, "--seconds", str(seconds)]
    try:
        run = subprocess.run(
            [*command, *wishes],
            capture_output=True,
            text=True,
            timeout=2 * seconds + _SPARE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Row(runtime, precision, None, "took too long to load")
    if run.returncode:
        lines = run.stderr.strip().splitlines() or [f"ended with {run.returncode}"]
        return Row(runtime, precision, None, lines[-1].removeprefix(f"{PROGRAM} benchmark: "))
    return Row(runtime, precision, json.loads(run.stdout))


def _print(rows: list[Row]) -> None:
    shown = table("runtime", "precision", "device", "one at a time", "together", "loads in", "")
    best = max((row.rate for row in rows), default=0.0)
    for row in rows:
        if row.told is None:
            shown.add_row(row.runtime, row.precision, "-", "-", "-", "-", row.reason)
            continue
        share = row.rate / best
        shown.add_row(
            row.runtime,
            row.precision,
            str(row.told["device"]),
            f"{row.alone_ms:.2f} ms",
            f"{row.rate:.0f}/s",
            f"{row.told['load_s']:.2f} s",
            "fastest" if share == 1 else f"{share:.2f} of it",
        )
    out.print(shown)


def _as_json(row: Row) -> dict[str, Any]:
    told = {"reason": row.reason} if row.told is None else row.told
    return {"runtime": row.runtime, "precision": row.precision, **told}


def draw(title: str, rows: Sequence[Row], path: Path) -> None:
    """Write the rates as bars into a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure_of(title, rows).savefig(path, dpi=120)


def figure_of(title: str, rows: Sequence[Row]) -> Any:
    """The rates as bars, the latency of one at a time beside each (a matplotlib Figure)."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - takes half a second

    measured = [row for row in rows if row.told][::-1]
    figure = Figure(figsize=(7, 1 + 0.5 * len(measured)), layout="constrained")
    axes = figure.add_subplot()
    names = [f"{row.runtime} {row.precision}" for row in measured]
    bars = axes.barh(names, [row.rate for row in measured])
    axes.bar_label(bars, [f"{row.alone_ms:.1f} ms alone" for row in measured], padding=4)
    axes.set_xlabel("inferences per second, as many at once as pay")
    axes.set_title(title)
    axes.margins(x=0.25)
    return figure
