"""Commands that change cameras.yaml; capture and analytics follow it while they run."""

from typing import Any

from camfleet.camera_logins import forget_login, without_login
from camfleet.cli.console import note
from camfleet.cli.errors import CommandError
from camfleet.cli.fleet.run_cameras import absolute_source
from camfleet.cli.volume_seed import ensure_catalog
from camfleet_contracts.camera_entries import (
    CameraExists,
    NoSuchCamera,
    add_entry,
    merge_entry,
    remove_entry,
)
from camfleet_contracts.cameras import Camera
from camfleet_contracts.cameras_file import read_cameras
from camfleet_contracts.names import CAMERA_NAME
from camfleet_contracts.settings import FleetSettings


def add_camera(
    settings: FleetSettings, name: str, source: str, credentials: str, pipeline: dict[str, Any]
) -> None:
    """Add a camera; a login in its address goes into a file of its own.

    Raises:
        CommandError: the name is taken, or the source is a file that is not there.
        BadCameras: the file would not be valid with it.
    """
    ensure_catalog(settings)
    source = absolute_source(source)
    entry: dict[str, Any] = {"name": name, "source": source}
    entry |= {"credentials": credentials} if credentials else {}
    entry |= {"pipeline": pipeline} if pipeline else {}
    if not credentials and _is_new(settings, name):
        entry = without_login(entry, settings.state_dir)
        if kept := entry.get("credentials"):
            note(f"user and password went into a file, which cameras.yaml names: {kept}")
    try:
        add_entry(settings.cameras_file, entry)
    except CameraExists as error:
        raise CommandError(str(error)) from error
    note(
        f"camera '{name}' added to {settings.cameras_file}; `camfleet camera list` shows its state"
    )


def _is_new(settings: FleetSettings, name: str) -> bool:
    """Whether no other camera's login is kept under this name."""
    file = settings.cameras_file
    known = read_cameras(file).find(name) if file.is_file() else None
    return known is None and CAMERA_NAME.fullmatch(name) is not None


def remove_camera(settings: FleetSettings, name: str) -> None:
    """Take a camera out, and the file with its login.

    Raises:
        CommandError: there is none of this name.
    """
    try:
        removed = remove_entry(settings.cameras_file, name)
    except NoSuchCamera as error:
        raise CommandError(str(error)) from error
    forget_login(settings.state_dir, removed, settings.cameras_file)
    note(f"camera '{name}' removed from {settings.cameras_file}")


def record_camera(settings: FleetSettings, name: str, size_bytes: int | None) -> None:
    """Have a camera recorded up to so many bytes; None ends it.

    Raises:
        CommandError: there is none of this name.
        BadCameras: the file would not be valid with it.
    """
    recording = None if size_bytes is None else {"size_bytes": size_bytes}
    try:
        merge_entry(settings.cameras_file, name, {"recording": recording}, _accept)
    except NoSuchCamera as error:
        raise CommandError(str(error)) from error
    kept = "is not recorded any more; its files stay"
    if size_bytes is not None:
        kept = f"keeps its newest {size_bytes / 1e9:g} GB in {settings.recordings_dir / name}"
    note(f"camera '{name}' {kept}")


def _accept(_: Camera) -> None:
    """The command changes what there is now, whoever changed it before."""
