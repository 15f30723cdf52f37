"""A model volume with tiny models made on the spot, and a server core on it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from camfleet_contracts.volume import publish_version
from camfleet_server.metrics import ServerMetrics
from camfleet_server.reload.config_source import ConfigFile
from camfleet_server.reload.reconciler import Reconciler, ReconcilerOptions
from camfleet_server.runtimes.openvino.api import ov
from camfleet_server.serving.dataplane import DataPlane
from camfleet_server.serving.model_control import EXPLICIT, POLL
from camfleet_server.serving.registry import Registry
from camfleet_server.types import InferRequest, VersionState, VersionStatus
from waiting import wait_until

LOAD_LIMIT_S = 60  # this machine may be busy
opset = ov.opset13


def save_adder(folder: Path, addend: float, name: str = "model") -> None:
    """Save y = x + addend on four numbers as IR; the file's own names are x and y."""
    x = opset.parameter([1, 4], np.float32, name="x")
    x.output(0).set_names({"x", "x_alias"})
    y = opset.add(x, opset.constant(np.full((1, 4), addend, np.float32)), name="y")
    y.output(0).set_names({"y", "a_first_alias"})
    folder.mkdir(parents=True, exist_ok=True)
    ov.save_model(ov.Model([y], [x], "adder"), folder / f"{name}.xml", compress_to_fp16=False)


@dataclass(slots=True)
class Volume:
    """The folder, and what config.json asks for."""

    root: Path
    models: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def of_adder(cls, root: Path) -> "Volume":
        """A volume that serves version 1 of "adder", which adds 1."""
        volume = cls(root)
        volume.serve("adder")
        volume.publish_adder("adder", 1, addend=1)
        return volume

    @property
    def config_path(self) -> Path:
        return self.root / "config.json"

    def serve(self, name: str, **settings: Any) -> None:
        """Put a model into config.json (base_path: its name)."""
        self.models[name] = {"name": name, "base_path": name} | settings
        self.write_config()

    def remove(self, name: str) -> None:
        """Take a model out of config.json."""
        del self.models[name]
        self.write_config()

    def write_config(self, text: str | None = None) -> None:
        """Write config.json in place, as an editor does."""
        entries = [{"config": config} for config in self.models.values()]
        self.config_path.write_text(text or json.dumps({"model_config_list": entries}))

    def publish_adder(self, name: str, version: int, addend: float, **manifest: Any) -> Path:
        """Publish y = x + addend in one step, with sums."""

        def fill(folder: Path) -> None:
            save_adder(folder, addend)
            if manifest:
                (folder / "model.json").write_text(json.dumps(manifest))

        return publish_version(self.root, name, version, fill)

    def publish_garbage(self, name: str, version: int) -> Path:
        """Publish a model file that is none, with sums."""

        def fill(folder: Path) -> None:
            (folder / "model.onnx").write_bytes(b"this is no model" * 100)

        return publish_version(self.root, name, version, fill)


@dataclass(slots=True)
class Core:
    """Everything of the server but its transports."""

    plane: DataPlane
    reconciler: Reconciler

    def status(self, name: str, version: int) -> VersionStatus | None:
        statuses = self.plane.all_statuses().get(name, ())
        return next((status for status in statuses if status.version == version), None)

    def wait_for(
        self, name: str, version: int, state: VersionState = VersionState.AVAILABLE
    ) -> VersionStatus:
        def reached() -> VersionStatus | None:
            status = self.status(name, version)
            return status if status and status.state == state else None

        return wait_until(reached, LOAD_LIMIT_S, f"{name} version {version} {state.name}")

    def wait_for_fault(self, text: str) -> str:
        def found() -> str | None:
            return next((fault for fault in self.plane.faults() if text in fault), None)

        return wait_until(found, LOAD_LIMIT_S, f"a fault that says {text!r}")

    def add(self, name: str, version: int | None = None) -> float:
        """Ask an adder for 0 + its addend."""
        request = InferRequest(name, {"x": np.zeros((1, 4), np.float32)}, version)
        return float(self.plane.infer(request).outputs["y"][0, 0])

    def wait_for_answer(self, name: str, addend: float) -> None:
        wait_until(lambda: self.add(name) == addend, LOAD_LIMIT_S, f"{name} adds {addend}")


@contextmanager
def running_core(
    volume: Volume, table: Mapping[str, str] | None = None, **options: Any
) -> Iterator[Core]:
    """Run the server's core on a volume until the block ends."""
    if table is not None:
        options["table"] = dict(table)
    registry, metrics = Registry(), ServerMetrics()
    source = ConfigFile(volume.config_path)
    settings = ReconcilerOptions(**{"cache_dir": _shared_cache(volume)} | options)
    reconciler = Reconciler(source, registry, metrics, settings)
    reconciler.start()
    control = EXPLICIT if settings.is_explicit else POLL
    plane = DataPlane(registry, reconciler, metrics, volume.config_path, model_control=control)
    try:
        yield Core(plane, reconciler)
    finally:
        reconciler.stop()


def _shared_cache(volume: Volume) -> Path:
    """One for the whole run: what a test before has tried out is known to the next."""
    return volume.root.parent / "tried-out"
