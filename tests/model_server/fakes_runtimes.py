"""Runtimes that misbehave; the probe's process imports them by name."""

import ctypes
import threading

from camfleet_server.runtimes.base import LoadError, ModelSource, Servable

TABLE = {
    "openvino": "camfleet_server.runtimes.openvino:OpenVinoRuntime",
    "crashing": "fakes_runtimes:CrashingRuntime",
    "hanging": "fakes_runtimes:HangingRuntime",
    "failing": "fakes_runtimes:FailingRuntime",
    "missing": "a_vendor_library_that_is_not_here:Runtime",
}


class CrashingRuntime:
    """Takes its process down as bad native code does."""

    def load(self, source: ModelSource) -> Servable:
        ctypes.string_at(0)
        raise AssertionError(source.name)


class HangingRuntime:
    """Never comes back."""

    def load(self, source: ModelSource) -> Servable:
        threading.Event().wait()
        raise AssertionError(source.name)


class FailingRuntime:
    """Refuses every file."""

    def load(self, source: ModelSource) -> Servable:
        raise LoadError(f"{source.name} is not to the taste of this runtime")
