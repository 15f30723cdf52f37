"""The running application's own configuration, in edgeIQ's names."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from camfleet.apps.application import APP_FILES, Application, BadApplication, read_application


@dataclass(frozen=True, slots=True)
class AnalyticsSwitches:
    """The section `analytics`: where publish_analytics() publishes to.

    Attributes:
        enable_cloud_publish: to the fleet; there is no cloud here.
        enable_file_publish: into a file beside the application's.
        file_size_bytes: the file is put aside when it would become larger.
    """

    enable_cloud_publish: bool = False
    enable_file_publish: bool = False
    file_size_bytes: int = 500_000_000


class AppConfig:
    """camfleet.app.json or alwaysai.app.json, in the script's folder or where it was started."""

    def __init__(self, path: str | Path | None = None) -> None:
        """Read it.

        Args:
            path: the file or its folder; None: it is looked for.

        Raises:
            BadApplication: there is none, or it cannot be read.
        """
        application = _application_here() if path is None else read_application(Path(path))
        if application is None:
            places = " or ".join(str(folder) for folder in _folders())
            raise BadApplication(
                f"there is no {' or '.join(APP_FILES)} in {places}; `camfleet app init` makes one"
            )
        self._application = application
        self.folder = application.folder

    @property
    def app_file(self) -> Mapping[str, Any]:
        """All that the file says."""
        return self._application.document

    @property
    def app_configurations(self) -> Any:
        """`app_configurations`: whatever the script wants to be told."""
        return self._application.configurations

    @property
    def model_id_list(self) -> list[str]:
        """The ids of `models`."""
        return list(self._application.models)

    @property
    def analytics(self) -> AnalyticsSwitches:
        """The section `analytics`.

        Raises:
            BadApplication: a value in it is not of its kind.
        """
        section = self.app_file.get("analytics", {})
        return AnalyticsSwitches(
            self._switch(section, "enable_cloud_publish"),
            self._switch(section, "enable_file_publish"),
            self._size(section),
        )

    def _switch(self, section: Any, name: str) -> bool:
        value = section.get(name, False) if isinstance(section, Mapping) else None
        if not isinstance(value, bool):
            raise BadApplication(
                f"{self._application.file}: analytics.{name} is {value!r}, expected true or false"
            )
        return value

    def _size(self, section: Mapping[str, Any]) -> int:
        size = section.get("file_size_bytes", AnalyticsSwitches().file_size_bytes)
        if not isinstance(size, int) or isinstance(size, bool) or size <= 0:
            raise BadApplication(
                f"{self._application.file}: analytics.file_size_bytes is {size!r}, expected a"
                " number of bytes above 0"
            )
        return size


def find_app_config() -> AppConfig | None:
    """The application's configuration; None for a script that belongs to none.

    Raises:
        BadApplication: its file cannot be read.
    """
    application = _application_here()
    return None if application is None else AppConfig(application.file)


def _application_here() -> Application | None:
    for folder in _folders():
        if any((folder / name).is_file() for name in APP_FILES):
            return read_application(folder)
    return None


def _folders() -> list[Path]:
    """The script's folder first, then where it was started."""
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    own = [Path(script).absolute().parent] if script else []
    return list(dict.fromkeys([*own, Path.cwd()]))
