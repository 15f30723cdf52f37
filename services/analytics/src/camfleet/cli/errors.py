"""Errors of the command: one line each, what, which and what next."""

# ruff: noqa: PLC0415 - commands import what they need, so that --help answers at once

import errno


class CommandError(Exception):
    """A command cannot do what it was asked; its text is the one line that the user reads."""


def known_error_line(error: Exception) -> str | None:
    """The line for an error that users can mend; None when it is a fault of the program."""
    if isinstance(error, OSError) and not isinstance(error, ConnectionError):
        return _os_error_line(error)
    return str(error) if isinstance(error, CommandError) else _contract_error_line(error)


def _os_error_line(error: OSError) -> str:
    if error.strerror is None or error.filename is None:
        return str(error)
    is_full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    which = (is_full and error.filename2) or error.filename  # of a copy the target is full
    what = error.strerror.lower()
    ways_out = {
        errno.EACCES: "; check its owner and rights, or run as the user who owns it",
        errno.ENOSPC: "; free some space and repeat the command",
        errno.EDQUOT: "; free some space and repeat the command",
        errno.EROFS: "; set MODELS_DIR and CAMFLEET_STATE to folders that can be written",
    }
    return f"{which}: {what}{ways_out.get(error.errno or 0, '')}"


def _contract_error_line(error: Exception) -> str | None:
    from pydantic import ValidationError

    from camfleet.catalog.errors import CatalogError
    from camfleet.errors import CamfleetError
    from camfleet_contracts.cameras_file import BadCameras
    from camfleet_contracts.catalog import BadCatalog
    from camfleet_contracts.faults import fault_text
    from camfleet_contracts.model_manifest import BadManifest
    from camfleet_contracts.serving_config import BadServingConfig
    from camfleet_contracts.settings import BadSettings

    if isinstance(error, ValidationError):
        return "; ".join(map(fault_text, error.errors(include_url=False)))
    ours = (BadCameras, BadCatalog, BadManifest, BadServingConfig, BadSettings)
    known = (*ours, CamfleetError, CatalogError)
    return str(error) if isinstance(error, known) else None
