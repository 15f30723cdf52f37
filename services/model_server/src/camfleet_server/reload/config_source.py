"""Where the wanted state comes from: config.json, or one model named on the command line."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from camfleet_contracts.serving_config import (
    BadServingConfig,
    ModelConfig,
    ServingConfig,
    keep_if_unknown,
    newest_change,
    parse_serving_config,
    read_config_text,
)
from camfleet_contracts.settings import process_environment

logger = logging.getLogger(__name__)

_SETTLE_S = 0.2


class ConfigSource(Protocol):
    """Gives the serving config as it is now."""

    folder: Path  # what lies beside it, catalog.json for one

    @property
    def is_settling(self) -> bool:
        """Tell whether what was read last may be half-written; look again soon."""
        ...

    def read(self) -> ServingConfig:
        """Return the config.

        Raises:
            BadServingConfig: with file, line and reason.
        """
        ...


class ConfigFile:
    """config.json; read again only when it changed.

    A file that cannot be used is believed only when it has been so for a moment: until then it may
    be half-written, and the former config stays.
    """

    def __init__(
        self, path: Path, clock: Callable[[], float] = time.monotonic, *, strict: bool = False
    ) -> None:
        self._path = path.absolute()
        self._strict = strict  # as OVMS itself would read it
        self._clock = clock
        self.folder = self._path.parent
        self._stamp: tuple[int, ...] | None = None
        self._usable: ServingConfig | None = None
        self._fault: BadServingConfig | None = None
        self._text = ""  # of the usable config
        self._newest_change = 0  # in the history before that was read
        self._believed_at = 0.0  # when the fault counts

    @property
    def is_settling(self) -> bool:
        """Tell whether the file may be half-written."""
        return self._fault is not None and self._clock() < self._believed_at

    def read(self) -> ServingConfig:
        """Return the config as the file has it now; raises BadServingConfig."""
        stamp = self._current_stamp()
        is_first = self._usable is None and self._fault is None
        if stamp != self._stamp or is_first:
            self._stamp = stamp
            self._parse()
        if self._fault is not None and not self.is_settling:
            raise self._fault.with_traceback(None)  # else it grew with every raise
        assert self._usable is not None  # noqa: S101 - a fault settles only after a usable config
        return self._usable

    def _parse(self) -> None:
        newest = newest_change(self._path)
        try:
            text = read_config_text(self._path)
            env = process_environment()
            self._usable = parse_serving_config(text, path=self._path, env=env, strict=self._strict)
        except BadServingConfig as error:
            if self._fault is None and self._usable is not None:
                self._believed_at = self._clock() + _SETTLE_S
                self._keep(self._text)
            self._fault = error
            return
        self._fault = None
        former, self._text = self._text, text
        if former not in {"", text}:
            self._keep(former)
        self._newest_change = newest
        for warning in self._usable.warnings:
            logger.warning("config.json warning=%s", warning)

    def _keep(self, former: str) -> None:
        """Let the history have what a change by hand replaced; commands see to it themselves."""
        try:
            if keep_if_unknown(self._path, former, after=self._newest_change):
                logger.info("config changed by hand next=%s", "camfleet model rollback undoes it")
        except BlockingIOError:  # a command is changing it, and keeps what it replaces
            return
        except OSError as error:
            logger.info("config is not kept in its history reason=%s", error)

    def _current_stamp(self) -> tuple[int, ...] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


class SingleModel:
    """The one model of --model_name and --model_path."""

    is_settling = False

    def __init__(self, model: ModelConfig) -> None:
        self.folder = model.base_path.parent
        self._config = ServingConfig(models=(model,))

    def read(self) -> ServingConfig:
        """Return the config; it never changes."""
        return self._config
