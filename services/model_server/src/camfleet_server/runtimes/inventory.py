"""What this machine can run models on."""

from collections.abc import Mapping
from typing import Any

from camfleet_contracts.frameworks import FRAMEWORKS
from camfleet_server.runtimes.base import KnowsDevices, VendorMissing
from camfleet_server.runtimes.table import DISTRIBUTIONS, RUNTIMES, Runtimes, installed_versions


def list_runtimes() -> dict[str, Any]:
    """Return each runtime with its version, devices and formats, or why it is not here."""
    runtimes = Runtimes()
    versions = installed_versions()
    return {name: _describe(runtimes, name, versions) for name in RUNTIMES}


def _describe(runtimes: Runtimes, name: str, versions: Mapping[str, str]) -> dict[str, Any]:
    formats = [framework.name for framework in FRAMEWORKS if name in framework.runtimes]
    try:
        runtime = runtimes.get(name)
    except VendorMissing as error:
        return {"available": False, "reason": str(error), "formats": formats}
    held = (versions[package] for package in DISTRIBUTIONS[name] if package in versions)
    devices = dict(runtime.devices()) if isinstance(runtime, KnowsDevices) else {}
    version = next(held, "unknown")
    return {"available": True, "version": version, "formats": formats, "devices": devices}
