"""An application's file, camfleet.app.json or alwaysai.app.json as it is.

`{"scripts": {"start": "python app.py"}, "models": {"user/name": 3}, "app_configurations": ...,
"analytics": {"enable_cloud_publish": false, "enable_file_publish": true, "file_size_bytes": N}}`;
all of it is optional, and what is not known is kept.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from camfleet.errors import CamfleetError
from camfleet_contracts.files import write_atomically

APP_FILES = ("camfleet.app.json", "alwaysai.app.json")


class BadApplication(CamfleetError):
    """A folder is not an application, or its file is not as it must be."""


@dataclass(frozen=True, slots=True)
class Application:
    """A folder and what its file says."""

    folder: Path
    file: Path
    document: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def configurations(self) -> Any:
        """`app_configurations`: whatever the script wants to be told; empty where there is none."""
        return self.document.get("app_configurations", {})

    @property
    def start_script(self) -> str:
        """The command that starts it.

        Raises:
            BadApplication: there is none.
        """
        scripts = self.document.get("scripts", {})
        script = scripts.get("start") if isinstance(scripts, Mapping) else None
        if not isinstance(script, str) or not script.strip():
            raise BadApplication(
                f'{self.file}: `scripts.start` is missing; add "scripts": {{"start": '
                '"python app.py"}'
            )
        return script

    @property
    def models(self) -> dict[str, int | None]:
        """Ids and the versions that are wanted, None where any will do.

        Raises:
            BadApplication: it is something else.
        """
        models = self.document.get("models", {})
        try:
            return {model_id: _version(value) for model_id, value in models.items()}
        except (AttributeError, TypeError) as error:
            raise BadApplication(
                f"{self.file}: `models` must map ids to version numbers, as "
                f'{{"user/name": 3}} ({error})'
            ) from error

    def save_models(self, models: Mapping[str, int | None]) -> "Application":
        """Write these models into the file, everything else as it was."""
        document = {**self.document, "models": dict(models)}
        write_atomically(self.file, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        return Application(self.folder, self.file, document)


def read_application(place: Path) -> Application:
    """The application of a folder, or of the file itself.

    Raises:
        BadApplication: there is none, or its file cannot be read; with the line.
    """
    folder = (place.parent if place.suffix == ".json" else place).absolute()
    path = next((folder / name for name in APP_FILES if (folder / name).is_file()), None)
    if path is None:
        raise BadApplication(
            f"{folder} is not an application: it has no {' or '.join(APP_FILES)}; "
            "`camfleet app init` makes one"
        )
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise BadApplication(
            f"{path}, line {error.lineno}, column {error.colno}: {error.msg}"
        ) from error
    except UnicodeDecodeError as error:
        raise BadApplication(f"{path}: it is not UTF-8 text ({error.reason})") from error
    if not isinstance(document, dict):
        raise BadApplication(f'{path}: it must hold an object, {{"scripts": ...}}')
    return Application(folder, path, document)


def _version(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise TypeError(f"{value!r} is not a version")
    return value
