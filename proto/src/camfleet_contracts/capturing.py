"""How capture is to read one camera: the section `capture` of cameras.yaml."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from camfleet_contracts.faults import written_as


def _shape_of(mask: object) -> str:
    first = mask[0] if isinstance(mask, (list, tuple)) and mask else None
    return "rectangle" if isinstance(first, (int, float)) else "polygon"


_SIZE = r"^[1-9]\d{1,3}x[1-9]\d{1,3}$"
Share = Annotated[float, Field(ge=0, le=1)]
Rectangle = tuple[Share, Share, Share, Share]
Polygon = Annotated[tuple[tuple[Share, Share], ...], Field(min_length=3)]
Mask = Annotated[
    Annotated[Rectangle, Tag("rectangle")] | Annotated[Polygon, Tag("polygon")],
    Discriminator(_shape_of),
]
_Size = Annotated[str, Field(pattern=_SIZE), written_as(_SIZE, "WIDTHxHEIGHT, such as 1280x720")]


class Capturing(BaseModel):
    """What is asked of a camera, and what is done to its pictures before anybody sees them.

    Coordinates of masks are relative (0..1) to the picture as it is shown, after the rotation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: _Size | None = Field(
        None,
        description="WIDTHxHEIGHT to ask a device for; it gives what it has next to it",
    )
    frame_rate: float | None = Field(
        None, gt=0, le=240, description="pictures a second to ask a device for"
    )
    rotation: Literal[0, 90, 180, 270] = Field(0, description="degrees, clockwise; needs encoding")
    masks: tuple[Mask, ...] = Field(
        (), description="blacked out: [x1, y1, x2, y2] or at least three points; needs encoding"
    )
    loop: bool = Field(True, description="show a file or folder again when it ends")
    real_time: bool = Field(
        True,
        description="false: send a file or folder as fast as all its readers take it; it waits for"
        " them, and analytics looks at every picture that `fps` asks for",
    )

    @property
    def alters(self) -> bool:
        """Whether nobody may see the pictures as the camera gives them."""
        return bool(self.rotation or self.masks)

    @property
    def width_height(self) -> tuple[int, int] | None:
        """The wanted size."""
        if self.size is None:
            return None
        width, height = map(int, self.size.split("x"))
        return width, height

    @property
    def polygons(self) -> tuple[tuple[tuple[float, float], ...], ...]:
        """The masks, rectangles too, as polygons."""
        return tuple(_polygon(mask) for mask in self.masks)


class Recording(BaseModel):
    """How much of a camera is kept on the disk; the oldest pictures go first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size_bytes: int = Field(
        2_000_000_000, ge=1_000_000, description="of all files of the camera together"
    )
    segment_s: float = Field(60, ge=1, le=3600, description="length of one file, in seconds")


def _polygon(mask: Rectangle | Polygon) -> tuple[tuple[float, float], ...]:
    first = mask[0]
    if isinstance(first, tuple):
        return tuple((point[0], point[1]) for point in mask if isinstance(point, tuple))
    left, top, right, bottom = (float(value) for value in mask if not isinstance(value, tuple))
    return (left, top), (right, top), (right, bottom), (left, bottom)
