"""Ready-made pictures of movers for every phase, direction and size, and how they enter a frame."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from camfleet_capture.demo.byte_bound_cache import ByteBoundCache
from camfleet_capture.demo.canvas import Canvas, View, hull, pixels
from camfleet_capture.demo.cars import Stand, draw_car, model
from camfleet_capture.demo.lens import LENS, Point2
from camfleet_capture.demo.people import FRAMES, cyclist, outfit, walker
from camfleet_capture.demo.plan import CAR_LANE, CAR_OVERHANG_M, lane_x

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from numpy.typing import NDArray

SCALE_STEP = 1.045
DRAWN_SCALE = 50.0  # pixels per metre in which figures are drawn before they are made smaller
YAWS = 16
ELEVATION_STEP = 0.12
SHADOW_DARK = 96  # of 256
SHADOW_LEAN = (0.62, -0.2)  # where the shadow of a height of 1 falls: right, up in the picture
PEOPLE, CYCLISTS, CARS = 18, 9, 12  # how many different ones there are
BOXES_KEPT = 8192

Box = tuple[float, float, float]  # left, top, right of what is visible, in metres from the anchor


@dataclass(frozen=True, slots=True)
class Sprite:
    """Pixels of a mover around its anchor, the pixel where it touches the ground."""

    colour: NDArray[np.uint16]  # (h, w, 3), multiplied by alpha
    behind: NDArray[np.uint16]  # (h, w, 1), 256 - alpha
    offset: tuple[int, int]  # left, top
    shadow: NDArray[np.uint16]  # (h, w, 1), darkness of 256
    shadow_offset: tuple[int, int]
    box: Box

    @property
    def size_bytes(self) -> int:
        """Bytes of all its pixels."""
        return self.colour.nbytes + self.behind.nbytes + self.shadow.nbytes


@dataclass(frozen=True, slots=True)
class _PackedDrawing:
    """A drawing in a fifteenth of its bytes; a tenth of the time of drawing it unpacks it."""

    packed: bytes
    size: tuple[int, int]

    def unpacked(self) -> Image.Image:
        return Image.frombytes("RGBa", self.size, zlib.decompress(self.packed))


def _pack(drawing: Image.Image) -> _PackedDrawing:
    return _PackedDrawing(zlib.compress(drawing.tobytes(), 1), drawing.size)


# Sprites come back within seconds or, for their size, hardly ever; drawings come back for hours.
SPRITES: ByteBoundCache[Sprite] = ByteBoundCache(6_000_000, lambda sprite: sprite.size_bytes)
DRAWINGS: ByteBoundCache[_PackedDrawing] = ByteBoundCache(
    24_000_000, lambda drawing: len(drawing.packed)
)


def _drawing(key: Hashable, draw: Callable[[], Image.Image]) -> Image.Image:
    return DRAWINGS.get(key, lambda: _pack(draw())).unpacked()


def scale_step(scale: float) -> int:
    """The number of the ready-made size that is nearest to a scale."""
    return round(math.log(scale) / math.log(SCALE_STEP))


class FigureView(NamedTuple):
    """A person or a cyclist as seen from somewhere; turn is (yaw, elevation) in their steps."""

    kind: str
    look: int
    phase: int
    turn: tuple[int, int]
    step: int


class CarView(NamedTuple):
    """A car in its lane, seen from the front or from behind."""

    look: int
    nose_near: bool
    step: int


def sprite_of(view: FigureView | CarView) -> Sprite:
    """The ready-made picture; made now if it is not held."""
    return SPRITES.get(view, lambda: _made(view))


@lru_cache(maxsize=BOXES_KEPT)
def box_of(view: FigureView | CarView) -> Box:
    """The visible box of a sprite, held for longer than its pixels: truth needs no more."""
    return sprite_of(view).box


def _made(view: FigureView | CarView) -> Sprite:
    if isinstance(view, CarView):
        return _car_sprite(view.look, view.nose_near, view.step)
    return _figure_sprite(view)


def _draw_figure(figure: FigureView) -> Image.Image:
    kind, look, phase, (yaw, elevation), _ = figure
    view = View(yaw * math.tau / YAWS, elevation * ELEVATION_STEP)
    if kind == "person":
        return walker(outfit(look), phase).drawn(view, DRAWN_SCALE)
    return cyclist(outfit(1000 + look), phase, FRAMES[look % len(FRAMES)]).drawn(view, DRAWN_SCALE)


def _figure_sprite(figure: FigureView) -> Sprite:
    scale = SCALE_STEP**figure.step
    drawn = _drawing(figure[:-1], lambda: _draw_figure(figure))
    below = round((0.35 if figure.kind == "person" else 0.6) * DRAWN_SCALE)
    factor = scale / DRAWN_SCALE
    size = max(round(drawn.width * factor), 1), max(round(drawn.height * factor), 1)
    image = drawn.resize(size, Image.Resampling.BOX if factor < 1 else Image.Resampling.BILINEAR)
    anchor = round(size[0] / 2), round((drawn.height - below) * factor)
    return _sprite(image, anchor, scale, _lying_shadow(image, anchor))


def _car_sprite(look: int, nose_near: bool, step: int) -> Sprite:
    x = lane_x(-CAR_LANE if nose_near else CAR_LANE)
    scale = SCALE_STEP**step
    contact_z = LENS.focal / scale
    car = model(look)
    stand = Stand(x, contact_z - CAR_OVERHANG_M, nose_near, car.length_m)
    anchor_x, anchor_y = LENS.to_picture((x, 0.0, contact_z))
    anchor = round(anchor_x), round(anchor_y)
    left, top, right, bottom = _frame_of(stand, scale)

    def draw() -> Image.Image:
        canvas = Canvas(right - left, bottom - top, 3)
        draw_car(canvas, car, stand, (left, top))
        return canvas.finished()

    image = _drawing(("car", look, nose_near, step), draw)
    shadow = _car_shadow(stand, anchor, scale)
    return _sprite(image, (anchor[0] - left, anchor[1] - top), scale, shadow)


def _frame_of(stand: Stand, scale: float) -> tuple[int, int, int, int]:
    """The part of the picture that a car may need."""
    ends = [stand.seen((x, h, y)) for x in (-1, 1) for h in (0, 2.1) for y in (0, stand.length_m)]
    across, down = [x for x, _ in ends], [y for _, y in ends]
    return (
        math.floor(min(across)),
        math.floor(min(down)),
        math.ceil(max(across)) + 1,
        math.ceil(max(down) + 0.1 * scale),
    )


def _sprite(
    image: Image.Image,
    anchor: tuple[int, int],
    scale: float,
    shadow: tuple[NDArray[np.uint16], tuple[int, int]],
) -> Sprite:
    picture = pixels(image)
    left, top, right, bottom = image.getbbox() or (0, 0, 1, 1)
    solid = picture[top:bottom, left:right, 3] > 96  # noqa: PLR2004 - what an eye takes for the thing
    columns, rows = np.flatnonzero(solid.any(axis=0)), np.flatnonzero(solid.any(axis=1))
    box = (
        (left + columns[0] - anchor[0]) / scale,
        (top + rows[0] - anchor[1]) / scale,
        (left + columns[-1] + 1 - anchor[0]) / scale,
    )
    cut = picture[top:bottom, left:right].astype(np.uint16)
    return Sprite(
        colour=np.ascontiguousarray(cut[..., :3]),
        behind=np.ascontiguousarray(256 - cut[..., 3:]),
        offset=(left - anchor[0], top - anchor[1]),
        shadow=shadow[0],
        shadow_offset=shadow[1],
        box=(float(box[0]), float(box[1]), float(box[2])),
    )


def _lying_shadow(
    image: Image.Image, anchor: tuple[int, int]
) -> tuple[NDArray[np.uint16], tuple[int, int]]:
    """The silhouette, laid on the ground away from the sun."""
    lean, rise = SHADOW_LEAN
    height = anchor[1]
    size = max(round(image.width + height * lean), 1), max(round(height * -rise) + 4, 1)
    # From a pixel of the shadow back to the pixel of the silhouette that casts it.
    up = 1 / -rise
    foot = size[1] - 2
    data = (1, lean * up, -lean * up * foot, 0, up, anchor[1] - up * foot)
    alpha = image.getchannel("a")
    lying = alpha.transform(size, Image.Transform.AFFINE, data, Image.Resampling.BILINEAR)
    soft = lying.filter(ImageFilter.BoxBlur(0.6))
    return _darkness(soft), (-anchor[0], -foot)


def _darkness(alpha: Image.Image) -> NDArray[np.uint16]:
    dark = np.asarray(alpha, dtype=np.uint16) * SHADOW_DARK >> 8
    return np.ascontiguousarray(dark[..., None])


def _car_shadow(
    stand: Stand, anchor: tuple[int, int], scale: float
) -> tuple[NDArray[np.uint16], tuple[int, int]]:
    """The footprint and the footprint of the roof, moved away from the sun."""
    outline: list[Point2] = []
    for height, inset in ((0.2, 0.0), (0.9, 0.0), (1.4, 0.3)):
        for side in (-0.88 + inset, 0.88 - inset):
            for along in (inset * 1.5, stand.length_m - inset * 1.5):
                x = stand.x + side + height * 0.75
                outline.append(LENS.to_picture((x, 0.0, stand.z + along + height * 0.35)))
    left, top = (
        math.floor(min(p[0] for p in outline)) - 2,
        math.floor(min(p[1] for p in outline)) - 2,
    )
    width = math.ceil(max(p[0] for p in outline)) + 2 - left
    height_px = math.ceil(max(p[1] for p in outline)) + 2 - top
    canvas = Canvas(width, height_px, 2)
    canvas.fill([(x - left, y - top) for x, y in hull(outline)], (0, 0, 0))
    soft = canvas.finished().getchannel("a").filter(ImageFilter.BoxBlur(max(scale * 0.03, 0.5)))
    return _darkness(soft), (left - anchor[0], top - anchor[1])
