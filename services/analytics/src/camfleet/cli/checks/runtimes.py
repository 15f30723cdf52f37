"""What the model server of this machine can run: runtimes, devices and the formats they read."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from camfleet.cli.checks.finding import Finding

_LIMIT_S = 60
_PROGRAM = Path(sys.executable).parent / "camfleet-server"


def check_runtimes() -> Iterator[Finding]:
    """Ask `camfleet-server probe`, a process of its own: a broken driver may crash it."""
    if not _PROGRAM.is_file():
        where = "its container tells with `camfleet-server probe`; else make setup"
        yield Finding("runtimes", "note", f"{_PROGRAM.name} is not installed here ({where})")
        return
    try:
        answer = subprocess.run(
            [str(_PROGRAM), "probe"], capture_output=True, text=True, timeout=_LIMIT_S, check=False
        )
        runtimes = json.loads(answer.stdout)["runtimes"]
    except subprocess.TimeoutExpired:
        yield Finding("runtimes", "bad", f"no answer within {_LIMIT_S} s; check the drivers")
    except (ValueError, KeyError):
        last = answer.stderr.strip().splitlines()[-1:] or [f"ended with {answer.returncode}"]
        yield Finding("runtimes", "bad", last[0])
    else:
        yield from runtime_findings(runtimes)
        yield from format_findings(runtimes)


def runtime_findings(runtimes: Mapping[str, Any]) -> Iterator[Finding]:
    """One a runtime: its version and devices, or why it is not here."""
    for name, told in runtimes.items():
        if not told["available"]:
            yield Finding(f"runtime {name}", "note", told["reason"])
            continue
        devices = told["devices"]
        here = [_device(device, known) for device, known in devices.items() if not _why_not(known)]
        text = f"{told['version']} on {', '.join(here) or 'no device'}"
        reasons = [f"no {d}: {_why_not(known)}" for d, known in devices.items() if _why_not(known)]
        yield Finding(f"runtime {name}", "ok", "; ".join([text, *reasons]))


def format_findings(runtimes: Mapping[str, Any]) -> Iterator[Finding]:
    """One a format: which runtimes read it here and on what, and which would."""
    formats = dict.fromkeys(name for told in runtimes.values() for name in told["formats"])
    for name in formats:
        readers = {r: told for r, told in runtimes.items() if name in told["formats"]}
        here = [
            f"{r} ({', '.join(_devices(told))})" for r, told in readers.items() if _devices(told)
        ]
        absent = [r for r, told in readers.items() if not _devices(told)]
        text = ", ".join(here) or "nothing here reads it"
        text += f"; {', '.join(absent)} would, see above" if absent else ""
        yield Finding(f"format {name}", "ok" if here else "note", text)


def _devices(told: Mapping[str, Any]) -> list[str]:
    devices = told.get("devices", {})
    return [device for device, known in devices.items() if not _why_not(known)]


def _device(device: str, known: Mapping[str, Any]) -> str:
    return f"{device} {known['name']}" if "name" in known else device


def _why_not(known: Mapping[str, Any]) -> str:
    return str(known.get("reason", ""))
