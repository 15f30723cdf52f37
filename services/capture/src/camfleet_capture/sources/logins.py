"""Whether libav can log in to an RTSP camera: of the Digests that are offered it takes the last."""

from camfleet_capture.rtsp.challenges import parse_challenge
from camfleet_capture.sources.rtsp_asking import RtspAsking

_KNOWN_TO_LIBAV = frozenset({"", "MD5"})


def wants_unknown_digest(url: str) -> bool:
    """Tell, with a connection and without a password; False where the camera does not answer."""
    try:
        with RtspAsking(url) as camera:
            challenges = camera.ask("DESCRIBE").all("www-authenticate")
    except (OSError, ValueError, IndexError):
        return False
    parsed = [parse_challenge(text) for text in challenges]
    digests = [fields for kind, fields in parsed if kind == "digest"]
    return bool(digests) and digests[-1].get("algorithm", "").upper() not in _KNOWN_TO_LIBAV
