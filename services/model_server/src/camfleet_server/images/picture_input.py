"""Which input of a model takes pictures, of what size and in which layout."""

from collections.abc import Sequence

from camfleet_contracts.model_manifest import Preprocess
from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.runtimes.base import LoadError, PictureInput
from camfleet_server.types import TensorSpec

_RANK = 4
_CHANNELS = (1, 3, 4)
_LAYOUTS = ("NCHW", "NHWC")


def find_pictured(specs: Sequence[TensorSpec]) -> TensorSpec | None:
    """Return the input that `preprocess` is about: the first with four dimensions."""
    return next((s for s in specs if len(s.shape) == _RANK and s.datatype != "BYTES"), None)


def picture_input(spec: TensorSpec, preprocess: Preprocess, config: ModelConfig) -> PictureInput:
    """Return how an input takes pictures.

    Raises:
        LoadError: `preprocess` does not fit the input.
    """
    channels = 1 if preprocess.colour == "GRAY" else 3
    asked = _asked_layout(spec.name, config) or preprocess.layout
    fitting = [name for name in (asked, *_LAYOUTS) if _channels(spec, name) in (-1, channels)]
    if not fitting:
        raise LoadError(
            f"`preprocess` of its manifest makes {channels} channels ({preprocess.colour}) and "
            f"input '{spec.name}' has the shape {list(spec.shape)}; correct model.json"
        )
    batch, height, width, _ = _as_nhwc(spec.shape, fitting[0])
    if min(height, width) < 0 and preprocess.size is None:
        raise LoadError(
            f"input '{spec.name}' has no fixed size; add `preprocess.size` to its model.json"
        )
    size = preprocess.size or (width, height)
    shape = (batch, _chosen(height, size[1]), _chosen(width, size[0]), channels)
    return PictureInput(spec.name, shape, preprocess.model_copy(update={"layout": fitting[0]}))


def plain_shape(spec: TensorSpec, config: ModelConfig) -> tuple[int, ...] | None:
    """Return (N, H, W, C) of an input that takes pictures as OVMS does; None: it is not NHWC."""
    if len(spec.shape) != _RANK or spec.datatype == "BOOL":
        return None
    layout = _asked_layout(spec.name, config) or _guessed_layout(spec.shape)
    return spec.shape if layout == "NHWC" else None


def _as_nhwc(shape: tuple[int, ...], layout: str) -> tuple[int, ...]:
    """Reorder a shape that is in `layout`."""
    batch, *rest = shape
    return (batch, *rest[1:], rest[0]) if layout == "NCHW" else shape


def _asked_layout(name: str, config: ModelConfig) -> str:
    """Return the request's layout in config.json's `request:model`, "" where it sets none."""
    layout = config.layout.get(name, "") if isinstance(config.layout, dict) else config.layout
    asked = (layout or "").partition(":")[0].strip().rstrip(".")
    return asked if asked in _LAYOUTS else ""


def _channels(spec: TensorSpec, layout: str) -> int:
    return _as_nhwc(spec.shape, layout)[3]


def _guessed_layout(shape: tuple[int, ...]) -> str:
    is_last = shape[3] in _CHANNELS and shape[1] not in _CHANNELS
    return "NHWC" if is_last else "NCHW"


def _chosen(own: int, asked: int) -> int:
    return own if own > 0 else asked
