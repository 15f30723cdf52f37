"""Triton's logging extension: what is logged, read and changed while the server runs."""

import logging
from collections.abc import Mapping
from typing import Any

from camfleet_server.errors import InvalidInput

logger = logging.getLogger(__name__)

_NOTHING = logging.CRITICAL + 10
_LEVELS = {"log_info": logging.INFO, "log_warning": logging.WARNING, "log_error": logging.ERROR}
_ALSO_CALLED = {"log_warnings": "log_warning", "log_errors": "log_error"}
_FIXED = {"log_file": "", "log_format": "default"}
_VERBOSE = "log_verbose_level"


def read_log_settings() -> dict[str, str | bool | int]:
    """Tell what is logged, in the words of the extension."""
    level = logging.getLogger().level
    told: dict[str, str | bool | int] = dict(_FIXED)
    told |= {name: level <= least for name, least in _LEVELS.items()}
    told[_VERBOSE] = int(level <= logging.DEBUG)
    return told


def change_log_settings(changes: Mapping[str, Any]) -> dict[str, str | bool | int]:
    """Change what is logged, all of it or nothing, and tell what is logged now.

    There is one level: what is more severe than something that is logged is logged too.

    Raises:
        InvalidInput: names the setting, and what it may be.
    """
    wanted = read_log_settings()
    for given, value in changes.items():
        name = _ALSO_CALLED.get(given, given)
        if value is not None:
            _check(name, value)
            wanted[name] = value
    level = _level_of(wanted)
    if level != logging.getLogger().level:
        logging.getLogger().setLevel(level)
        logger.warning("log level changed level=%s", logging.getLevelName(level))
    return read_log_settings()


def _level_of(settings: Mapping[str, Any]) -> int:
    if settings[_VERBOSE]:
        return logging.DEBUG
    return next((level for name, level in _LEVELS.items() if settings[name]), _NOTHING)


def _check(name: str, value: Any) -> None:
    if name in _FIXED and value == _FIXED[name]:
        return
    if name in _FIXED:
        raise InvalidInput(
            f"log setting '{name}' cannot be changed while the server runs - Expected: "
            f"{_FIXED[name]!r}; Actual: {value!r}; the log goes to standard error"
        )
    if name in _LEVELS and not isinstance(value, bool):
        raise InvalidInput(f"log setting '{name}' - Expected: true or false; Actual: {value!r}")
    if name == _VERBOSE and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise InvalidInput(f"log setting '{name}' - Expected: 0 and more; Actual: {value!r}")
    if name not in _LEVELS and name != _VERBOSE:
        known = ", ".join([*_FIXED, *_LEVELS, _VERBOSE])
        raise InvalidInput(f"log setting '{name}' is unknown - Expected: one of {known}")
