"""OpenVINO's Python API without its usage reporting and without its model converter.

`import openvino` starts `openvino_telemetry` where that is installed: it forks a process and
reports to a web service. An empty module in its place makes OpenVINO take its own stub instead.

It also imports its converter, which costs every process 0.1 s and 11 MB and is used by none of
ours; OpenVINO does without it where it is missing.
"""

import sys
from types import ModuleType

_CONVERTER = "openvino.tools.ovc"

sys.modules.setdefault("openvino_telemetry", ModuleType("openvino_telemetry"))
_is_hidden = _CONVERTER not in sys.modules
if _is_hidden:
    sys.modules[_CONVERTER] = None  # type: ignore[assignment] # what the import system asks for

import openvino as ov  # noqa: E402 - only after the lines above
from openvino._offline_transformations import apply_moc_transformations  # noqa: E402 - likewise

if _is_hidden:
    del sys.modules[_CONVERTER]  # whoever imports it by name gets it

__all__ = ["apply_moc_transformations", "ov"]
