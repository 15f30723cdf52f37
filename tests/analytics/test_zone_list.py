"""Zones of zone_config.json."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from camfleet.errors import BadArgument
from camfleet.object_trackers.centroid import CentroidTracker
from camfleet.results.boxes import BoundingBox
from camfleet.results.detection import ObjectDetectionResults
from camfleet.zone_list.config import load_zones_from_config
from camfleet.zone_list.errors import BadZones, UnknownZone
from camfleet.zone_list.zone import (
    ZoneType,
    convert_polygon_to_box_zone,
    create_bounding_box_from_zone,
    create_zone_from_bounding_box,
)
from camfleet.zone_list.zone_list import ZoneList
from moving import seen

LEFT = {
    "description": "",
    "zone_type": "Polygon",
    "vector": [[0, 0], [400, 0], [300, 600], [0, 600]],
}
RIGHT = {"id": 17, "zone_type": "polygon", "vector": [[400, 0], [800, 0], [800, 600], [300, 600]]}
SIZE = {"width": 800, "height": 600}
CONFIG = {"dimensions": SIZE, "zones": [{"Zone A": LEFT}, {"door": RIGHT}]}


def write(folder: Path, document: Any) -> Path:
    path = folder / "zone_config.json"
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def zones(tmp_path: Path) -> ZoneList:
    return ZoneList(str(write(tmp_path, CONFIG)))


def test_zones_of_both_versions_of_the_file_are_read(zones: ZoneList, tmp_path: Path) -> None:
    assert zones.get_zone_names() == ["Zone A", "door"]
    assert zones.get_zone("door").zone_type is ZoneType.POLYGON
    again = ZoneList.from_config_file(tmp_path / "zone_config.json")
    assert again.zones == zones.zones
    assert again.zone_names == zones.get_zone_names()


def test_object_is_where_it_stands(zones: ZoneList) -> None:
    leaning = seen(390, 580)  # its middle is right of the slanting border, its feet too
    standing = seen(330, 300, size=100)  # its middle is in Zone A, its feet at 350 are, too
    assert [zone.name for zone in zones.get_zones_for_prediction(leaning)] == ["door"]
    assert [zone.name for zone in zones.get_zones_for_prediction(standing)] == ["Zone A"]
    assert zones.get_zones_for_prediction(seen(400, 700)) == []
    assert zones.get_zone("door").check_prediction_within_zone(leaning)


def test_results_of_a_zone_keep_their_form(zones: ZoneList) -> None:
    both = [seen(100, 100), seen(700, 100)]
    results = ObjectDetectionResults(both, 0.1, "alwaysai/mobilenet_ssd")
    narrowed = zones.get_results_for_zone(results, "door")
    assert (narrowed.predictions, narrowed.model_id) == ([both[1]], "alwaysai/mobilenet_ssd")
    assert len(results.predictions) == 2
    objects = CentroidTracker(min_inertia=1).update(both)
    tracked = zones.get_zone("door").get_results_for_zone(objects)
    assert (list(tracked), tracked.tracking_algorithm) == ([1], "CentroidTracker")
    assert zones.filter_results_by_zone(both) == {"Zone A": [both[0]], "door": [both[1]]}
    with pytest.raises(TypeError, match="int has no predictions"):
        zones.get_results_for_zone(3, "door")


def test_zones_are_converted_to_the_size_of_the_images(zones: ZoneList) -> None:
    half = ZoneList(zones=zones.zones, image_width=400, image_height=300)
    assert half.get_zone("Zone A").vector == ((0, 0), (200, 0), (150, 300), (0, 300))
    assert [zone.name for zone in half.get_zones_for_prediction(seen(350, 50))] == ["door"]


def test_zones_say_what_they_are(zones: ZoneList) -> None:
    sized = ZoneList(zones=zones.zones, image_width=400, image_height=300)
    assert repr(sized) == "ZoneList(['Zone A', 'door'], 400x300)"
    assert repr(zones) == "ZoneList(['Zone A', 'door'])"


def test_zone_becomes_a_box_and_a_box_a_zone(zones: ZoneList) -> None:
    zone = zones.get_zone("door")
    box = create_bounding_box_from_zone(zone)
    assert box == BoundingBox(300, 0, 800, 600)
    boxed = convert_polygon_to_box_zone(zone)
    assert (boxed.zone_type, boxed.name) == (ZoneType.BOX, "door")
    assert create_bounding_box_from_zone(boxed) == box
    made = create_zone_from_bounding_box(BoundingBox(1, 2, 30, 40), 800, 600, "corner")
    assert made.check_object_detection_prediction_within_zone(seen(15, 20, size=10))


def test_box_may_have_two_corners_and_its_name_inside(tmp_path: Path) -> None:
    entry = {"name": "gate", "zone_type": "box", "vector": [[10, 20], [110, 220]]}
    path = write(tmp_path, {"dimensions": SIZE, "zones": [entry]})
    (zone,) = load_zones_from_config(path)
    assert create_bounding_box_from_zone(zone) == BoundingBox(10, 20, 110, 220)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"zones": []}, "'dimensions' is missing"),
        ({"dimensions": SIZE}, "'zones' is missing"),
        ({"dimensions": SIZE, "zones": [{"a": {"vector": [[1, 2]]}}]}, "zone 'a': 1 corners"),
        ({"dimensions": SIZE, "zones": [{"a": {"vector": [1, 2]}}]}, "zone 'a': vector must be"),
        ({"dimensions": SIZE, "zones": [{"a": LEFT | {"zone_type": "star"}}]}, "'star' is unknown"),
        ({"dimensions": SIZE, "zones": [{"a": LEFT}, {"a": LEFT}]}, "two zones are called 'a'"),
        ({"dimensions": SIZE, "zones": ["a"]}, "zone 'a': expected"),
        ({"dimensions": {"width": 0, "height": 3}, "zones": [{"a": LEFT}]}, "image is 0x3"),
        ([], "expected"),
    ],
)
def test_bad_file_is_named_with_zone_and_reason(tmp_path: Path, document: Any, reason: str) -> None:
    with pytest.raises(BadZones, match=rf"zone_config\.json: .*{reason}"):
        ZoneList(write(tmp_path, document))


def test_absent_file_and_unknown_zone_are_named(zones: ZoneList, tmp_path: Path) -> None:
    with pytest.raises(BadZones, match=r"nowhere\.json: No such file"):
        ZoneList(tmp_path / "nowhere.json")
    with pytest.raises(UnknownZone, match=r"^no zone 'Door'; there are: Zone A, door$"):
        zones.get_zone("Door")
    with pytest.raises(BadArgument, match="give either"):
        ZoneList()


def test_zones_are_drawn_fitted_to_the_image_and_leave_it_alone(zones: ZoneList) -> None:
    image = np.zeros((300, 400, 3), np.uint8)
    filled = zones.markup_image_with_zones(
        image, ["door"], show_labels=False, show_boundaries=False, fill_zones=True,
        color=(0, 200, 0), alpha=0.5,
    )  # fmt: skip
    assert filled[150, 300].tolist() == [0, 100, 0]
    assert not filled[150, 50].any()
    assert not image.any()
    marked = zones.markup_image_with_zones(image)
    assert marked[:, 100].any()
    assert marked[150, 300].any()  # its name
    with pytest.raises(UnknownZone):
        zones.markup_image_with_zones(image, ["nowhere"])
    with pytest.raises(BadArgument, match="alpha is 2"):
        zones.markup_image_with_zones(image, alpha=2)
