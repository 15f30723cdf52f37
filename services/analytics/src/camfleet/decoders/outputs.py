"""Finding a tensor among a model's outputs and turning it into floats."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from camfleet_contracts.model_manifest import ModelManifest

Tensors: TypeAlias = Mapping[str, NDArray[Any]]


class UnexpectedOutputs(ValueError):
    """The tensors of an answer are not what the manifest's decoder reads."""

    def __init__(self, manifest: ModelManifest, expected: str, outputs: Tensors) -> None:
        decoder = manifest.postprocess.decoder if manifest.postprocess else "none"
        found = ", ".join(f"{name} {list(tensor.shape)}" for name, tensor in outputs.items())
        super().__init__(
            f"{manifest.id}: decoder '{decoder}' expects {expected}, the model answered {found}; "
            f"correct `postprocess` or `labels` ({len(manifest.labels)}) in its model.json"
        )


def parameters_of(manifest: ModelManifest) -> Mapping[str, Any]:
    """The decoder's parameters of a manifest; empty when there are none."""
    return manifest.postprocess.parameters if manifest.postprocess else {}


def find_by_last_axis(outputs: Tensors, size: int) -> str | None:
    """The name of the first output whose last axis has this size."""
    return next((name for name, tensor in outputs.items() if tensor.shape[-1:] == (size,)), None)


def as_floats(outputs: Tensors, name: str, manifest: ModelManifest) -> NDArray[np.float32]:
    """One output without its batch axis, dequantised if `parameters.quantization` names it."""
    tensor = outputs[name][0]
    scale, zero = parameters_of(manifest).get("quantization", {}).get(name, (1.0, 0.0))
    floats: NDArray[np.float32] = tensor.astype(np.float32)
    if (scale, zero) != (1.0, 0.0):
        floats = (floats - np.float32(zero)) * np.float32(scale)
    return floats


def logistic(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scores 0..1 of logits."""
    raised: NDArray[np.float32] = np.exp(-np.clip(values, -80, 80), dtype=np.float32)
    raised += 1
    return np.reciprocal(raised)


def label_of(manifest: ModelManifest, class_id: int) -> str:
    """The label of a class, or its number where the manifest has none."""
    labels = manifest.labels
    label = labels[class_id] if 0 <= class_id < len(labels) else ""
    return label or str(class_id)
