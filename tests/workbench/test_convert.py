"""`camfleet model convert`: every framework OpenVINO reads, and the two repairs of TFLite files."""

import json
import resource
import shutil
from pathlib import Path

import numpy as np
import pytest

from camfleet.cli.errors import CommandError
from camfleet.cli.settings import command_settings
from camfleet_contracts.volume import publish_version
from camfleet_workbench.tools.asking import AskableModel, askable
from camfleet_workbench.tools.convert import convert
from camfleet_workbench.tools.located import LocatedModel, locate
from camfleet_workbench.tools.tflite_repairs import cut_detection, repair_axes
from cli_runs import CommandLine
from direct_inference import MODELS, load_direct, read_picture

pytestmark = pytest.mark.long

FASTESTDET = {
    "onnx": "FastestDet.onnx",
    "SavedModel": "saved_model",
    "frozen graph": "fastestdet_frozen.pb",
    "TFLite": "FastestDet_float32.tflite",
}


@pytest.fixture
def camfleet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    return CommandLine(tmp_path / "fleet", monkeypatch, capsys)


def labels_in(model: AskableModel, image: Path, confidence: float) -> list[str]:
    return sorted(model.detect(read_picture(image), confidence).labels)


def converted(source: LocatedModel, folder: Path) -> AskableModel:
    made = convert(source, folder)
    package = locate(command_settings(), str(made))
    return askable(package.path, package.manifest)


@pytest.mark.parametrize("form", FASTESTDET)
def test_every_form_of_one_network_finds_the_same_after_conversion(
    shared_data: Path, tmp_path: Path, camfleet: CommandLine, form: str
) -> None:
    folder = shared_data / "models" / "fastestdet-coco"
    manifest = MODELS["fastestdet-coco"] | {"label_file": "coco.names"}
    is_nhwc = form != "onnx"
    manifest["preprocess"] = manifest["preprocess"] | {"layout": "NHWC" if is_nhwc else "NCHW"}
    work = tmp_path / "fastestdet"
    work.mkdir()
    shutil.copyfile(folder / "coco.names", work / "coco.names")
    (work / FASTESTDET[form]).symlink_to(folder / FASTESTDET[form])
    (work / "model.json").write_text(json.dumps(manifest | {"model_file": FASTESTDET[form]}))
    model = converted(locate(command_settings(), str(work)), tmp_path / "out")
    image = shared_data / "media" / "images" / "dog-bicycle-truck.jpg"
    assert labels_in(model, image, 0.6) == ["bicycle", "car", "dog"]
    assert model.manifest.labels[0] == "person"


def test_detection_postprocessing_is_cut_off_and_done_by_the_decoder(
    shared_data: Path, tmp_path: Path, camfleet: CommandLine
) -> None:
    folder = shared_data / "models" / "ssd-mobilenet-v1-coco-quant"
    work = tmp_path / "ssd"
    work.mkdir()
    for name in ("detect.tflite", "COCO_labels.txt"):
        shutil.copyfile(folder / name, work / name)
    manifest = {
        "label_file": "COCO_labels.txt",
        "preprocess": {"colour": "RGB", "layout": "NHWC"},
        "postprocess": {"decoder": "tflite-detections", "parameters": {"label_offset": 1}},
    }
    (work / "model.json").write_text(json.dumps(manifest))
    model = converted(locate(command_settings(), str(work)), tmp_path / "out")
    image = shared_data / "media" / "images" / "dog-bicycle-truck.jpg"
    by_hand = load_direct(shared_data, "ssd-mobilenet-v1-coco-quant")  # cut beforehand
    found = labels_in(model, image, 0.5)
    assert found == sorted(by_hand.detect(read_picture(image), 0.5).labels)
    assert {"bicycle", "car"} <= set(found)


def test_a_detection_file_without_a_manifest_takes_pictures_as_its_kind_does(
    shared_data: Path, tmp_path: Path, camfleet: CommandLine
) -> None:
    folder = shared_data / "models" / "ssd-mobilenet-v1-coco-quant"
    source = locate(command_settings(), str(folder / "detect.tflite"))
    model = converted(source, tmp_path / "out")
    picture = read_picture(shared_data / "media" / "images" / "dog-bicycle-truck.jpg")
    by_hand = load_direct(shared_data, "ssd-mobilenet-v1-coco-quant").detect(picture, 0.5)
    assert np.abs(model.detect(picture, 0.5).xyxy - by_hand.xyxy).max() < 1


def test_anchors_and_scales_come_out_of_the_file(shared_data: Path) -> None:
    folder = shared_data / "models" / "ssd-mobilenet-v1-coco-quant"
    cut = cut_detection((folder / "detect.tflite").read_bytes())
    assert cut is not None
    parameters = cut.postprocess["parameters"]
    anchors = np.load(folder / "ssd_mnv1_raw.anchors.npy")
    assert np.abs(np.array(parameters["anchors"]) - anchors).max() < 1e-5
    assert parameters["scales"] == [10, 10, 5, 5]
    assert sorted(parameters["quantization"]) == ["Squeeze", "convert_scores"]
    assert cut_detection(cut.content) is None


def test_quantised_axes_outside_their_tensor_are_set_right(
    shared_data: Path, tmp_path: Path, camfleet: CommandLine
) -> None:
    folder = shared_data / "models" / "person-detect-int8"
    source = locate(command_settings(), str(folder / "person_detect.tflite"))
    model = converted(source, tmp_path / "out")
    pixels = (shared_data / "media" / "images" / "tflm_person_int8.bmp").read_bytes()[-96 * 96 :]
    tensor = np.frombuffer(pixels, np.int8).reshape(1, 96, 96, 1)
    scores = next(iter(model.answer(tensor).values())).ravel().astype(np.float32)
    mended = repair_axes((folder / "person_detect.tflite").read_bytes())
    assert mended is not None
    assert repair_axes(mended) is None
    assert scores.shape == (2,)


def test_command_converts_a_version_of_the_volume(
    camfleet: CommandLine, shared_data: Path, tmp_path: Path
) -> None:
    source = shared_data / "models" / "yunet-n" / "yunet_n_320_320.onnx"

    def fill(folder: Path) -> None:
        (folder / "net.onnx").write_bytes(source.read_bytes())
        (folder / "LICENSE").write_text("free")
        (folder / "model.json").write_text('{"id": "me/yunet", "labels": ["face"], "mine": 1}')

    publish_version(camfleet.models, "me/yunet", None, fill)
    outcome = camfleet.run("model", "convert", "me/yunet:1")
    assert outcome.code == 0, outcome.err
    document = json.loads((tmp_path / "me.yunet-ir" / "model.json").read_text())
    assert document == {
        "id": "me/yunet",
        "labels": ["face"],
        "mine": 1,
        "framework_type": "openvino",
        "model_file": "model.xml",
        "trail": {"parent": "me.yunet:1"},
    }
    assert (tmp_path / "me.yunet-ir" / "LICENSE").is_file()
    named = camfleet.run("model", "convert", "me/yunet", "--out", "two words")
    assert "`camfleet model publish 'two words'`" in named.err
    again = camfleet.run("model", "convert", "me/yunet")
    assert (again.code, "is there already" in again.err) == (1, True)


def test_a_package_that_finds_no_room_is_told_in_a_line_and_leaves_nothing(
    camfleet: CommandLine, shared_data: Path, tmp_path: Path
) -> None:
    source = shared_data / "models" / "yunet-n" / "yunet_n_320_320.onnx"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        outcome = camfleet.run("model", "convert", str(source), "--out", "full/net")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (outcome.code, "full: the model could not be written" in outcome.err) == (1, True)
    assert not list((tmp_path / "full").iterdir())


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("net.onnx", b"no model", "net.onnx cannot be converted"),
        ("net.tflite", b"no model", "net.tflite cannot be converted"),
        ("net.caffemodel", b"", "no model file in"),
    ],
)
def test_what_cannot_be_converted_leaves_nothing_behind(
    camfleet: CommandLine, tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    work = tmp_path / "broken"
    work.mkdir()
    (work / name).write_bytes(content)
    outcome = camfleet.run("model", "convert", str(work), "--out", str(tmp_path / "out"))
    assert outcome.code == 1
    assert reason in outcome.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken"]


@pytest.mark.parametrize("reference", ["nope", "nope:3", "a/b/c"])
def test_unknown_models_are_named(camfleet: CommandLine, reference: str) -> None:
    with pytest.raises(CommandError, match=reference):
        locate(command_settings(), reference)
