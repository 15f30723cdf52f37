"""What the fleet that runs on a state folder was started with, so that other commands find it."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil

from camfleet.cli.errors import CommandError
from camfleet_contracts.files import locked, write_atomically
from camfleet_contracts.settings import FleetSettings

_FILE_NAME = "run.json"
_FIELDS = (
    "models_dir",
    "cameras",
    "cache_dir",
    "recordings_dir",
    "bind_address",
    "public_url",
    "jupyter_base_url",
    "tls_cert",
    "tls_key",
    "tls_ca",
    "rtsp_port",
    "capture_http_port",
    "grpc_port",
    "rest_port",
    "streamer_port",
    "jupyter_port",
)


def refuse_second_run(state_dir: Path) -> None:
    """Two fleets cannot share keys, events and the record of the run, whatever their ports.

    Raises:
        CommandError: a fleet runs on this folder.
    """
    if running_pid(state_dir) is not None:
        raise _runs_already(state_dir)


@contextmanager
def recorded_run(settings: FleetSettings) -> Iterator[None]:
    """Keep the record while the block runs, under its lock.

    Raises:
        CommandError: another fleet has begun on this folder meanwhile.
    """
    path = settings.state_dir / _FILE_NAME
    values = {name: getattr(settings, name) for name in _FIELDS}
    told = {name: _plain(value) for name, value in values.items() if value is not None}
    pid = os.getpid()
    document = {"pid": pid, "started": psutil.Process(pid).create_time(), "settings": told}
    with ExitStack() as held:
        try:
            held.enter_context(locked(path, wait=False))
        except BlockingIOError as error:
            raise _runs_already(settings.state_dir) from error
        held.callback(path.unlink, missing_ok=True)
        write_atomically(path, json.dumps(document, indent=2) + "\n")
        yield


def running_pid(state_dir: Path) -> int | None:
    """Process id of the `camfleet up` that runs on this folder; None when none does."""
    pid = _read(state_dir).get("pid")
    return int(pid) if pid else None


def running_settings(state_dir: Path) -> dict[str, Any]:
    """Field names and values of the fleet that runs on this folder; empty when none does."""
    return dict(_read(state_dir).get("settings", {}))


def _runs_already(state_dir: Path) -> CommandError:
    pid = running_pid(state_dir)
    ending = f"Ctrl-C in its terminal or `kill {pid}`" if pid else "Ctrl-C in its terminal"
    return CommandError(
        f"the fleet of {state_dir} runs already (pid {pid or '?'}); `camfleet url` makes a login "
        f"link, {ending} ends it; a second fleet needs --state and --models of its own"
    )


def _plain(value: object) -> object:
    return str(value.absolute()) if isinstance(value, Path) else value


def _read(state_dir: Path) -> dict[str, Any]:
    """The record, empty when its process has ended (and perhaps another one has its number)."""
    try:
        document: dict[str, Any] = json.loads((state_dir / _FILE_NAME).read_text())
        started = psutil.Process(document["pid"]).create_time()
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return {}
    return document if started == document.get("started") else {}
