"""From looks at a camera's pictures to a word about them."""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from camfleet_capture.pictures.look import Look

PictureName = Literal["clear", "black", "covered", "frozen", "damaged"]

# Measured on the clips of the tests: the darkest night-like picture has a cell of 6; the softest
# daylight one has 1.3 times as much detail as contrast, a defocused one at most 0.3 times.
BLACK_BELOW = 4.0
FLAT_CONTRAST, FLAT_DETAIL, FLAT_ABOVE = 3.0, 4.0, 40.0
DETAIL_OF_CONTRAST = 0.6
STILL_MOTION = 0.02
LOOKS_BEFORE_WORD = 3  # of black, covered and damaged
LOOKS_BEFORE_FROZEN = 7

REASONS: dict[PictureName, str] = {
    "black": "the picture is black; is the lens cap on, or the light off?",
    "covered": "the picture shows nothing sharp; is the lens covered, dirty or out of focus?",
    "damaged": "pictures arrive damaged; check the network, the cable and the power of the camera",
    "frozen": "the picture has not changed at all; restart the camera",
}


class PictureJudge:
    """Judges one camera; a fault must show in several looks, one good look ends it."""

    def __init__(self, *, may_be_still: bool) -> None:
        self._may_be_still = may_be_still
        self._before: Look | None = None
        self._seen: PictureName = "clear"
        self._same = self._alike = 0
        self.word: PictureName | None = None

    def take(self, look: "Look | None") -> PictureName | None:
        """Take the next look (None: damaged); return the word for now, None before there is one."""
        seen = _name_of(look) if look else "damaged"
        self._alike = self._alike + 1 if seen == self._seen else 1
        self._seen = seen
        self._same = self._same + 1 if self._is_still(look) else 0
        self._before = look
        if seen != "clear":
            self.word = seen if self._alike >= LOOKS_BEFORE_WORD else self.word
        elif self._same >= LOOKS_BEFORE_FROZEN - 1:
            self.word = "frozen"
        else:
            self.word = "clear"
        return self.word

    @property
    def is_at_ease(self) -> bool:
        """Whether the last look was good, and another picture than the one before."""
        return self.word == self._seen == "clear" and not self._same

    def _is_still(self, look: "Look | None") -> bool:
        if self._may_be_still or not look or not self._before or look.motion > STILL_MOTION:
            return False
        return look.is_same_as(self._before)


def _name_of(look: "Look") -> PictureName:
    """Judge one picture; what is dark and not black may be a night, and gets no word."""
    if look.brightest < BLACK_BELOW:
        return "black"
    if look.contrast < FLAT_CONTRAST:
        is_flat = look.detail < FLAT_DETAIL and look.brightest > FLAT_ABOVE
        return "covered" if is_flat else "clear"
    return "covered" if look.detail < DETAIL_OF_CONTRAST * look.contrast else "clear"
