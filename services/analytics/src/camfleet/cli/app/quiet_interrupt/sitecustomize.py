"""Read by the Python of a started script as it starts: being interrupted is no fault to be traced.

The folder is put in front of PYTHONPATH; a sitecustomize that was found without it is run as well.
"""

# ruff: noqa: INP001 - no package, a folder of PYTHONPATH

import os.path
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from types import TracebackType

_former_hook = sys.excepthook


def _tell_faults(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        _former_hook(kind, error, trace)


def _run_next() -> None:
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib takes 10 ms
    others = [folder for folder in sys.path if folder != here]
    spec = PathFinder.find_spec("sitecustomize", others)
    if spec and spec.loader:
        spec.loader.exec_module(module_from_spec(spec))


sys.excepthook = _tell_faults
_run_next()
