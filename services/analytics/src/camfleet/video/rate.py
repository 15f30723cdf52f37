"""What a stream tells of its pictures a second."""

import av

_HIGHEST = 1000.0  # where no rate is told, FFmpeg names the clock of the stream, of 90,000


def told_rate(stream: av.VideoStream) -> float | None:
    """Pictures a second; None where none are told."""
    rate = float(stream.average_rate or stream.guessed_rate or 0)
    return rate if 0 < rate <= _HIGHEST else None
