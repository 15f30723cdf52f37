"""What is done to pictures before anybody sees them: turned, and parts blacked out."""

from dataclasses import dataclass, replace

from av.video.frame import VideoFrame

from camfleet_contracts.capturing import Capturing

Polygon = tuple[tuple[float, float], ...]  # corners, relative


@dataclass(frozen=True, slots=True)
class Alteration:
    """How the pictures of one camera are altered."""

    quarter_turns: int = 0  # clockwise
    polygons: tuple[Polygon, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether anything is altered: then the pictures must be encoded."""
        return bool(self.quarter_turns or self.polygons)

    def __str__(self) -> str:
        """Say what is done, for the operator."""
        turned = [f"rotated {self.quarter_turns * 90}"] if self.quarter_turns else []
        return ", ".join([*turned, *(["masked"] if self.polygons else [])])

    def turned(self, quarters: int) -> "Alteration":
        """Return it for pictures that are to be turned before, clockwise."""
        return replace(self, quarter_turns=(self.quarter_turns + quarters) % 4)

    def size_of(self, width: int, height: int) -> tuple[int, int]:
        """Return the size of an altered picture."""
        return (height, width) if self.quarter_turns % 2 else (width, height)

    def apply(self, frame: VideoFrame) -> VideoFrame:
        """Return the altered picture, in even size and 4:2:0, without a time."""
        from camfleet_capture.altering import alter  # noqa: PLC0415 - heavy, rarely used

        return alter(frame, self.quarter_turns, self.polygons)


NOTHING = Alteration()


def alteration_of(capturing: Capturing) -> Alteration:
    """Return what cameras.yaml wants done."""
    return Alteration(capturing.rotation // 90, capturing.polygons)


def quarters_of(frame: VideoFrame) -> int:
    """Return the quarter turns, clockwise, that a picture says show it upright."""
    return -round(frame.rotation / 90) % 4


def upright(frame: VideoFrame) -> VideoFrame:
    """Return the picture turned as it says; phones hold theirs upright and write it beside."""
    turns = quarters_of(frame)
    return Alteration(turns).apply(frame) if turns else frame
