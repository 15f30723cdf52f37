"""Real models of the shared test data: their files, one image each, and how it is prepared."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class RealModel:
    """x' = (x - mean) * scale on the stretched image."""

    name: str
    files: tuple[str, ...]
    image: str = ""
    input_name: str = ""
    size: tuple[int, int] = (0, 0)  # width, height
    colour: str = "BGR"
    mean: float = 0.0
    scale: float = 1.0
    layout: str = "NCHW"
    dtype: str = "float32"
    interpolation: int = cv2.INTER_LINEAR

    def read_input(self, images: Path) -> dict[str, NDArray[Any]]:
        """Read the image and prepare it as the model wants it."""
        picture = cv2.imread(str(images / self.image))
        assert picture is not None, self.image
        resized = cv2.resize(picture, self.size, interpolation=self.interpolation)
        coloured = resized[..., ::-1] if self.colour == "RGB" else resized
        scaled = (coloured.astype(np.float32) - self.mean) * self.scale
        batch = scaled[None] if self.layout == "NHWC" else scaled.transpose(2, 0, 1)[None]
        return {self.input_name: np.ascontiguousarray(batch.astype(self.dtype))}


def expected_outputs(expected: Path, model: RealModel) -> dict[str, dict[str, Any]]:
    """Read shape, mean, min and max of every raw output for the model's image."""
    answers = json.loads((expected / f"{model.name}.json").read_text())
    outputs: dict[str, dict[str, Any]] = answers["images"][model.image]["raw_outputs"]
    return outputs


PICTURE_MODELS = (
    RealModel(
        name="fastestdet-coco",
        files=("fastestdet-coco/FastestDet.onnx",),
        image="dog-bicycle-truck.jpg",
        input_name="input.1",
        size=(352, 352),
        scale=1 / 255,
        interpolation=cv2.INTER_AREA,
    ),
    RealModel(
        name="ultraface-rfb320",
        files=("ultraface-rfb320/version-RFB-320.onnx",),
        image="people-group-10.jpeg",
        input_name="input",
        size=(320, 240),
        colour="RGB",
        mean=127.0,
        scale=1 / 128,
    ),
    RealModel(
        name="yunet-n",
        files=("yunet-n/yunet_n_320_320.onnx",),
        image="people-group-10.jpeg",
        input_name="input",
        size=(320, 320),
    ),
    RealModel(
        name="mobilenet-v2-imagenet-quant",
        files=("mobilenet-v2-imagenet-quant/mobilenet_v2_1.0_224_quant.tflite",),
        image="cat.bmp",
        input_name="input",
        size=(224, 224),
        colour="RGB",
        layout="NHWC",
        dtype="uint8",
    ),
)
OVMS_MODELS = tuple(
    RealModel(name=name, files=tuple(f"ovms-test-models/{name}/1/{file}" for file in files))
    for name, files in (
        ("dummy", ("dummy.xml", "dummy.bin")),
        ("dummy_tflite", ("dummy.tflite",)),
        ("dummy_saved_model", ("saved_model.pb",)),
        ("increment_1x3x4x5", ("increment_1x3x4x5.xml", "increment_1x3x4x5.bin")),
        ("summator", ("summator.xml", "summator.bin")),
        ("passthrough_string", ("passthrough.xml", "passthrough.bin")),
        ("scalar", ("saved_model.xml", "saved_model.bin")),
        ("triton_simple", ("model.onnx",)),
    )
)
REAL_MODELS = PICTURE_MODELS + OVMS_MODELS
