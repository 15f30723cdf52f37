"""What is noted of a version while it is published."""

import getpass
from pathlib import Path

from camfleet_contracts.clock import now_utc, rfc3339
from camfleet_contracts.settings import FleetSettings
from camfleet_contracts.trail import Trail


def complete(settings: FleetSettings, given: Trail, packed: Trail | None, followed: str) -> Trail:
    """The trail of a version that is being published.

    Args:
        settings: name the user and, in a notebook, the notebook.
        given: what the user said; it wins.
        packed: what the tool that made the package wrote, e.g. how well an INT8 model agrees.
        followed: the newest version so far as name:version; the parent where nobody names one.
    """
    noted = packed or Trail()
    fields = {
        "by": given.by or settings.user or _system_user(),
        "at": given.at or rfc3339(now_utc()),
        "source": given.source or source_of(settings),
        "parent": given.parent or noted.parent or followed,
        "metrics": noted.metrics | given.metrics,
        "calibration_sha256": given.calibration_sha256 or noted.calibration_sha256,
        "note": given.note or noted.note,
    }
    return Trail(**((noted.model_extra or {}) | (given.model_extra or {}) | fields))


def source_of(settings: FleetSettings) -> str:
    """The notebook this runs in, relative to the folder of notebooks; else the command."""
    if not settings.notebook:
        return "camfleet model publish"
    path, folder = Path(settings.notebook), settings.notebooks_dir.absolute()
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else path.name


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user id without a name, as in a container
        return ""
