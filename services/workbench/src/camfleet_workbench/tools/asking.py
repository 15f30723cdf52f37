"""A model in this process: compiled by OpenVINO, asked about pictures, decoded by its manifest."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from camfleet.cli.errors import CommandError
from camfleet.decoders import get_decoder
from camfleet.decoders.outputs import UnexpectedOutputs
from camfleet.detections import Detections
from camfleet.inference.geometry import Resize
from camfleet.inference.preprocessing import input_size, preprocess_of, to_tensor
from camfleet.inference.served_model import TensorSpec, UnusableModel
from camfleet_contracts.model_manifest import ModelManifest

_TYPES: Mapping[str, str] = {"f32": "FP32", "f16": "FP16", "u8": "UINT8", "i8": "INT8"}


@dataclass(frozen=True)
class AskableModel:
    """One compiled model. Not thread-safe."""

    manifest: ModelManifest
    spec: TensorSpec
    outputs: tuple[str, ...]
    compiled: Any

    def tensor_of(self, picture: VideoFrame) -> tuple[NDArray[Any], Resize]:
        """The picture as this model's input, and how it was fitted.

        Raises:
            CommandError: the input is not a picture.
        """
        preprocess = preprocess_of(self.manifest, self.spec)
        try:
            size = input_size(preprocess, self.spec, self.manifest.id or "the model")
        except UnusableModel as error:
            raise CommandError(str(error)) from error
        return to_tensor(picture, preprocess, self.spec, size)

    def answer(self, tensor: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The output tensors by their names."""
        results = self.compiled(tensor)
        return {name: np.array(results[number]) for number, name in enumerate(self.outputs)}

    def detect(self, picture: VideoFrame, confidence: float | None = None) -> Detections:
        """What the manifest's decoder finds.

        Raises:
            CommandError: there is no decoder, or the answer does not fit it.
        """
        postprocess = self.manifest.postprocess
        if postprocess is None:
            raise CommandError(
                f"{self.manifest.id}: no decoder known; add postprocess to model.json"
            )
        tensor, resize = self.tensor_of(picture)
        threshold = postprocess.confidence if confidence is None else confidence
        try:
            decode = get_decoder(postprocess.decoder)
            return decode(self.answer(tensor), self.manifest, resize, threshold, postprocess.iou)
        except (UnexpectedOutputs, LookupError) as error:
            raise CommandError(str(error)) from error


def askable(model: Path | Any, manifest: ModelManifest) -> AskableModel:
    """Compile a file or a model in memory for the CPU, in f32.

    Raises:
        CommandError: OpenVINO cannot read it.
    """
    import openvino as ov  # noqa: PLC0415 - takes long

    core = ov.Core()
    try:
        read = core.read_model(model) if isinstance(model, Path) else model
        compiled = core.compile_model(read, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    except RuntimeError as error:
        raise CommandError(f"{model}: OpenVINO cannot load it: {error}") from error
    port = read.inputs[0]
    shape = tuple(d.get_length() if d.is_static else -1 for d in port.partial_shape)
    datatype = _TYPES.get(port.get_element_type().to_string(), "")
    spec = TensorSpec(port.get_any_name(), datatype, shape)
    names = tuple(output.get_any_name() for output in read.outputs)
    return AskableModel(manifest, spec, names, compiled)
