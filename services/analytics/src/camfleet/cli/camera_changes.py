"""Commands that change cameras.yaml; capture and analytics follow it while they run."""

from typing import Any

from ruamel.yaml.comments import CommentedMap

from camfleet.cli.console import note
from camfleet.cli.errors import CommandError
from camfleet.cli.fleet.run_cameras import absolute_source
from camfleet.cli.volume_seed import ensure_catalog
from camfleet_contracts.cameras import edit_cameras
from camfleet_contracts.settings import FleetSettings


def add_camera(
    settings: FleetSettings, name: str, source: str, credentials: str, pipeline: dict[str, Any]
) -> None:
    """Add a camera.

    Raises:
        CommandError: the name is taken, or the source is a file that is not there.
        BadCameras: the file would not be valid with it.
    """
    ensure_catalog(settings)
    with edit_cameras(settings.cameras_file) as document:
        if any(camera.get("name") == name for camera in document["cameras"]):
            raise CommandError(
                f"camera '{name}' is in {settings.cameras_file} already; remove it first or edit "
                "the file"
            )
        entry = CommentedMap(name=name, source=absolute_source(source))
        if credentials:
            entry["credentials"] = credentials
        if pipeline:
            entry["pipeline"] = CommentedMap(pipeline)
        document["cameras"].append(entry)
    note(
        f"camera '{name}' added to {settings.cameras_file}; `camfleet camera list` shows its state"
    )


def remove_camera(settings: FleetSettings, name: str) -> None:
    """Take a camera out.

    Raises:
        CommandError: there is none of this name.
    """
    with edit_cameras(settings.cameras_file) as document:
        cameras = document["cameras"]
        index = next((i for i, c in enumerate(cameras) if c.get("name") == name), None)
        if index is None:
            raise CommandError(
                f"camera '{name}' is not in {settings.cameras_file}; `camfleet camera list` shows "
                "those that are"
            )
        del cameras[index]
    note(f"camera '{name}' removed from {settings.cameras_file}")
