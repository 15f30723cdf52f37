"""`camfleet-server benchmark`: latency and throughput of one version, loaded as the server does."""

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from camfleet_contracts.catalog import Catalog
from camfleet_contracts.model_manifest import BadManifest, parse_manifest
from camfleet_contracts.serving_config import (
    BadServingConfig,
    ModelConfig,
    read_serving_config,
)
from camfleet_contracts.settings import read_settings
from camfleet_contracts.volume import versions_of
from camfleet_server.reload.loading import example_inputs, load_servable, warm_up
from camfleet_server.reload.manifests import find_manifest
from camfleet_server.runtimes.base import LoadError, ModelSource, Servable
from camfleet_server.runtimes.table import Runtimes
from camfleet_server.types import Tensors

_PROG = "camfleet-server benchmark"


@dataclass(frozen=True, slots=True)
class Measured:
    """Times of single inferences, and how long all of them together took."""

    times_s: Sequence[float]
    whole_s: float

    def told(self) -> dict[str, float]:
        """Return the numbers people ask for."""
        p50, p99 = np.percentile(self.times_s, [50, 99]) * 1000
        return {
            "inferences": len(self.times_s),
            "p50_ms": round(float(p50), 3),
            "p99_ms": round(float(p99), 3),
            "per_second": round(len(self.times_s) / self.whole_s, 1),
        }


def run_benchmark(arguments: Sequence[str]) -> int:
    """Print the JSON and return the exit code; what is being done is said on standard error."""
    options = _parser().parse_args(arguments)
    try:
        source = _source(options)
        _note(f"loading {source.name} version {source.version} from {source.folder}")
        began = time.perf_counter()
        servable = load_servable(source, Runtimes())
        warm_up(servable, runs=servable.slots)
        loaded_s = time.perf_counter() - began
        inputs = _inputs(servable)
    except (BadServingConfig, BadManifest, LoadError, OSError, ValueError) as error:
        _note(f"{_PROG}: {error}")
        return 1
    told = {"load_s": round(loaded_s, 3)} | _measure_both(servable, inputs, options.seconds)
    model = {"model": source.name, "version": source.version}
    runs_on = {"platform": servable.platform, "device": servable.device, "slots": servable.slots}
    sys.stdout.write(json.dumps(model | runs_on | told, indent=2) + "\n")
    return 0


def _inputs(servable: Servable) -> Tensors:
    inputs = example_inputs(servable.inputs)
    if inputs is None:
        raise LoadError("the model leaves dimensions open or takes texts; give it a --shape")
    return inputs


def _measure_both(servable: Servable, inputs: Tensors, seconds: float) -> dict[str, Any]:
    names = tuple(spec.name for spec in servable.outputs)

    def infer() -> None:
        servable.infer(inputs, names)

    _note(f"one request after the other for {seconds:g} s")
    alone = measure(infer, threads=1, seconds=seconds)
    _note(f"{servable.slots} at once for {seconds:g} s")
    together = measure(infer, threads=servable.slots, seconds=seconds)
    servable.close()
    return {"one_at_a_time": alone.told(), "together": together.told()}


def measure(infer: Callable[[], None], *, threads: int, seconds: float) -> Measured:
    """Call `infer` over and over from so many threads; each calls at least once."""
    began = time.perf_counter()
    times: list[float] = []

    def run() -> None:
        last = time.perf_counter()
        while True:
            infer()
            now = time.perf_counter()
            times.append(now - last)
            last = now
            if now - began >= seconds:
                return

    workers = [threading.Thread(target=run, name=f"benchmark-{i}") for i in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return Measured(times, time.perf_counter() - began)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=_PROG, description=__doc__)
    add = parser.add_argument
    which = parser.add_mutually_exclusive_group(required=True).add_argument
    which(
        "--model_path",
        "--model-path",
        type=Path,
        help="a version folder, a folder of them, or a file",
    )
    which("--model_name", "--model-name", help="of config.json, with its settings")
    add("--config_path", "--config-path", type=Path, help="default: $MODELS_DIR/config.json")
    add("--version", type=int, help="default: the highest")
    add("--shape", help="where the model leaves dimensions open")
    add("--target_device", "--target-device", help="default: CPU, or what config.json says")
    add("--runtime", help="onnxruntime, openvino:GPU ...; default: what model.json says")
    add("--precision", help="f32, f16, bf16 or default, likewise")
    add("--seconds", type=float, default=3.0, help="for each of the two measurements (3)")
    return parser


def _source(options: argparse.Namespace) -> ModelSource:
    if options.model_path:
        path = options.model_path.absolute()
        config = ModelConfig(name=path.name if path.is_dir() else path.stem, base_path=path)
    else:
        config = _configured(options)
    changes = {k: getattr(options, k) for k in ("shape", "target_device") if getattr(options, k)}
    config = ModelConfig(**config.model_dump() | changes)
    number, folder = _version(config.base_path, options.version)
    manifest = find_manifest(config.name, folder, {}, Catalog())
    if options.runtime:
        manifest = manifest.model_copy(update={"runtimes": (options.runtime,)})
    if options.precision:
        wish = manifest.model_dump() | {"precision": options.precision}
        manifest = parse_manifest(wish, where="--precision")
    return ModelSource(config.name, number, folder, config, manifest)


def _configured(options: argparse.Namespace) -> ModelConfig:
    path = options.config_path or read_settings().models_dir / "config.json"
    config = read_serving_config(path / "config.json" if path.is_dir() else path)
    found = [model for model in config.models if model.name == options.model_name]
    if not found:
        fault = config.entry_faults.get(options.model_name, "there is no such model")
        raise LoadError(f"{options.model_name}: {fault} ({path})")
    return found[0]


def _version(base_path: Path, wanted: int | None) -> tuple[int, Path]:
    """Return number and folder; a folder without version folders is taken for a version itself."""
    versions = versions_of(base_path)
    if not versions:
        if not base_path.exists():
            raise LoadError(f"{base_path} does not exist")
        return wanted or 1, base_path
    number = wanted or max(versions)
    if number not in versions:
        raise LoadError(f"{base_path} has no version {number}; it has {list(versions)}")
    return number, versions[number]


def _note(line: str) -> None:
    sys.stderr.write(f"{line}\n")
