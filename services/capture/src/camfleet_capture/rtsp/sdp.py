"""What DESCRIBE answers and ANNOUNCE says (RFC 8866)."""

from camfleet_capture.access_unit import CLOCK_HZ, AccessUnit
from camfleet_capture.rtsp.payloads.table import PAYLOAD_FORMATS

TRACK = "trackID=0"


def format_sdp(camera: str, key: AccessUnit, server_address: str) -> str:
    """Describe the stream whose newest key picture is `key`."""
    media = PAYLOAD_FORMATS[key.codec].describe(key)
    family = "IP6" if ":" in server_address else "IP4"
    anywhere = "::" if family == "IP6" else "0.0.0.0"  # noqa: S104 - the text of SDP, nothing binds
    lines = [
        "v=0",
        f"o=- 0 0 IN {family} {server_address}",
        f"s={camera}",
        f"c=IN {family} {anywhere}",
        "t=0 0",
        "a=control:*",
        "a=range:npt=now-",
        f"m=video 0 RTP/AVP {media.payload_type}",
        f"a=rtpmap:{media.payload_type} {media.encoding}/{CLOCK_HZ}",
    ]
    if media.parameters:
        lines.append(f"a=fmtp:{media.payload_type} {media.parameters}")
    lines.append(f"a=control:{TRACK}")
    return "\r\n".join(lines) + "\r\n"
