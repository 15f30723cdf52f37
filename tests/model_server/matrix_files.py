"""Every model file of the shared data: which runtimes read it, and what it shall answer."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OV, ORT, CV, LITE = "openvino", "onnxruntime", "opencv", "litert"


@dataclass(frozen=True)
class ModelFile:
    """One file (or its folder); `catalogue` names the manifest it is served with."""

    path: str
    runtimes: tuple[str, ...]
    expected: str  # of ../shared/data/expected
    catalogue: str
    beside: tuple[str, ...] = ()  # files it needs
    changes: dict[str, Any] = field(default_factory=dict)  # of the manifest

    @property
    def name(self) -> str:
        """A name for the model volume."""
        return "-".join(Path(self.path).with_suffix("").parts[-2:]) + Path(self.path).suffix[1:]

    @property
    def served_names(self) -> list[str]:
        """The names on the volume, one a runtime."""
        return [f"{self.name}.{runtime}" for runtime in self.runtimes]

    @property
    def is_by_area(self) -> bool:
        """Whether the reference pictures were scaled by area; the others linearly."""
        return self.expected == _FASTEST


_NHWC = {"layout": "NHWC"}
_SSD_RAW = {
    "runtimes": [],
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
}
_YOLOX = {
    "preprocess": {"colour": "BGR", "resize": "letterbox-topleft", "layout": "NCHW"},
    "postprocess": {"decoder": "yolox", "parameters": {"strides": [8, 16, 32]}},
}
_FASTEST, _ULTRA, _YUNET, _SSD = (
    *("fastestdet-coco", "ultraface-rfb320", "yunet-n"),
    "ssd-mobilenet-v1-coco-quant",
)
_V2, _V1, _DEEPLAB, _MOVENET = (
    *("mobilenet-v2-imagenet-quant", "mobilenet-v1-025-128-quant"),
    *("deeplabv3-mnv2-dm05-voc", "movenet-lightning"),
)

DETECTORS = (
    ModelFile("fastestdet-coco/FastestDet.onnx", (OV, ORT, CV), _FASTEST, _FASTEST),
    ModelFile("fastestdet-coco/ir/fastestdet.xml", (OV,), _FASTEST, _FASTEST),
    ModelFile("fastestdet-coco/saved_model", (OV,), _FASTEST, _FASTEST, (), _NHWC),
    ModelFile("fastestdet-coco/fastestdet_frozen.pb", (OV,), _FASTEST, _FASTEST, (), _NHWC),
    ModelFile(
        "fastestdet-coco/FastestDet_float32.tflite", (OV, LITE), _FASTEST, _FASTEST, (), _NHWC
    ),
    ModelFile(
        "fastestdet-coco/FastestDet_float16.tflite", (OV, LITE), _FASTEST, _FASTEST, (), _NHWC
    ),
    ModelFile(
        *("yolox-nano-coco/yolox_nano.onnx", (OV, ORT, CV), "yolox-nano-coco", _FASTEST),
        *((), _YOLOX),
    ),
    ModelFile(
        *("yolox-nano-coco/ir/yolox_nano.xml", (OV,), "yolox-nano-coco", _FASTEST),
        *((), _YOLOX),
    ),
    ModelFile("ultraface-rfb320/version-RFB-320.onnx", (OV, ORT, CV), _ULTRA, _ULTRA),
    ModelFile("ultraface-rfb320/ir/ultraface_rfb320_onnx.xml", (OV,), _ULTRA, _ULTRA),
    ModelFile(
        *("ultraface-rfb320/RFB-320.caffemodel", (CV,), f"{_ULTRA}.caffe", f"{_ULTRA}-caffe"),
        ("RFB-320.prototxt",),
    ),
    ModelFile(
        *("ultraface-rfb320/version-RFB-320_without_postprocessing.tflite", (OV, LITE)),
        *(f"{_ULTRA}.tflite", f"{_ULTRA}-tflite"),
    ),
    ModelFile("yunet-n/yunet_n_320_320.onnx", (OV, ORT, CV), _YUNET, _YUNET),
    ModelFile("yunet-n/yunet_n_dynamic.onnx", (OV, ORT), _YUNET, _YUNET),
    ModelFile("yunet-n/ir/yunet_n_320.xml", (OV,), _YUNET, _YUNET),
    ModelFile(
        *("res10-ssd-face/opencv_face_detector_uint8.pb", (CV,), "res10-ssd-face"),
        *("res10-ssd-face", ("opencv_face_detector.pbtxt",)),
    ),
    ModelFile(
        *("yolo-fastest-1.1-coco/yolo-fastest-1.1.weights", (CV,), "yolo-fastest-1.1-coco"),
        *("yolo-fastest-1.1-coco", ("yolo-fastest-1.1.cfg",)),
    ),
    ModelFile(
        *("yolo-fastest-1.1-body/yolo-fastest-1.1_body.weights", (CV,), "yolo-fastest-1.1-body"),
        *("yolo-fastest-1.1-body", ("yolo-fastest-1.1_body.cfg",)),
    ),
    ModelFile(f"{_SSD}/ssd_mnv1_raw.tflite", (OV, LITE), _SSD, _SSD, (), _SSD_RAW),
    ModelFile(f"{_SSD}/ir/ssd_mobilenet_v1_coco_quant.xml", (OV,), _SSD, _SSD, (), _SSD_RAW),
)
OTHERS = (
    ModelFile(f"{_V2}/mobilenet_v2_1.0_224_quant.tflite", (OV, LITE), _V2, _V2),
    ModelFile(f"{_V2}/ir/mobilenet_v2_quant.xml", (OV,), _V2, _V2),
    ModelFile(f"{_V1}/mobilenet_v1_0.25_128_quant.tflite", (OV, LITE), _V1, _V1),
    ModelFile(
        f"{_DEEPLAB}/deeplabv3_mnv2_dm05_pascal_quant.tflite", (OV, LITE), _DEEPLAB, _DEEPLAB
    ),
    ModelFile(f"{_DEEPLAB}/ir/deeplabv3_mnv2_dm05.xml", (OV,), _DEEPLAB, _DEEPLAB),
    ModelFile(
        f"{_MOVENET}/movenet_single_pose_lightning_ptq.tflite", (OV, LITE), _MOVENET, _MOVENET
    ),
    ModelFile(f"{_MOVENET}/ir/movenet_lightning.xml", (OV,), _MOVENET, _MOVENET),
    ModelFile(
        *("person-detect-int8/person_detect_fixq.tflite", (OV, LITE), "person-detect-int8"),
        "person-detect-int8",
    ),
)

_OVMS = "ovms-test-models"
DUMMIES = (  # a = b + 1
    ModelFile(f"{_OVMS}/dummy/1/dummy.xml", (OV,), "", ""),
    ModelFile(f"{_OVMS}/dummy_saved_model/1", (OV,), "", ""),
    ModelFile(f"{_OVMS}/dummy_tflite/1/dummy.tflite", (OV, LITE, CV), "", ""),
)
SUMS = (ModelFile(f"{_OVMS}/triton_simple/1/model.onnx", (OV, ORT), "", ""),)
AGREEING = (  # files without a reference: the runtimes are compared with each other
    ModelFile("yunet-n/yunet_n_640_640.onnx", (OV, ORT, CV), _YUNET, _YUNET),
    ModelFile(
        "mobilenet-v1-embedding/mobilenet_v1_1.0_224_quant_embedding_extractor.tflite",
        *((OV, LITE), "", "mobilenet-v1-embedding"),
    ),
)
SERVED = (*DETECTORS, *OTHERS, *DUMMIES, *SUMS, *AGREEING)


@dataclass(frozen=True)
class Refused:
    """A file that a runtime cannot read, and words of the reason."""

    path: str
    runtime: str
    reason: str
    beside: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """A name for the model volume."""
        return f"refused-{ModelFile(self.path, (), '', '').name}.{self.runtime}"


_UINT8 = "is UINT8, and OpenCV computes in FP32 only"
_SPACE = "Unsupported operator type SPACE_TO_BATCH_ND"
REFUSED = (
    Refused(f"{_SSD}/detect.tflite", OV, "No translator found for TFLite_Detection_PostProcess"),
    Refused(f"{_SSD}/detect.tflite", CV, _UINT8),
    Refused(f"{_SSD}/ssd_mnv1_raw.tflite", CV, _UINT8),
    Refused(f"{_V2}/mobilenet_v2_1.0_224_quant.tflite", CV, _UINT8),
    Refused(f"{_V1}/mobilenet_v1_0.25_128_quant.tflite", CV, _UINT8),
    Refused(f"{_DEEPLAB}/deeplabv3_mnv2_dm05_pascal_quant.tflite", CV, _UINT8),
    Refused(f"{_MOVENET}/movenet_single_pose_lightning_ptq.tflite", CV, _UINT8),
    Refused("person-detect-int8/person_detect.tflite", OV, "axis 3 is out of range"),
    Refused("person-detect-int8/person_detect.tflite", LITE, "Was 3."),
    Refused("person-detect-int8/person_detect.tflite", CV, "is INT8, and OpenCV computes"),
    Refused("person-detect-int8/person_detect_fixq.tflite", CV, "is INT8, and OpenCV computes"),
    Refused("ovms-test-models/half_plus_two/00000123", OV, "references undeclared parameters"),
    Refused("ovms-test-models/half_plus_two/00000123", CV, "saved_model.pb is saved-model"),
    Refused(
        *("res10-ssd-face/opencv_face_detector_uint8.pb", OV, "Const of unknown type, Dequantize"),
        ("opencv_face_detector.pbtxt",),
    ),
    Refused("fastestdet-coco/fastestdet_frozen.pb", CV, "in function 'getTensorContentRef_'"),
    Refused("fastestdet-coco/FastestDet_float32.tflite", CV, "Unsupported operator type PADV2"),
    Refused("fastestdet-coco/FastestDet_float16.tflite", CV, "Unsupported operator type PADV2"),
    Refused(f"{_ULTRA}/version-RFB-320_without_postprocessing.tflite", CV, _SPACE),
    Refused("yunet-n/yunet_n_dynamic.onnx", CV, "!isDynamicShape"),
    Refused("ovms-test-models/triton_simple/1/model.onnx", CV, "is INT32, and OpenCV computes"),
    Refused(f"{_ULTRA}/RFB-320.caffemodel", OV, "is caffe: put opencv into", ("RFB-320.prototxt",)),
    Refused(f"{_ULTRA}/RFB-320.caffemodel", ORT, "onnxruntime reads onnx", ("RFB-320.prototxt",)),
    Refused(
        *("yolo-fastest-1.1-body/yolo-fastest-1.1_body.weights", OV, "is darknet: put opencv"),
        ("yolo-fastest-1.1_body.cfg",),
    ),
    Refused("fastestdet-coco/ir/fastestdet.xml", CV, "is openvino: put openvino into"),
    Refused("fastestdet-coco/FastestDet.onnx", LITE, "litert reads tflite"),
)
