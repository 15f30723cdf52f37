"""Two repairs of TFLite files that OpenVINO refuses.

Both rewrite the FlatBuffer with the schema that comes with LiteRT: the detection post-processing
is cut off (cameras decode what is left with `ssd-anchors`), and axes of per-channel quantisation
that lie outside their tensor are set right.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CUT_OPERATOR = b"TFLite_Detection_PostProcess"
_IDENTIFIER = b"TFL3"
_ANCHORS_INPUT = 2
_TYPES = {0: np.float32, 3: np.uint8, 9: np.int8}  # TensorType of the schema
# Names of the operator's options, in the order (y, x, height, width) of its boxes.
_SCALES = ("y_scale", "x_scale", "h_scale", "w_scale")


@dataclass(frozen=True, slots=True)
class Cut:
    """A file without its post-processing, and how a decoder does it instead."""

    content: bytes
    postprocess: dict[str, Any]  # as model.json has it


def cut_detection(content: bytes) -> Cut | None:
    """Take TFLite_Detection_PostProcess off; None where the file has none.

    Raises:
        ValueError: the bytes are no TFLite file.
    """
    model = _unpacked(content)
    for graph in model.subgraphs:
        for number, operator in enumerate(graph.operators):
            if model.operatorCodes[operator.opcodeIndex].customCode == CUT_OPERATOR:
                boxes, scores, anchors = operator.inputs[: _ANCHORS_INPUT + 1]
                postprocess = _postprocess(model, graph, operator, (boxes, scores, anchors))
                del graph.operators[number]
                graph.outputs = np.array([boxes, scores], np.int32)
                model.signatureDefs = None  # they name outputs that are gone
                return Cut(_packed(model), postprocess)
    return None


def repair_axes(content: bytes) -> bytes | None:
    """Set quantised axes outside their tensor to its only one; None where there are none.

    Raises:
        ValueError: the bytes are no TFLite file.
    """
    model = _unpacked(content)
    repaired = False
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            quantised = tensor.quantization
            rank = 0 if tensor.shape is None else len(tensor.shape)
            if rank == 1 and quantised and quantised.quantizedDimension >= rank:
                quantised.quantizedDimension = 0
                repaired = True
    return _packed(model) if repaired else None


def _postprocess(
    model: Any, graph: Any, operator: Any, inputs: tuple[int, int, int]
) -> dict[str, Any]:
    from flatbuffers import flexbuffers  # noqa: PLC0415 - only these repairs need it

    options = flexbuffers.Loads(bytes(operator.customOptions))
    boxes, scores, anchors = (graph.tensors[index] for index in inputs)
    parameters: dict[str, Any] = {
        "anchors": _values(model, anchors).round(6).tolist(),
        "scales": [float(options[name]) for name in _SCALES],
        "max_detections": int(options["max_detections"]),
    }
    quantised = {t.name.decode(): q for t in (boxes, scores) if (q := _scale_of(t)) != (1.0, 0)}
    if quantised:
        parameters["quantization"] = quantised
    return {
        "decoder": "ssd-anchors",
        "iou": float(options["nms_iou_threshold"]),
        "parameters": parameters,
    }


def _values(model: Any, tensor: Any) -> NDArray[np.float32]:
    """The numbers of a constant tensor, dequantised."""
    raw = np.frombuffer(bytes(model.buffers[tensor.buffer].data), _TYPES[tensor.type])
    scale, zero = _scale_of(tensor)
    return ((raw.astype(np.float32) - zero) * np.float32(scale)).reshape(tensor.shape)


def _scale_of(tensor: Any) -> tuple[float, int]:
    quantised = tensor.quantization
    if quantised is None or quantised.scale is None or not len(quantised.scale):
        return 1.0, 0
    return float(quantised.scale[0]), int(quantised.zeroPoint[0])


def _unpacked(content: bytes) -> Any:
    from ai_edge_litert import schema_py_generated as schema  # noqa: PLC0415 - only here

    if content[4:8] != _IDENTIFIER:
        raise ValueError("not a TFLite file")
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(bytearray(content), 0))


def _packed(model: Any) -> bytes:
    import flatbuffers  # noqa: PLC0415 - only here

    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), _IDENTIFIER)
    return bytes(builder.Output())
