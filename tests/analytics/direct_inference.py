"""Real models without a server: OpenVINO in the test, f32, with what a model.json would say."""

import json
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import openvino as ov
from numpy.typing import NDArray

from camfleet.decoders import get_decoder
from camfleet.detections import Detections
from camfleet.inference.preprocessing import input_size, preprocess_of, to_tensor
from camfleet.inference.served_model import TensorSpec
from camfleet_contracts.model_manifest import ModelManifest, parse_manifest

_COCO = "coco.names"
_TYPES = {"f32": "FP32", "u8": "UINT8", "i8": "INT8"}

MODELS: dict[str, dict[str, Any]] = {
    "fastestdet-coco": {
        "model_file": "FastestDet.onnx",
        "label_file": _COCO,
        "preprocess": {"colour": "BGR", "scale": 1 / 255},
        "postprocess": {"decoder": "fastestdet"},
    },
    "yolox-nano-coco": {
        "model_file": "yolox_nano.onnx",
        "label_file": _COCO,
        "preprocess": {"colour": "BGR", "resize": "letterbox-topleft"},
        "postprocess": {"decoder": "yolox", "parameters": {"strides": [8, 16, 32]}},
    },
    "yunet-n": {
        "model_file": "yunet_n_320_320.onnx",
        "labels": ["face"],
        "preprocess": {"colour": "BGR"},
        "postprocess": {"decoder": "yunet", "iou": 0.3},
    },
    "ultraface-rfb320": {
        "model_file": "version-RFB-320.onnx",
        "labels": ["background", "face"],
        "preprocess": {"colour": "RGB", "mean": [127, 127, 127], "scale": 0.0078125},
        "postprocess": {"decoder": "ultraface", "iou": 0.3},
    },
    "ultraface-rfb320.tflite": {
        "folder": "ultraface-rfb320",
        "model_file": "version-RFB-320_without_postprocessing.tflite",
        "labels": ["background", "face"],
        "preprocess": {
            "colour": "RGB",
            "layout": "NHWC",
            "mean": [127, 127, 127],
            "scale": 0.0078125,
        },
        "postprocess": {"decoder": "ultraface", "iou": 0.3, "parameters": {"encoded": True}},
    },
    "ssd-mobilenet-v1-coco-quant": {
        "model_file": "ssd_mnv1_raw.tflite",
        "anchors": "ssd_mnv1_raw.anchors.npy",
        "label_file": "COCO_labels.txt",
        "preprocess": {"colour": "RGB", "layout": "NHWC"},
        "postprocess": {
            "decoder": "ssd-anchors",
            "iou": 0.6,
            "parameters": {
                "max_detections": 10,
                "quantization": {
                    "Squeeze": [0.07902787625789642, 191],
                    "convert_scores": [0.00390625, 0],
                },
            },
        },
    },
    "mobilenet-v2-imagenet-quant": {
        "model_file": "mobilenet_v2_1.0_224_quant.tflite",
        "label_file": "imagenet_labels.txt",
        "preprocess": {"colour": "RGB", "layout": "NHWC"},
        "postprocess": {
            "decoder": "classification",
            "parameters": {"quantization": {"MobilenetV2/Predictions/Softmax": [1 / 255, 0]}},
        },
    },
    "deeplabv3-mnv2-dm05-voc": {
        "model_file": "deeplabv3_mnv2_dm05_pascal_quant.tflite",
        "label_file": "pascal_voc_segmentation_labels.txt",
        "preprocess": {"colour": "RGB", "layout": "NHWC"},
        "postprocess": {"decoder": "segmentation"},
    },
    "mobilenet-v1-embedding": {
        "model_file": "mobilenet_v1_1.0_224_quant_embedding_extractor.tflite",
        "labels": ["picture"],
        "preprocess": {"colour": "RGB", "layout": "NHWC"},
        "postprocess": {"decoder": "embedding"},
    },
    "movenet-lightning": {
        "model_file": "movenet_single_pose_lightning_ptq.tflite",
        "labels": ["person"],
        "preprocess": {"colour": "RGB", "layout": "NHWC"},
        "postprocess": {"decoder": "movenet"},
    },
}


@dataclass
class DirectModel:
    """One compiled model and how to ask it about a picture."""

    manifest: ModelManifest
    spec: TensorSpec
    compiled: Any
    outputs: list[str]

    def detect(self, picture: av.VideoFrame, confidence: float) -> Detections:
        postprocess = self.manifest.postprocess
        assert postprocess is not None
        preprocess = preprocess_of(self.manifest)
        size = input_size(preprocess, self.spec, self.manifest.id)
        tensor, resize = to_tensor(picture, preprocess, self.spec, size)
        decode = get_decoder(postprocess.decoder)
        return decode(self.answer(tensor), self.manifest, resize, confidence, postprocess.iou)

    def answer(self, tensor: NDArray[Any]) -> dict[str, NDArray[Any]]:
        results = self.compiled(tensor)
        return {name: np.array(results[i]) for i, name in enumerate(self.outputs)}


def load_direct(shared_data: Path, name: str) -> DirectModel:
    entry = deepcopy(MODELS[name])
    folder = shared_data / "models" / entry.pop("folder", name)
    if anchors := entry.pop("anchors", None):
        parameters = entry["postprocess"]["parameters"]
        entry["postprocess"]["parameters"] = {
            **parameters,
            "anchors": np.load(folder / anchors).tolist(),
        }
    if "label_file" in entry:
        entry["labels"] = (folder / entry["label_file"]).read_text().splitlines()
    return compiled(parse_manifest({"id": name, **entry}, where=name), folder)


def compiled(manifest: ModelManifest, folder: Path) -> DirectModel:
    """The model of a folder, ready to be asked."""
    core = ov.Core()
    model = core.read_model(folder / manifest.model_file)
    port = model.inputs[0]
    spec = TensorSpec(
        port.get_any_name(),
        _TYPES.get(port.get_element_type().to_string(), "FP32"),
        tuple(d.get_length() if d.is_static else -1 for d in port.partial_shape),
    )
    outputs = [output.get_any_name() for output in model.outputs]
    ready = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return DirectModel(manifest, spec, ready, outputs)


def read_picture(path: Path) -> av.VideoFrame:
    with av.open(str(path)) as container:
        return next(container.decode(video=0))


def expected_of(shared_data: Path, name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((shared_data / "expected" / f"{name}.json").read_text())
    return document
