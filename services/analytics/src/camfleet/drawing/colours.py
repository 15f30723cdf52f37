"""Ink for letters on a colour."""

from camfleet.images import Colour

_BRIGHT = 140  # from this brightness on, dark letters are read more easily


def ink_on(ground: Colour) -> Colour:
    """Black or white, whichever is read more easily on this colour."""
    blue, green, red = ground
    is_bright = 0.114 * blue + 0.587 * green + 0.299 * red >= _BRIGHT
    return (0, 0, 0) if is_bright else (255, 255, 255)
