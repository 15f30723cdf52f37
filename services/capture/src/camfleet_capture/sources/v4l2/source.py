"""From a device's path to its source."""

from camfleet_capture.alteration import alteration_of
from camfleet_capture.sources.packets import Coding, PacketSource
from camfleet_capture.sources.v4l2.choice import DECODERS, Wish
from camfleet_capture.sources.v4l2.device import V4l2Device
from camfleet_capture.sources.v4l2.nodes import Devices
from camfleet_contracts.capturing import Capturing


def open_device(path: str, capturing: Capturing, devices: Devices) -> PacketSource:
    """Open a device as near to what is wanted as it goes.

    Raises:
        SourceFault: it cannot be had, in words.
    """
    device = V4l2Device(path, wish_of(capturing), devices)
    mode = device.mode
    decoder, pix_fmt = DECODERS[mode.format]
    coding = Coding(decoder, mode.width, mode.height, mode.fps or 15.0, pix_fmt)
    return PacketSource(device, coding, alteration_of(capturing))


def wish_of(capturing: Capturing) -> Wish:
    """Return what is wanted, with what is usual where nothing is said."""
    usual = Wish()
    width, height = capturing.width_height or (usual.width, usual.height)
    return Wish(width, height, capturing.frame_rate or usual.fps)
