"""Services of the library against a real model server with real models."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from camfleet import (
    BoundingBox,
    Classification,
    ObjectDetection,
    PoseEstimation,
    ReIdentification,
    SemanticSegmentation,
    close_connections,
)
from camfleet.images import Image
from direct_inference import expected_of
from real_server import model_server, volume_of

DETECTOR, CLASSIFIER = "fastestdet-coco", "mobilenet-v2-imagenet-quant"
POSES, CLASSES, EMBEDDING = "movenet-lightning", "deeplabv3-mnv2-dm05-voc", "mobilenet-v1-embedding"
MODELS = (DETECTOR, CLASSIFIER, POSES, CLASSES, EMBEDDING)


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, repository: Path, shared_data: Path
) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("vision")
    with model_server(volume_of(folder, repository, shared_data, MODELS), MODELS) as (_, at):
        yield at
        close_connections()


def picture(shared_data: Path, name: str) -> Image:
    image = cv2.imread(str(shared_data / "media" / "images" / name))
    assert image is not None
    return np.asarray(image, np.uint8)


def test_objects_are_those_of_the_reference(server: str, shared_data: Path) -> None:
    image = picture(shared_data, "dog-bicycle-truck.jpg")
    detector = ObjectDetection(DETECTOR, server=server)
    detector.load()

    results = detector.detect_objects(image, confidence_level=0.5, overlap_threshold=0.3)

    expected = expected_of(shared_data, DETECTOR)["images"]["dog-bicycle-truck.jpg"]["results"]
    assert [one.label for one in results.predictions] == [one["label"] for one in expected]
    for found, true in zip(results.predictions, expected, strict=True):
        assert found.confidence == pytest.approx(true["score"], abs=0.08)
        assert found.box.compute_overlap(BoundingBox(*true["box"])) > 0.85
        assert detector.labels[found.index] == found.label
    assert (results.model_id, results.model_version) == (DETECTOR, 1)
    assert results.duration > 0


def test_a_batch_gives_what_single_images_give(server: str, shared_data: Path) -> None:
    names = ("dog-bicycle-truck.jpg", "room-4-persons.jpg", "road-cars.jpg")
    images = [picture(shared_data, name) for name in names]
    detector = ObjectDetection(DETECTOR, server=server)
    detector.load()

    batch = detector.detect_objects_batch(images, 0.5, 0.3)

    single = [detector.detect_objects(image, 0.5, 0.3) for image in images]
    assert [one.predictions for one in batch] == [one.predictions for one in single]


def test_overlap_threshold_decides_which_boxes_stay(server: str, shared_data: Path) -> None:
    image = picture(shared_data, "room-4-persons.jpg")
    detector = ObjectDetection(DETECTOR, server=server)
    detector.load()

    strict = detector.detect_objects(image, 0.3, 0.05).predictions
    lenient = detector.detect_objects(image, 0.3, 0.95).predictions

    assert 0 < len(strict) < len(lenient)


def test_classes_are_those_of_the_reference(server: str, shared_data: Path) -> None:
    classifier = Classification(CLASSIFIER, server=server)
    classifier.load()

    results = classifier.classify_image(picture(shared_data, "cat.bmp"), confidence_level=0.05)

    labels = [one.label for one in results.predictions]
    assert labels == ["Egyptian cat", "tabby, tabby cat"]
    assert results.predictions[0].confidence == pytest.approx(0.8275, abs=0.1)  # scaled otherwise


def test_pose_has_its_points_under_edgeiq_names(server: str, shared_data: Path) -> None:
    image = picture(shared_data, "squat.bmp")
    poses = PoseEstimation(POSES, server=server)
    poses.load()

    (pose,) = poses.estimate(image, key_point_confidence=0).poses

    expected = expected_of(shared_data, POSES)["images"]["squat.bmp"]["results"]
    for true in expected:
        place = pose.key_points[true["keypoint"].replace("_", " ").title()]
        assert place == pytest.approx((true["x"], true["y"]), abs=12)
    left, right = pose.key_points["Left Shoulder"], pose.key_points["Right Shoulder"]
    assert pose.key_points["Neck"] == ((left.x + right.x) // 2, (left.y + right.y) // 2)
    assert pose.key_points["Nose"].x == pose.key_points["Nose"][0]


def test_poses_are_drawn_on_the_image_and_alone(server: str, shared_data: Path) -> None:
    image = picture(shared_data, "squat.bmp")
    poses = PoseEstimation(POSES, server=server)
    poses.load()
    results = poses.estimate(image)

    drawn, alone = results.draw_poses(image), results.draw_poses_background((9, 9, 9))

    assert drawn.shape == alone.shape == image.shape
    changed = (drawn != image).any(axis=2)
    assert 0.001 < changed.mean() < 0.2
    lit = (alone != 9).any(axis=2)
    assert (lit & changed).sum() > 0.9 * changed.sum()


def test_a_point_that_is_not_sure_is_nowhere(server: str, shared_data: Path) -> None:
    poses = PoseEstimation(POSES, server=server)
    poses.load()

    (pose,) = poses.estimate(picture(shared_data, "squat.bmp"), key_point_confidence=0.999).poses

    assert set(pose.key_points.values()) == {(-1, -1)}
    assert not list(pose.limbs())


def test_class_map_covers_the_image_as_the_reference_does(server: str, shared_data: Path) -> None:
    image = picture(shared_data, "pets-2-dogs.jpg")
    segments = SemanticSegmentation(CLASSES, server=server)
    segments.load()

    results = segments.segment_image(image)

    assert results.class_map.shape == image.shape[:2]
    dog = segments.labels.index("dog")
    expected = expected_of(shared_data, CLASSES)["images"]["pets-2-dogs.jpg"]["class_fractions"]
    assert (results.class_map == dog).mean() == pytest.approx(expected["dog"], abs=0.02)


def test_mask_and_legend_have_the_colours_of_the_service(server: str, shared_data: Path) -> None:
    segments = SemanticSegmentation(CLASSES, server=server)
    segments.load()
    colours = np.zeros((len(segments.labels), 3), np.uint8)
    colours[segments.labels.index("dog")] = (10, 20, 30)
    segments.colors = colours
    class_map = segments.segment_image(picture(shared_data, "pets-2-dogs.jpg")).class_map

    mask, legend = segments.build_image_mask(class_map), segments.build_legend()

    assert mask.shape == (*class_map.shape, 3)
    assert {tuple(pixel) for pixel in np.unique(mask.reshape(-1, 3), axis=0).tolist()} == {
        (0, 0, 0),
        (10, 20, 30),
    }
    assert "rgb(30,20,10)" in legend
    assert "<td>dog</td>" in legend


def test_an_identity_keeps_as_many_pictures_as_it_may(server: str, shared_data: Path) -> None:
    identities = ReIdentification(EMBEDDING, server=server)
    identities.load()
    identities.set_per_id_gallery_limit(2, "drop_oldest")
    for name in ("pets-2-dogs.jpg", "cat.bmp", "cat.bmp"):
        identities.add_to_gallery(picture(shared_data, name), 7)

    assert identities.gallery.counts() == {7: 2}


def test_an_identity_is_known_again(server: str, shared_data: Path) -> None:
    identities = ReIdentification(EMBEDDING, server=server)
    identities.load()
    cat, dogs = picture(shared_data, "cat.bmp"), picture(shared_data, "pets-2-dogs.jpg")
    identities.add_to_gallery(cat, 7)
    identities.add_to_gallery(dogs, "dogs")

    results = identities.re_id_image(np.ascontiguousarray(cat[:, ::-1]))

    assert [one.id for one in results.predictions] == [7, "dogs"]
    assert results.predictions[0].confidence > results.predictions[1].confidence
    assert results.features is not None
    assert np.linalg.norm(results.features) == pytest.approx(1, abs=1e-3)


def test_a_model_of_another_purpose_is_refused_by_the_service_that_fits(server: str) -> None:
    with pytest.raises(Exception, match=f"use PoseEstimation\\('{POSES}'\\)"):
        ObjectDetection(POSES, server=server).load()
