"""Runtimes that misbehave; the probe's process imports them by name."""

import ctypes
import os
import signal
import threading
from pathlib import Path

from camfleet_server.runtimes.base import LoadError, ModelSource, Servable

TABLE = {
    "openvino": "camfleet_server.runtimes.openvino.runtime:OpenVinoRuntime",
    "crashing": "fakes_runtimes:CrashingRuntime",
    "hanging": "fakes_runtimes:HangingRuntime",
    "failing": "fakes_runtimes:FailingRuntime",
    "aborting": "fakes_runtimes:AbortingRuntime",
    "killed": "fakes_runtimes:KilledRuntime",
    "missing": "a_vendor_library_that_is_not_here:Runtime",
}


class CrashingRuntime:
    """Takes its process down as bad native code does."""

    def load(self, source: ModelSource) -> Servable:
        ctypes.string_at(0)
        raise AssertionError(source.name)


class AbortingRuntime:
    """Ends its process as a failed assertion of a vendor's library does."""

    def load(self, source: ModelSource) -> Servable:
        os.abort()


class KilledRuntime:
    """Ends as a process does that the kernel takes memory from."""

    def load(self, source: ModelSource) -> Servable:
        if Path("/proc/self/oom_score_adj").read_text().strip() != "1000":
            raise LoadError(f"{source.name}: the server would be killed as soon as this process")
        os.kill(os.getpid(), signal.SIGKILL)
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
