"""Services of the library against a server whose models and answers the test makes."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import grpc
import numpy as np
import pytest
from numpy.typing import NDArray

from camfleet import (
    BadArgument,
    BadImage,
    BoundingBox,
    CamfleetError,
    Classification,
    InferenceError,
    InstanceSegmentation,
    ModelConfig,
    NotLoaded,
    ObjectDetection,
    WrongPurpose,
    close_connections,
)
from camfleet.colours import colour_of
from camfleet.images import Image
from fakes_kserve import FakeServer, FakeVersion, one_box, one_face, serving

GREY: Image = np.full((64, 96, 3), 90, np.uint8)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with serving(FakeServer({1: one_box("car", 0.25)})) as running:
        yield running
        close_connections()


@pytest.fixture
def detector(server: FakeServer) -> ObjectDetection:
    made = ObjectDetection("m", server=server.address)
    made.load()
    return made


def labels(detector: ObjectDetection, image: Image = GREY) -> list[str]:
    return [one.label for one in detector.detect_objects(image).predictions]


def test_box_is_in_pixels_of_the_image(detector: ObjectDetection) -> None:
    (found,) = detector.detect_objects(GREY, confidence_level=0.5).predictions

    assert found.box == BoundingBox(24, 0, 48, 64)
    assert (found.label, found.index) == ("car", 0)
    assert found.confidence == pytest.approx(0.9)


def test_a_model_id_with_a_user_is_asked_for_as_it_is_served(server: FakeServer) -> None:
    with pytest.raises(InferenceError, match=r"model 'alwaysai\.m' is not served by"):
        ObjectDetection("alwaysai/m", server=server.address).load()


def test_a_version_swapped_between_frames_is_read_by_its_own_manifest(
    server: FakeServer, detector: ObjectDetection
) -> None:
    before = labels(detector)
    server.versions[2], server.newest = one_face("face", (40, 20)), 2

    results = detector.detect_objects(GREY)

    assert before == ["car"]
    assert [one.label for one in results.predictions] == ["face"]
    assert results.model_version == 2


def test_a_batch_is_one_request_where_the_model_takes_it(server: FakeServer) -> None:
    def answer(given: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
        row = np.array([0, 0, 0.9, 0.25, 0, 0.5, 1], np.float32)
        return {"out": np.tile(row, (len(given), 1, 1, 1))}

    server.versions[1] = replace(one_box("car", 0.25), shape=(-1, 3, 32, 32), answer=answer)
    detector = ObjectDetection("m", server=server.address)
    detector.load()

    results = detector.detect_objects_batch([GREY, GREY[:32], GREY[:, :48]])

    assert [shape for _, shape in server.received] == [[3, 3, 32, 32]]
    boxes = [one.predictions[0].box.corners() for one in results]
    assert boxes == [(24, 0, 48, 64), (24, 0, 48, 32), (12, 0, 24, 64)]


def test_a_batch_is_several_requests_where_the_model_takes_none(
    server: FakeServer, detector: ObjectDetection
) -> None:
    results = detector.detect_objects_batch([GREY, GREY])

    assert [len(one.predictions) for one in results] == [1, 1]
    assert [shape for _, shape in server.received] == [[1, 3, 32, 32]] * 2
    assert detector.detect_objects_batch([]) == []


def test_a_given_model_config_replaces_what_the_server_says(server: FakeServer) -> None:
    told = ModelConfig.read({**(server.versions[1].manifest or {}), "labels": ["lorry"]})
    detector = ObjectDetection("m", told, server=server.address)
    detector.load()

    assert labels(detector) == ["lorry"]
    assert detector.labels == ["lorry"]


@pytest.mark.parametrize(
    ("image", "text"),
    [
        pytest.param(None, "expected an image, got NoneType", id="none"),
        pytest.param(GREY[:, :, 0], "shape \\(64, 96\\).*COLOR_GRAY2BGR", id="grey"),
        pytest.param(GREY / 255, "is of float64, expected uint8", id="floats"),
        pytest.param(GREY[:0], "is empty", id="empty"),
        pytest.param(np.zeros((4, 4, 4), np.uint8), "shape \\(4, 4, 4\\)", id="four-channels"),
    ],
)
def test_what_is_no_image_is_refused(detector: ObjectDetection, image: Any, text: str) -> None:
    with pytest.raises(BadImage, match=text):
        detector.detect_objects(image)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 999, 3), (777, 3, 3)], ids=str)
def test_odd_sizes_are_images(detector: ObjectDetection, shape: tuple[int, ...]) -> None:
    assert labels(detector, np.zeros(shape, np.uint8)) == ["car"]


def test_a_view_of_an_image_is_an_image(detector: ObjectDetection) -> None:
    assert labels(detector, GREY[::2, ::-1]) == ["car"]


@pytest.mark.parametrize("name", ["confidence_level", "overlap_threshold"])
@pytest.mark.parametrize("value", [50, "0.5", None], ids=repr)
def test_a_share_that_is_none_is_refused(detector: ObjectDetection, name: str, value: Any) -> None:
    with pytest.raises(BadArgument, match=f"{name} is {value!r}, expected 0 to 1"):
        detector.detect_objects(GREY, **{name: value})


def test_asking_before_load_is_refused() -> None:
    with pytest.raises(NotLoaded, match=r"ObjectDetection\('m'\) is not loaded; call its load\(\)"):
        ObjectDetection("m").detect_objects(GREY)


def test_what_is_said_of_a_model_is_known_before_it_is_loaded(server: FakeServer) -> None:
    detector = ObjectDetection("m", server=server.address)

    assert detector.labels == list((server.versions[1].manifest or {})["labels"])
    assert detector.model_config.dnn_support
    assert "not loaded" in repr(detector)
    with pytest.raises(NotLoaded):
        detector.detect_objects(GREY)
    with pytest.raises(InferenceError, match="'nowhere'"):
        _ = ObjectDetection("nowhere", server=server.address).model_config


@pytest.mark.parametrize("model_id", ["a b", "", "m:0", "m:x", "../etc", None])
def test_an_id_that_is_none_is_refused(model_id: Any) -> None:
    with pytest.raises(BadArgument, match="ObjectDetection: model"):
        ObjectDetection(model_id)


def test_a_model_for_another_service_is_refused(server: FakeServer) -> None:
    with pytest.raises(WrongPurpose, match=r"not for Classification; use ObjectDetection\('m'\)"):
        Classification("m", server=server.address).load()


def test_a_server_gone_in_the_middle_says_what_next() -> None:
    with serving(FakeServer({1: one_box("car", 0.25)})) as running:
        detector = ObjectDetection("m", server=running.address)
        detector.load()
    with pytest.raises(InferenceError, match=r"does not answer; start it .*or name another one"):
        detector.detect_objects(GREY)
    close_connections()


def test_a_service_must_be_loaded_again_after_connections_were_closed(server: FakeServer) -> None:
    detector = ObjectDetection("m", server=server.address)
    detector.load()
    close_connections()

    with pytest.raises(NotLoaded):
        detector.detect_objects(GREY)
    detector.load()
    detector.detect_objects(GREY)


@pytest.mark.parametrize("text", ["Deadline Exceeded", "Stream removed (Deadline Exceeded)"])
def test_a_wait_that_no_server_ended_is_silence(
    server: FakeServer, detector: ObjectDetection, text: str
) -> None:
    server.refusal = (grpc.StatusCode.DEADLINE_EXCEEDED, text)

    with pytest.raises(InferenceError, match="does not answer in time; it hangs"):
        detector.detect_objects(GREY)


def test_a_decoder_that_is_none_is_told_with_those_there_are(server: FakeServer) -> None:
    given = {"postprocess": {"decoder": "yolo99"}}
    detector = ObjectDetection("m", model_config=given, server=server.address)

    with pytest.raises(InferenceError, match=r"'yolo99' does not exist; use one of: .*yolov8"):
        detector.load()


def test_a_wrong_key_says_where_to_look(server: FakeServer, detector: ObjectDetection) -> None:
    server.refusal = (grpc.StatusCode.UNAUTHENTICATED, "no such key")

    with pytest.raises(InferenceError, match="refused our key; run `camfleet key list` there"):
        detector.detect_objects(GREY)


def test_the_environments_key_is_presented(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMFLEET_API_KEY", "s3cret")
    ObjectDetection("m", server=server.address).load()

    assert set(server.keys) == {"Bearer s3cret"}


@pytest.mark.parametrize(
    ("decoder", "table"),
    [
        ("yolov8", [[[16], [16], [32], [16], [0.8], [1]]]),  # centre, size, score, coefficient
        ("yolov10", [[[0, 8, 32, 24, 0.8, 0, 1]]]),  # corners, score, class, coefficient
    ],
)
def test_instances_have_masks_of_the_images_size(
    server: FakeServer, decoder: str, table: list[Any]
) -> None:
    prototype = np.full((1, 1, 8, 8), 9.0, np.float32)
    prototype[:, :, :, :2] = -9.0  # the left quarter is not of the object
    manifest = {
        "id": "m",
        "labels": ["cat"],
        "preprocess": {"layout": "NCHW"},
        "postprocess": {"decoder": decoder},
    }
    answer = {"boxes": np.array(table, np.float32), "prototypes": prototype}
    server.versions[1] = FakeVersion(manifest, (1, 3, 32, 32), lambda _: answer)
    instances = InstanceSegmentation("m", server=server.address)
    instances.load()

    (found,) = instances.segment_image(GREY).predictions

    assert found.box == BoundingBox(0, 16, 96, 48)
    assert found.mask.shape == GREY.shape[:2]
    assert found.mask.mean() == pytest.approx(0.75 * 0.5, abs=0.02)
    drawn = instances.markup_image(GREY, [found])
    assert (drawn[found.mask] != 90).any(axis=1).mean() > 0.9
    assert (drawn[50:] == 90).all()


def test_a_detector_without_masks_is_no_instance_segmentation(server: FakeServer) -> None:
    with pytest.raises(CamfleetError, match=r"use ObjectDetection\('m'\)"):
        InstanceSegmentation("m", server=server.address).load()


def test_colours_are_those_of_the_models_colours_file_where_it_has_one() -> None:
    told = {"labels": ["cat", "dog"], "label_colors": [[1, 2, 3]]}
    colors = ModelConfig.read(told).colors
    assert colors[0].tolist() == [1, 2, 3]
    assert colors[1].tolist() == list(colour_of(1))
    assert colors.dtype == np.uint8
    assert ModelConfig.read({}).colors.shape == (0, 3)


def test_colours_are_one_a_label_and_may_be_set(detector: ObjectDetection) -> None:
    assert detector.colors.shape == (1, 3)
    detector.colors = [[1, 2, 3]]
    assert detector.colors.tolist() == [[1, 2, 3]]
    with pytest.raises(BadArgument, match=r"colors has shape \(2, 3\), expected \(1, 3\)"):
        detector.colors = [[1, 2, 3], [4, 5, 6]]
