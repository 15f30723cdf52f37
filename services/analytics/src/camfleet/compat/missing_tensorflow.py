"""What `import tensorflow` says where it is not installed."""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

_TEXT = (
    "TensorFlow is not installed here, and serving needs none: a SavedModel is published with "
    "`camfleet model publish`, `from camfleet.compat import make_tensor_proto, make_ndarray` makes "
    "its tensors. To train or to export, install it: %pip install tensorflow"
)


class _LastFinder:
    """Is asked when nobody else has found a module; answers for `tensorflow` only."""

    @staticmethod
    def find_spec(
        name: str,
        path: Sequence[str] | None = None,  # noqa: ARG004 - the import system's signature
        target: ModuleType | None = None,  # noqa: ARG004 - the same
    ) -> ModuleSpec | None:
        if name == "tensorflow":
            raise ModuleNotFoundError(_TEXT, name=name)
        return None


def explain_missing_tensorflow() -> None:
    """Let a failing `import tensorflow` say what to do instead; for notebooks, once a process.

    An installed TensorFlow is imported as ever.
    """
    if _LastFinder not in sys.meta_path:
        sys.meta_path.append(_LastFinder)
