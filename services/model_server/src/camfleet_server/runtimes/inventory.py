"""What this machine can run models on."""

from typing import Any

from camfleet_server.runtimes.base import VendorMissing
from camfleet_server.runtimes.table import RUNTIMES, Runtimes


def list_runtimes() -> dict[str, Any]:
    """Return each runtime with its version and devices, or why it is not here."""
    runtimes = Runtimes()
    return {name: _describe(runtimes, name) for name in RUNTIMES}


def _describe(runtimes: Runtimes, name: str) -> dict[str, Any]:
    try:
        runtimes.get(name)
    except VendorMissing as error:
        return {"available": False, "reason": str(error)}
    return {"available": True} | (_openvino() if name == "openvino" else {})


def _openvino() -> dict[str, Any]:
    from camfleet_server.runtimes._openvino_api import ov  # noqa: PLC0415 - it is installed

    core = ov.Core()
    return {
        "version": ov.get_version(),
        "devices": {
            device: {
                "name": core.get_property(device, "FULL_DEVICE_NAME"),
                "capabilities": sorted(core.get_property(device, "OPTIMIZATION_CAPABILITIES")),
            }
            for device in core.available_devices
        },
    }
