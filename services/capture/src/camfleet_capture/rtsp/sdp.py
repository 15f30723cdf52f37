"""What DESCRIBE answers (RFC 8866, RFC 6184)."""

from base64 import b64encode

from camfleet_capture import h264
from camfleet_capture.access_unit import AccessUnit
from camfleet_capture.rtsp.packetiser import PAYLOAD_TYPE

TRACK = "trackID=0"


def format_sdp(camera: str, key: AccessUnit, server_address: str) -> str:
    """Describe the stream whose newest key picture is `key`."""
    sets = [nal for nal in key.nals if h264.nal_type(nal) in {h264.SPS, h264.PPS}]
    profile = next((nal[1:4].hex() for nal in sets if h264.nal_type(nal) == h264.SPS), "42001f")
    sprop = ",".join(b64encode(nal).decode() for nal in sets)
    family = "IP6" if ":" in server_address else "IP4"
    anywhere = "::" if family == "IP6" else "0.0.0.0"  # noqa: S104 - the text of SDP, nothing binds
    parameters = f"packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={sprop}"
    lines = [
        "v=0",
        f"o=- 0 0 IN {family} {server_address}",
        f"s={camera}",
        f"c=IN {family} {anywhere}",
        "t=0 0",
        "a=control:*",
        "a=range:npt=now-",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} H264/90000",
        f"a=fmtp:{PAYLOAD_TYPE} {parameters}",
        f"a=control:{TRACK}",
    ]
    return "\r\n".join(lines) + "\r\n"
