"""Where an application is to run: camfleet.target.json in its folder, written by `configure`."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from camfleet.cli.errors import CommandError
from camfleet_contracts.files import write_atomically

TARGET_FILE = "camfleet.target.json"
MODES = ("development", "production")
DEVICES = {
    "default": "a processor, amd64 or arm64: OpenVINO, ONNX Runtime, OpenCV, LiteRT",
    "intel-gpu": "an Intel GPU through OpenVINO",
    "cuda": "an NVIDIA GPU in a PC or server",
    "jetson": "an NVIDIA Jetson, its cameras too",
    "hailo": "a Hailo accelerator on a PCIe or M.2 card",
}


@dataclass(frozen=True, slots=True)
class Target:
    """A class of hardware, the Docker Engine on it, and how an application is put there."""

    device: str = "default"
    mode: str = "development"
    engine: str = ""  # ssh://user@host or tcp://...; empty is this machine
    usb: bool = False

    def __post_init__(self) -> None:
        """Raises CommandError for what cannot be."""
        _check("device", self.device, tuple(DEVICES))
        _check("mode", self.mode, MODES)
        if self.engine and not self.engine.startswith(("ssh://", "tcp://", "unix://")):
            raise CommandError(f"engine '{self.engine}': write ssh://user@host, tcp:// or unix://")
        if self.engine.startswith(("ssh://", "tcp://")) and self.mode == "development":
            raise CommandError(
                f"development mounts this folder, which {self.engine} does not see; "
                "use --mode production"
            )


def read_target(folder: Path) -> Target:
    """What `configure` wrote; the defaults where it was not called.

    Raises:
        CommandError: the file is not as it must be.
    """
    path = folder / TARGET_FILE
    if not path.is_file():
        return Target()
    try:
        document: dict[str, Any] = json.loads(path.read_text())
        known = {field.name for field in fields(Target)}
        return Target(**{name: document[name] for name in known & document.keys()})
    except json.JSONDecodeError as error:
        raise CommandError(f"{path}, line {error.lineno}: {error.msg}") from error
    except (AttributeError, TypeError) as error:
        raise CommandError(f"{path}: {error}; `camfleet app configure` writes it again") from error


def write_target(folder: Path, target: Target) -> None:
    """Keep it for the next commands."""
    write_atomically(folder / TARGET_FILE, json.dumps(asdict(target), indent=2) + "\n")


def _check(what: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise CommandError(f"{what} '{value}': use one of {', '.join(allowed)}")
