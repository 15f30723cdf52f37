"""The colours that classes are drawn in."""

import colorsys

_GOLDEN = 0.618033988749895  # steps by it come back near a hue as late as possible
_SATURATION = 200 / 255


def colour_of(class_id: int) -> tuple[int, int, int]:
    """A bright colour (blue, green, red) per class, far from that of its neighbours."""
    red, green, blue = colorsys.hsv_to_rgb(class_id * _GOLDEN % 1, _SATURATION, 1)
    return round(blue * 255), round(green * 255), round(red * 255)
