"""Which runtimes there are; a runtime's module is imported when a model first asks for it."""

import threading
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import cast

from camfleet_server.runtimes.base import Runtime, VendorMissing

RuntimeTable = Mapping[str, str]

RUNTIMES: RuntimeTable = {
    "openvino": "camfleet_server.runtimes.openvino.runtime:OpenVinoRuntime",
    "onnxruntime": "camfleet_server.runtimes.onnxruntime:OnnxRuntime",
    "opencv": "camfleet_server.runtimes.opencv.runtime:OpenCvRuntime",
    "litert": "camfleet_server.runtimes.litert:LiteRt",
    "tensorrt": "camfleet_server.runtimes.tensorrt.runtime:TensorRtRuntime",
    "hailo": "camfleet_server.runtimes.hailo:HailoRuntime",
}
USUAL_RUNTIME = "openvino"
DISTRIBUTIONS = {
    "openvino": ("openvino",),
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu"),
    "opencv": ("opencv-contrib-python-headless",),
    "litert": ("ai-edge-litert",),
    "tensorrt": ("tensorrt", "cuda-python"),
    "hailo": ("hailort",),
}
"""The packages that bring each vendor's library."""


def installed_versions() -> dict[str, str]:
    """Return the version of each package of DISTRIBUTIONS that is here."""
    found = {}
    for name in (name for names in DISTRIBUTIONS.values() for name in names):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


class Runtimes:
    """Opens each runtime of a table once; may be asked from any thread."""

    def __init__(self, table: RuntimeTable = RUNTIMES) -> None:
        self.table = table
        self._opened: dict[str, Runtime] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> Runtime:
        """Return the runtime of a name.

        Raises:
            VendorMissing: the table has no such name, or its library is not installed here.
        """
        with self._lock:
            if name not in self._opened:
                self._opened[name] = self._open(name)
            return self._opened[name]

    def _open(self, name: str) -> Runtime:
        if name not in self.table:
            known = ", ".join(self.table)
            raise VendorMissing(f"runtime {name!r} is unknown; this server has: {known}")
        module_name, class_name = self.table[name].split(":")
        try:
            runtime_class = getattr(import_module(module_name), class_name)
        # A vendor's import may raise anything; it is the fault of the models that want it.
        except Exception as error:
            raise VendorMissing(f"runtime {name!r} is not installed here: {error}") from error
        return cast("Runtime", runtime_class())
