"""The compose file of a deployed application, for each class of hardware.

What each class hands in is its vendor's documentation: NVIDIA Container Toolkit, JetPack's
containers, HailoRT, Intel's GPU plugin. Not run on hardware but for `default`.
"""

from pathlib import Path
from typing import Any

import yaml

from camfleet.cli.app.target import Target
from camfleet.cli.errors import CommandError

COMPOSE_FILE = "camfleet.compose.yml"
_HEAD = "# Made by `camfleet app deploy` from camfleet.target.json; it is rewritten each time.\n"
_NETWORKS = "127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,::1/128,fc00::/7,fe80::/10"
_VIDEO_DEVICES = "c 81:* rmw"  # the kernel's major number of V4L2
_NVIDIA = {"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}
_OF_DEVICE: dict[str, dict[str, Any]] = {
    "default": {},
    "intel-gpu": {"devices": ["/dev/dri:/dev/dri"], "group_add": ["video", "render"]},
    "cuda": {"deploy": {"resources": {"reservations": {"devices": [_NVIDIA]}}}},
    "jetson": {
        "runtime": "nvidia",
        "ipc": "host",
        "volumes": ["/tmp/argus_socket:/tmp/argus_socket"],  # noqa: S108 - of NVIDIA's camera daemon
    },
    "hailo": {"devices": ["/dev/hailo0:/dev/hailo0"]},
}


def write_compose_file(folder: Path, name: str, image: str, target: Target) -> Path:
    """Write the file and return its path.

    Raises:
        CommandError: a file of this name is somebody's own.
    """
    path = folder / COMPOSE_FILE
    if path.is_file() and not path.read_text().startswith(_HEAD[:30]):
        raise CommandError(f"{path} was not made by `camfleet app deploy`; rename it")
    document = {
        "services": {"app": {"container_name": name, **_service(folder, image, target)}},
        "volumes": {"state": {}, "cache": {}, "data": {}},
    }
    path.write_text(_HEAD + yaml.safe_dump(document, sort_keys=False))
    return path


def _service(folder: Path, image: str, target: Target) -> dict[str, Any]:
    service: dict[str, Any] = {
        "image": image,
        "restart": "always",  # also after the power comes back
        "network_mode": "host",
        "read_only": True,
        "tmpfs": ["/tmp"],  # noqa: S108 - inside the container
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "shm_size": "512m",
        "stop_grace_period": "15s",
        "environment": {"BIND_ADDRESS": "0.0.0.0", "ALLOW_CIDR": _NETWORKS},  # noqa: S104 - inside
        "volumes": ["state:/state", "cache:/cache"],
    }
    if target.mode == "development":
        service["volumes"].append(f"{folder}:/app:ro")
    service["volumes"].append("data:/app/var")
    for extra in (_OF_DEVICE[target.device], _usb(target)):
        _add(service, extra)
    if "ipc" in service:
        del service["shm_size"]  # the host's is used
    return service


def _usb(target: Target) -> dict[str, Any]:
    if not target.usb:
        return {}
    return {
        "volumes": ["/dev:/dev"],
        "device_cgroup_rules": [_VIDEO_DEVICES],
        "group_add": ["video"],
    }


def _add(service: dict[str, Any], extra: dict[str, Any]) -> None:
    """Lists grow, everything else is set."""
    for key, value in extra.items():
        if isinstance(value, list):
            known = service.setdefault(key, [])
            known.extend(one for one in value if one not in known)
        else:
            service[key] = value
