"""Hooks of the library's services: tensors made, and answers read, by the script itself."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from camfleet import (
    BadArgument,
    BoundingBox,
    ObjectDetection,
    ObjectDetectionPostProcessBatchParams,
    ObjectDetectionPostProcessParams,
    ObjectDetectionPrediction,
    ObjectDetectionPreProcessBatchParams,
    ObjectDetectionPreProcessParams,
    PostProcessBatchParams,
    PostProcessParams,
    PreProcessBatchParams,
    PreProcessParams,
    close_connections,
)
from camfleet.images import Image
from fakes_kserve import FakeServer, FakeVersion, one_box, serving

GREY: Image = np.full((64, 96, 3), 90, np.uint8)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with serving(FakeServer({1: one_box("car", 0.25)})) as running:
        yield running
        close_connections()


def test_hooks_stand_in_for_the_manifest(server: FakeServer) -> None:
    server.versions[1] = FakeVersion({"id": "m"}, (1, 2), lambda given: {"sum": given.sum(axis=1)})

    def make(params: PreProcessParams) -> NDArray[Any]:
        return np.array([params.image.shape[:2]], np.float32)

    def read(params: PostProcessParams) -> list[ObjectDetectionPrediction]:
        total = int(params.outputs["sum"][0])
        return [ObjectDetectionPrediction(BoundingBox(0, 0, total, 1), 1.0, "sum", 0)]

    detector = ObjectDetection("m", pre_process=make, post_process=read, server=server.address)
    detector.load()

    (found,) = detector.detect_objects(GREY).predictions
    assert found.box.end_x == 64 + 96


def test_batch_hooks_are_called_once_a_batch(server: FakeServer) -> None:
    shape = (-1, 2)
    server.versions[1] = FakeVersion({"id": "m"}, shape, lambda given: {"sum": given.sum(axis=1)})
    calls: list[int] = []

    def make(params: PreProcessBatchParams) -> NDArray[Any]:
        return np.array([one.image.shape[:2] for one in params], np.float32)

    def read(params: PostProcessBatchParams) -> list[list[ObjectDetectionPrediction]]:
        calls.append(len(params))
        totals = [int(one.outputs["sum"][0]) for one in params]
        return [[ObjectDetectionPrediction(BoundingBox(0, 0, t, 1), 1.0, "sum", 0)] for t in totals]

    detector = ObjectDetection(
        "m", pre_process_batch=make, post_process_batch=read, server=server.address
    )
    detector.load()

    results = detector.detect_objects_batch([GREY, GREY[:10]])

    assert [one.predictions[0].box.end_x for one in results] == [160, 106]
    assert calls == [2]


def sizes_summed(server: FakeServer, shape: tuple[int, ...]) -> None:
    """Its model adds up what it is given, and has two labels."""
    manifest = {"id": "m", "labels": ["lorry", "bus"]}
    server.versions[1] = FakeVersion(manifest, shape, lambda given: {"sum": given.sum(axis=1)})


def test_hooks_of_edgeiq_take_and_return_what_they_do_there(server: FakeServer) -> None:
    sizes_summed(server, (1, 2))
    told: list[Any] = []

    def make(params: ObjectDetectionPreProcessParams) -> NDArray[Any]:
        told.append((params.scalefactor, params.mean, params.swaprb, params.crop))
        return np.array([params.image.shape[:2]], np.float32)

    def read(params: ObjectDetectionPostProcessParams) -> Any:
        told.append((params.image.shape, params.num_classes, params.confidence_level))
        total = int(params.results[0])
        return [BoundingBox(0, 0, total, 1)], [np.float32(0.5)], [np.int64(1)]

    detector = ObjectDetection("m", pre_process=make, post_process=read, server=server.address)
    detector.load()

    (found,) = detector.detect_objects(GREY, 0.25).predictions
    assert found == ObjectDetectionPrediction(BoundingBox(0, 0, 160, 1), 0.5, "bus", 1)
    assert told == [(1.0, (0.0, 0.0, 0.0), False, False), ((64, 96, 3), 2, 0.25)]


def test_batch_hooks_of_edgeiq_return_lists_of_all_images(server: FakeServer) -> None:
    sizes_summed(server, (-1, 2))

    def make(params: ObjectDetectionPreProcessBatchParams) -> NDArray[Any]:
        return np.array([image.shape[:2] for image in params.images], np.float32)

    def read(params: ObjectDetectionPostProcessBatchParams) -> Any:
        boxes = [[BoundingBox(0, 0, int(one[0]), 1)] for one in params.results]
        return boxes, [[0.5]] * len(params.images), [[9]] * len(params.images)

    detector = ObjectDetection(
        "m", pre_process_batch=make, post_process_batch=read, server=server.address
    )
    detector.load()

    for images in ([GREY, GREY[:10]], [GREY, GREY, GREY]):
        results = detector.detect_objects_batch(images)
        found = [one.predictions[0] for one in results]
        assert [one.box.end_x for one in found] == [sum(one.shape[:2]) for one in images]
        assert {one.label for one in found} == {"9"}


def test_a_hook_whose_lists_differ_in_length_is_told(server: FakeServer) -> None:
    detector = ObjectDetection(
        "m", post_process=lambda params: ([], [0.5], []), server=server.address
    )
    detector.load()

    with pytest.raises(BadArgument, match="returned 0 boxes, 1 confidences and 0 indexes"):
        detector.detect_objects(GREY)


def test_a_hook_that_returns_no_tensor_is_told(server: FakeServer) -> None:
    detector = ObjectDetection("m", pre_process=lambda params: 3, server=server.address)  # type: ignore[arg-type,return-value]  # what is refused
    detector.load()

    with pytest.raises((BadArgument, ValueError), match=r"pre_process|arrays"):
        detector.detect_objects(GREY)


def test_what_a_hook_raises_reaches_the_caller(server: FakeServer) -> None:
    def read(params: PostProcessParams) -> list[ObjectDetectionPrediction]:
        raise KeyError("scores")

    detector = ObjectDetection("m", post_process=read, server=server.address)
    detector.load()

    with pytest.raises(KeyError, match="scores"):
        detector.detect_objects(GREY)
