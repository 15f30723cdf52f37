"""What an Ultralytics export says of itself: task, labels, size of the picture, key points.

ONNX files have it in their metadata, the folders of OpenVINO, SavedModel and TFLite exports in a
metadata.yaml (https://docs.ultralytics.com/modes/export).
"""

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from camfleet_contracts.files import read_text
from camfleet_contracts.model_files import ModelFiles
from camfleet_contracts.protobuf_wire import parts_of_file, text_of

_ONNX_METADATA = 14  # of ModelProto: entries of a key and a value
_BESIDE = "metadata.yaml"
_TO_ONE = 1 / 255
_PICTURE_RANK, _TABLE_RANK = 4, 3
_CHANNELS_LAST = frozenset({"saved-model", "tensorflow", "tflite"})
_BOX, _OBJECTNESS, _KEY_POINT = 4, 1, 3
_NO_CLASS = -1
_ROW = 6  # of what has been suppressed already: box, score, class

Shape = Sequence[int]


@dataclass(frozen=True, slots=True)
class Export:
    """The notes of an export; `is_suppressed` where the model itself leaves one box an object."""

    task: str
    labels: tuple[str, ...]
    size: tuple[int, int] | None = None  # width, height
    key_points: int = 0
    is_suppressed: bool = False
    is_channels_last: bool = False
    is_detr: bool = False  # pictures are stretched; boxes are centre and size, shares of the input
    is_v5: bool = False  # by YOLOv5's own exporter, which names no task

    def preprocess(self) -> dict[str, Any]:
        """How it takes pictures, as `preprocess` of model.json says it."""
        resize = "stretch" if self.is_detr else "letterbox"
        return {
            "resize": "crop" if self.task == "classify" else resize,
            "layout": "NHWC" if self.is_channels_last else "NCHW",
            "colour": "RGB",
            "scale": _TO_ONE,
            **({"size": list(self.size)} if self.size else {}),
        }

    def postprocess(self, output_shapes: Sequence[Shape]) -> dict[str, Any] | None:
        """How its answers are read, by their shapes; None where no decoder of ours reads them."""
        if self.task == "classify":
            return {"decoder": "classification"}
        tables = [shape for shape in output_shapes if len(shape) == _TABLE_RANK]
        if self.task == "semantic" and tables:
            return {"decoder": "segmentation", "parameters": {"background": _NO_CLASS}}
        if not tables or self.task not in {"detect", "segment", "pose"}:
            return None
        decoder = self._decoder(tables[0], self._extras(output_shapes))
        if decoder is None:
            return None
        parameters: dict[str, Any] = {"key_points": self.key_points} if self.key_points else {}
        if self.is_detr and decoder == "yolov10":
            parameters["boxes"] = "centre"
        return {"decoder": decoder, "parameters": parameters}

    def _extras(self, output_shapes: Sequence[Shape]) -> int:
        """Numbers beside box and classes: key points, or a coefficient for each prototype."""
        prototypes = [shape for shape in output_shapes if len(shape) == _PICTURE_RANK]
        if self.task == "segment" and prototypes:
            return prototypes[0][3 if self.is_channels_last else 1]
        return _KEY_POINT * self.key_points

    def _decoder(self, table: Shape, extras: int) -> str | None:
        boxes, classes = table[1:], len(self.labels)
        if self.is_v5:  # of one class its rows are as long as those of what has been suppressed
            return "yolov5" if boxes[1] in {-1, _BOX + _OBJECTNESS + classes} else None
        if max(boxes) < 0:  # open sizes, of which nothing is known
            return "yolov10" if self.is_suppressed else "yolov8"
        if boxes[1] == _ROW + extras and (
            self.is_suppressed or boxes[0] != _BOX + classes + extras
        ):
            return "yolov10"
        return "yolov8" if _BOX + classes + extras in boxes else None


def find_export(files: ModelFiles) -> Export | None:
    """The notes in or beside a model; None where there are none, or they cannot be read."""
    try:
        export = _parsed(_notes_of(files))
    except (OSError, ValueError, TypeError, OverflowError, RecursionError, YAMLError):
        return None
    is_last = files.framework.name in _CHANNELS_LAST
    return replace(export, is_channels_last=is_last) if export else None


def _notes_of(files: ModelFiles) -> Any:
    if files.framework.name == "onnx":
        entries = parts_of_file(files.model, _ONNX_METADATA)
        return {text_of(entry, 1): _value(text_of(entry, 2)) for entry in entries}
    folder = files.model if files.model.is_dir() else files.model.parent
    path = folder / _BESIDE
    return YAML(typ="safe", pure=True).load(read_text(path)) if path.is_file() else None


def _value(text: str) -> Any:
    """A number, list or object as Python writes it, else the text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _parsed(notes: Any) -> Export | None:
    names = notes.get("names") if isinstance(notes, dict) else None
    if not isinstance(names, dict | list) or "stride" not in notes:
        return None
    by_number = names if isinstance(names, dict) else dict(enumerate(names))
    if not by_number or by_number.keys() != set(range(len(by_number))):
        return None
    labels = tuple(str(by_number[number]) for number in range(len(by_number)))
    points, values = notes.get("kpt_shape") or (0, _KEY_POINT)
    if values != _KEY_POINT or int(points) < 0:
        return None
    arguments = notes.get("args")
    nms = isinstance(arguments, dict) and arguments.get("nms")
    return Export(
        task=str(notes.get("task") or "detect"),
        labels=labels,
        size=_size_of(notes.get("imgsz")),
        key_points=int(points),
        is_suppressed=bool(notes.get("end2end") or nms),
        is_detr="rtdetr" in str(notes.get("description", "")).lower(),
        is_v5="task" not in notes,
    )


def _size_of(told: Any) -> tuple[int, int] | None:
    """Width and height of one number, or of height and width; None where the size is open."""
    height, width = told if isinstance(told, list) else (told or 0, told or 0)
    size = int(width), int(height)
    return size if min(size) > 0 else None
