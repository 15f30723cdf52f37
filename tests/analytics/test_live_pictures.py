"""Motion JPEG with burnt-in boxes: only while somebody looks, at most ten a second."""

import asyncio
import re
from importlib.resources import files
from typing import Any

import av
import numpy as np
import pytest

from camfleet.service.live.colours import PALETTE_RGB, colour_of
from camfleet.service.live.drawing import boxes_of
from camfleet.service.live.pictures import PictureBoard
from fakes_live import ClipPlan, make_frame
from fakes_page import tracking_result

PLAN = ClipPlan()


def result_of(number: int) -> dict[str, Any]:
    return tracking_result("door", number, number / 15, PLAN)


def decode_jpeg(jpeg: bytes) -> "np.ndarray[Any, Any]":
    decoder = av.CodecContext.create("mjpeg", "r")
    (frame,) = decoder.decode(av.Packet(jpeg))
    assert isinstance(frame, av.VideoFrame)
    return frame.to_ndarray(format="rgb24")


def test_nothing_is_encoded_while_nobody_looks() -> None:
    board = PictureBoard()
    board.post(make_frame(0), result_of(0))
    assert not board.is_due
    assert board.encoded == 0


def test_the_picture_carries_the_box() -> None:
    async def look() -> bytes | None:
        board = PictureBoard()
        watcher = board.watch(asyncio.get_running_loop())
        board.post(make_frame(30), result_of(30))
        return await asyncio.wait_for(watcher.take(), 60)

    image = decode_jpeg(asyncio.run(look()) or b"")
    (box,) = boxes_of(result_of(30))
    left, top, right, bottom = (int(edge) for edge in box.corners)
    edge = image[(top + bottom) // 2, left - 1 : left + 2].mean(axis=0)
    assert edge == pytest.approx(np.array(box.colour), abs=45)
    assert image[(top + bottom) // 2, (left + right) // 2].min() > 200


def test_the_picture_carries_mask_and_points_of_a_body() -> None:
    told = result_of(30)
    prediction = told["results"]["objects"][0]["ObjectDetectionPrediction"]
    prediction["outlines"] = [[20, 10, 120, 10, 120, 40, 20, 40], [40, 20, 60, 20, 60, 30, 40, 30]]
    prediction["key_points"] = [[200.0, 30.0, 0.9], [260.0, 30.0, 0.1]]

    async def look() -> bytes | None:
        board = PictureBoard()
        watcher = board.watch(asyncio.get_running_loop())
        board.post(make_frame(30), told)
        return await asyncio.wait_for(watcher.take(), 60)

    image = decode_jpeg(asyncio.run(look()) or b"").astype(int)
    colour, ground = np.array(colour_of("person")), np.array((62, 74, 88))
    assert image[15, 100] == pytest.approx(0.38 * colour + 0.62 * ground, abs=20)  # the mask
    assert image[25, 50] == pytest.approx(ground, abs=20)  # its hole
    assert image[30, 200] == pytest.approx(colour, abs=45)  # a sure point
    assert image[30, 260] == pytest.approx(ground, abs=20)  # one that is not


def test_pictures_come_at_most_ten_a_second() -> None:
    async def post_many() -> int:
        board = PictureBoard()
        board.watch(asyncio.get_running_loop())
        for number in range(5):
            board.post(make_frame(number), None)
        return board.encoded

    assert asyncio.run(post_many()) == 1


def test_a_wide_picture_is_made_smaller() -> None:
    async def look() -> bytes | None:
        board = PictureBoard()
        watcher = board.watch(asyncio.get_running_loop())
        board.post(make_frame(0, size=(1920, 1080)), None)
        return await asyncio.wait_for(watcher.take(), 60)

    assert decode_jpeg(asyncio.run(look()) or b"").shape == (720, 1280, 3)


def test_boxes_of_detections_without_tracks_are_drawn_too() -> None:
    prediction = result_of(0)["results"]["objects"][0]["ObjectDetectionPrediction"]
    (box,) = boxes_of({"results": {"predictions": [prediction]}})
    assert box.text == "person"


def test_page_and_service_use_the_same_colours() -> None:
    script = (files("camfleet") / "page/js/base/colours.js").read_text()
    in_page = re.findall(r'"#([0-9a-f]{6})"', script)
    assert in_page == [bytes(colour).hex() for colour in PALETTE_RGB]


def test_a_label_keeps_its_colour() -> None:
    assert [colour_of(label) for label in ("person", "car")] == [PALETTE_RGB[0], PALETTE_RGB[1]]
