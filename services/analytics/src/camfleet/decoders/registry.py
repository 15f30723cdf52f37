"""The table of decoders; a family is one file that is imported on first use."""

from collections.abc import Mapping
from importlib import import_module
from typing import Protocol, cast

from camfleet.decoders.outputs import Tensors
from camfleet.detections import Detections
from camfleet.inference.geometry import Resize
from camfleet_contracts.model_manifest import ModelManifest

_FUNCTIONS: Mapping[str, str] = {
    "classification": "camfleet.decoders.classification:decode",
    "detr": "camfleet.decoders.detr:decode",
    "embedding": "camfleet.decoders.embedding:decode",
    "fastestdet": "camfleet.decoders.fastestdet:decode",
    "movenet": "camfleet.decoders.movenet:decode",
    "pose-heatmaps": "camfleet.decoders.pose_heatmaps:decode",
    "segmentation": "camfleet.decoders.segmentation:decode",
    "ssd-anchors": "camfleet.decoders.ssd_anchors:decode",
    "ssd-detections": "camfleet.decoders.ssd_detections:decode",
    "tflite-detections": "camfleet.decoders.tflite_detections:decode",
    "ultraface": "camfleet.decoders.ultraface:decode",
    "yolo-grids": "camfleet.decoders.yolo_grids:decode",
    "yolo-region": "camfleet.decoders.yolo_region:decode",
    "yolov10": "camfleet.decoders.yolov10:decode",
    "yolov5": "camfleet.decoders.yolov5:decode",
    "yolov8": "camfleet.decoders.yolov8:decode",
    "yolox": "camfleet.decoders.yolox:decode",
    "yunet": "camfleet.decoders.yunet:decode",
}


class Decoder(Protocol):
    """Turns the answer of one model into detections."""

    def __call__(
        self,
        outputs: Tensors,
        manifest: ModelManifest,
        resize: Resize,
        confidence: float,
        iou: float,
    ) -> Detections:
        """Decode one frame; raises UnexpectedOutputs when the tensors are not of this family."""


class UnknownDecoder(LookupError):
    """A manifest names a decoder that does not exist."""

    def __init__(self, name: str) -> None:
        super().__init__(f"decoder '{name}' does not exist; use one of: {', '.join(_FUNCTIONS)}")
        self.name = name


def decoder_names() -> tuple[str, ...]:
    """All names that `postprocess.decoder` of a model.json may have."""
    return tuple(_FUNCTIONS)


def get_decoder(name: str) -> Decoder:
    """The decoder of a family; raises UnknownDecoder."""
    target = _FUNCTIONS.get(name)
    if target is None:
        raise UnknownDecoder(name)
    module, _, function = target.partition(":")
    return cast("Decoder", getattr(import_module(module), function))
