"""What the files of an Ultralytics export say of themselves."""

from pathlib import Path

import pytest
from onnx import TensorProto, helper, save

from camfleet_contracts.exports import Export, find_export
from camfleet_contracts.model_files import find_model_files
from camfleet_contracts.model_manifest import ModelManifest
from camfleet_contracts.protobuf_wire import BadMessage, fields_of, parts_of_file

NOTES = {
    "task": "detect",
    "stride": "32",
    "names": "{0: 'cat', 1: 'dog'}",
    "imgsz": "[320, 640]",
    "args": "{'batch': 1, 'nms': False}",
}
BESIDE = """
task: pose
stride: 32
imgsz: [320, 640]
names: {0: person}
kpt_shape: [17, 3]
args: {nms: true}
"""


def save_model(path: Path, **notes: str) -> Path:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    graph = helper.make_graph([], "empty", [value], [value])
    model = helper.make_model(graph)
    helper.set_model_props(model, notes)
    save(model, path)
    return path


def export_of(path: Path) -> Export | None:
    return find_export(find_model_files(path, ModelManifest()))


def test_the_metadata_of_an_onnx_file_say_labels_task_and_size(tmp_path: Path) -> None:
    export = export_of(save_model(tmp_path / "best.onnx", **NOTES))
    assert export == Export("detect", ("cat", "dog"), size=(640, 320))
    assert export.preprocess() == {
        "resize": "letterbox",
        "layout": "NCHW",
        "colour": "RGB",
        "scale": pytest.approx(1 / 255),
        "size": [640, 320],
    }


def test_a_metadata_file_beside_the_model_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "best.xml").write_text("<net/>")
    (tmp_path / "metadata.yaml").write_text(BESIDE)
    assert export_of(tmp_path) == Export("pose", ("person",), (640, 320), 17, is_suppressed=True)


def test_tflite_files_take_pictures_with_their_channels_last(tmp_path: Path) -> None:
    (tmp_path / "best.tflite").write_bytes(b"TFL3")
    (tmp_path / "metadata.yaml").write_text(BESIDE)
    export = export_of(tmp_path)
    assert export is not None
    assert export.preprocess()["layout"] == "NHWC"


@pytest.mark.parametrize(
    "notes",
    [
        {},
        {"names": "7", "stride": "32"},
        {"names": "{0: 'cat'", "stride": "32"},
        NOTES | {"names": "{'cat': 0}"},
        NOTES | {"imgsz": "[1, 2, 3]"},
        NOTES | {"kpt_shape": "17"},
    ],
    ids=["none", "no names", "cut off", "not by number", "no size", "no count"],
)
def test_notes_that_cannot_be_read_say_nothing(tmp_path: Path, notes: dict[str, str]) -> None:
    assert export_of(save_model(tmp_path / "other.onnx", **notes)) is None


@pytest.mark.parametrize(
    "text",
    [
        "- names\n",
        "names\n",
        "[" * 3000,
        "names: [a]\nstride: 32\nimgsz: .inf\n",
        "names: [a]\nstride: 32\nkpt_shape: [-17, 3]\n",
    ],
    ids=["a list", "a word", "too deep", "endless", "less than no points"],
)
def test_files_beside_a_model_that_are_no_notes_of_it_say_nothing(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "best.xml").write_text("<net/>")
    (tmp_path / "metadata.yaml").write_text(text)
    assert export_of(tmp_path) is None


def test_an_open_size_is_none(tmp_path: Path) -> None:
    export = export_of(save_model(tmp_path / "best.onnx", **NOTES | {"imgsz": "[-1, -1]"}))
    assert export is not None
    assert export.size is None


def test_notes_without_a_task_are_of_yolov5(tmp_path: Path) -> None:
    notes = {"stride": "32", "names": "['hat']"}
    export = export_of(save_model(tmp_path / "best.onnx", **notes))
    assert export == Export("detect", ("hat",), is_v5=True)


def test_a_file_that_is_no_onnx_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"not a model at all")
    assert export_of(tmp_path) is None


def test_zeros_that_a_power_cut_left_are_no_message(tmp_path: Path) -> None:
    path = tmp_path / "zeros.onnx"
    path.write_bytes(bytes(100))
    with pytest.raises(BadMessage, match="a field of number 0 at byte 0"):
        list(parts_of_file(path, 14))
    with pytest.raises(BadMessage, match="a field of number 0 at byte 0"):
        list(fields_of(memoryview(bytes(100))))


@pytest.mark.parametrize(
    ("export", "shapes", "decoder"),
    [
        (Export("detect", ("a", "b")), [(1, 6, 8400)], "yolov8"),
        (Export("detect", ("a", "b")), [(-1, 6, -1)], "yolov8"),
        (Export("detect", ("a", "b")), [(-1, -1, -1)], "yolov8"),
        (Export("detect", ("a",)), [(1, 300, 6)], "yolov10"),
        (Export("detect", ("a", "b"), is_suppressed=True), [(1, 300, 6)], "yolov10"),
        (Export("detect", ("a", "b"), is_v5=True), [(1, 25200, 7)], "yolov5"),
        (Export("detect", ("a",), is_v5=True), [(1, 25200, 6)], "yolov5"),
        (Export("detect", ("a",), is_v5=True), [(1, -1, -1)], "yolov5"),
        (Export("detect", ("a", "b", "c")), [(1, 300, 7)], "yolov8"),  # RT-DETR
        (Export("segment", ("a",)), [(1, 37, 8400), (1, 32, 160, 160)], "yolov8"),
        (Export("segment", ("a",)), [(1, 37, 189), (1, 32, 24, 24)], "yolov8"),  # a small input
        (
            Export("segment", ("a",), is_channels_last=True),
            [(1, 37, 8400), (1, 160, 160, 32)],
            "yolov8",
        ),
        (Export("segment", ("a",)), [(1, 300, 38), (1, 32, 160, 160)], "yolov10"),
        (Export("pose", ("a",), key_points=17), [(1, 56, 8400)], "yolov8"),
        (Export("pose", ("a",), key_points=17), [(1, 300, 57)], "yolov10"),
        (Export("classify", ("a", "b")), [(1, 2)], "classification"),
        (Export("semantic", ("a", "b")), [(1, 160, 160)], "segmentation"),
    ],
)
def test_the_shape_of_the_answer_says_how_it_is_read(
    export: Export, shapes: list[tuple[int, ...]], decoder: str
) -> None:
    told = export.postprocess(shapes)
    assert told is not None
    assert told["decoder"] == decoder


def test_the_key_points_of_an_export_are_those_of_its_decoder() -> None:
    told = Export("pose", ("a",), key_points=17).postprocess([(1, 56, 8400)])
    assert told == {"decoder": "yolov8", "parameters": {"key_points": 17}}


def test_rows_of_rt_detr_are_centre_and_size_of_a_stretched_picture(tmp_path: Path) -> None:
    notes = NOTES | {"description": "Ultralytics rtdetr-l model"}
    export = export_of(save_model(tmp_path / "best.onnx", **notes))
    assert export is not None
    assert export.preprocess()["resize"] == "stretch"
    told = export.postprocess([(1, 300, 6)])
    assert told == {"decoder": "yolov10", "parameters": {"boxes": "centre"}}


@pytest.mark.parametrize(
    ("export", "shapes"),
    [
        (Export("obb", ("a",)), [(1, 6, 8400)]),
        (Export("detect", ("a",)), [(1, 99, 8400)]),
        (Export("detect", ("a",)), [(1, 1000)]),
    ],
    ids=["rotated boxes", "other rows", "no table"],
)
def test_answers_that_no_decoder_reads_are_left_alone(
    export: Export, shapes: list[tuple[int, ...]]
) -> None:
    assert export.postprocess(shapes) is None
