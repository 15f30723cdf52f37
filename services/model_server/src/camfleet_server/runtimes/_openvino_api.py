"""OpenVINO's Python API without its usage reporting.

`import openvino` starts `openvino_telemetry` where that is installed: it forks a process and
reports to a web service. An empty module in its place makes OpenVINO take its own stub instead.
"""

import sys
from types import ModuleType

sys.modules.setdefault("openvino_telemetry", ModuleType("openvino_telemetry"))

import openvino as ov  # noqa: E402 - only after the line above

__all__ = ["ov"]
