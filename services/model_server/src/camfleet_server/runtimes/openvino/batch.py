"""Opens the first dimension of a model, so that requests can be put together."""

from typing import Any

from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.runtimes.base import LoadError
from camfleet_server.runtimes.openvino.api import ov

HINT = "take `batching` out of model.json"
_ANY_BATCH = (None, 0, "0", "auto", "-1", -1)


def open_batch(model: Any, config: ModelConfig) -> None:
    """Reshape a model to any number of rows.

    Raises:
        LoadError: config.json fixes the batch, or the model computes with it.
    """
    if config.shape or config.batch_size not in _ANY_BATCH:
        what = "shape" if config.shape else "batch_size"
        raise LoadError(f"batching: `{what}` in config.json sets the batch; remove it, or {HINT}")
    try:
        model.reshape({i: _opened(port) for i, port in enumerate(model.inputs)})
    except RuntimeError as error:
        text = str(error).strip().splitlines()[-1]
        raise LoadError(f"batching: the batch of the model is fixed ({text}); {HINT}") from error
    for port in model.outputs:
        shape = port.get_partial_shape()
        if shape.rank.is_dynamic or not len(shape) or shape[0].is_static:
            raise LoadError(
                f"batching: output {port.any_name!r} has shape {shape}, whose first dimension "
                f"does not follow that of the inputs; {HINT}"
            )


def _opened(port: Any) -> Any:
    shape = port.get_partial_shape()
    if shape.rank.is_dynamic or not len(shape):
        raise LoadError(f"batching: input {port.any_name!r} has no first dimension; {HINT}")
    return ov.PartialShape([ov.Dimension(), *list(shape)[1:]])
