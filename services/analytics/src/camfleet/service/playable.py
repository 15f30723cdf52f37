"""What browsers play from a live stream."""

_SAMPLING_BROWSERS_PLAY = frozenset({None, "yuv420p", "yuvj420p", "nv12", "gray"})


def why_not_played(codec: str, pixel_format: str | None) -> str | None:
    """Why a camera's own stream cannot be copied into a browser; None: it can."""
    if codec != "h264":
        return f"the camera sends {codec.upper()}, which browsers do not play from a live stream"
    if pixel_format not in _SAMPLING_BROWSERS_PLAY:
        return f"the camera sends H.264 as {pixel_format}, browsers play 4:2:0 with 8 bits only"
    return None
