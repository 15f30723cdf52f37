"""The payload format of each codec."""

from camfleet_capture.access_unit import CodecName
from camfleet_capture.rtsp.payloads import h264, h265, jpeg
from camfleet_capture.rtsp.payloads.payload import PayloadFormat

PAYLOAD_FORMATS: dict[CodecName, PayloadFormat] = {"h264": h264, "h265": h265, "mjpeg": jpeg}
