"""Models loaded and unloaded on request: config.json is changed, then brought into effect.

config.json stays the only switch, so what was loaded is loaded again after a restart. A load that
fails leaves config.json and the volume as they were.
"""

import shutil
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from camfleet_contracts.json_text import parse_json
from camfleet_contracts.names import stored_name
from camfleet_contracts.serving_config import (
    BadServingConfig,
    put_model,
    read_config_text,
    remove_model,
    withdraw_model,
)
from camfleet_contracts.serving_config.parsing import entry_name, load_document
from camfleet_contracts.volume import (
    MANIFEST,
    drop_empty_model,
    publish_version,
    version_number,
    versions_of,
)
from camfleet_server.errors import (
    ControlRefused,
    InvalidInput,
    LoadFailed,
    ModelNotFound,
    NoConfigFile,
    ReloadFailed,
    ServerError,
)
from camfleet_server.serving.load_overrides import entry_changes
from camfleet_server.serving.registry import Registry
from camfleet_server.types import VersionState

EXPLICIT, POLL, NONE = "explicit", "poll", "none"
_LOAD_LIMIT_S = 600.0
_FILE = "file:"
_EMPTY = '{"model_config_list": []}'
_LOCKS = 16  # loads of so many models run side by side at least most of the time
_LONGEST_NAME = 255  # bytes, as of most file systems

Files = Mapping[str, bytes]
"""Contents by `file:<version>/<path>`."""


class Reloader(Protocol):
    """Whoever brings what is served in line with config.json and the volume."""

    def reload(self, timeout_s: float, only: str | None = None) -> bool: ...


class ModelControl:
    """Loads and unloads; calls for different models run side by side."""

    def __init__(
        self, mode: str, config_path: Path | None, registry: Registry, reloader: Reloader
    ) -> None:
        self._mode = mode
        self._path = config_path
        self._registry = registry
        self._reloader = reloader
        self._locks = tuple(threading.Lock() for _ in range(_LOCKS))

    def load(self, name: str, config: Mapping[str, Any], files: Files) -> None:
        """Serve a model, changed as asked, and wait until it is AVAILABLE.

        Args:
            name: of the model; without an entry it is the folder of that name on the volume.
            config: keys of Triton's ModelConfig that override its entry.
            files: published as new versions before it is loaded.

        Raises:
            ControlRefused, NoConfigFile: not in this mode.
            InvalidInput: an override or a file cannot be honoured; nothing was changed.
            LoadFailed: it is not AVAILABLE; everything is as before.
        """
        path = self._changeable("RepositoryModelLoad")
        changes = entry_changes(name, config)
        versions = _by_version(name, files)
        with self._lock_of(name), _failing_with(name):
            before = _find_entry(path, name)
            entry = (before or {"name": name, "base_path": stored_name(name)}) | changes
            published = _publish(path.parent, entry, versions)
            is_change = entry != before or bool(published)  # else a read-only volume will do
            try:
                if is_change:
                    put_model(path, entry)
                self._reloader.reload(_LOAD_LIMIT_S, only=name)
                self._check(name)
            except (ServerError, OSError, BadServingConfig):
                if is_change:
                    self._undo(path, entry, before, published)
                raise

    def unload(self, name: str) -> None:
        """Serve a model no more; its files stay, requests under way are answered.

        Raises:
            ControlRefused, NoConfigFile: not in this mode.
            ModelNotFound: config.json has no such entry.
            ReloadFailed: config.json cannot be used.
        """
        path = self._changeable("RepositoryModelUnload")
        with self._lock_of(name):
            try:
                is_removed = remove_model(path, name)
            except (BadServingConfig, OSError) as error:
                raise ReloadFailed(str(error)) from error
            if not is_removed:
                raise ModelNotFound(name)
            self._reloader.reload(_LOAD_LIMIT_S, only=name)

    def loadable(self) -> tuple[str, ...]:
        """Name the models on the volume that could be loaded and never were."""
        if self._mode != EXPLICIT or self._path is None:
            return ()
        known = self._registry.snapshot.models
        folders = sorted(path for path in self._path.parent.iterdir() if path.is_dir())
        return tuple(f.name for f in folders if f.name not in known and versions_of(f))

    def _lock_of(self, name: str) -> threading.Lock:
        return self._locks[hash(name) % _LOCKS]

    def _changeable(self, wanted: str) -> Path:
        if self._mode != EXPLICIT:
            raise ControlRefused(is_polling=self._mode == POLL)
        if self._path is None:
            raise NoConfigFile(wanted)
        return self._path

    def _check(self, name: str) -> None:
        model = self._registry.get_model(name)
        if model.reason:
            raise LoadFailed(name, model.reason)
        loading = [s.version for s in model.statuses if s.state is VersionState.LOADING]
        if loading:
            raise LoadFailed(name, f"version {loading[0]} still loads after {_LOAD_LIMIT_S:g} s")
        if not model.versions:
            raise LoadFailed(name, "no version is AVAILABLE")

    def _undo(
        self,
        path: Path,
        entry: Mapping[str, Any],
        before: Mapping[str, Any] | None,
        published: list[Path],
    ) -> None:
        """Put config.json and the volume back; a new entry with a version that serves stays."""
        name = str(entry["name"])
        model = self._registry.snapshot.models.get(name)
        changed = bool(published)
        if before is not None or published or model is None or not model.versions:
            changed |= withdraw_model(path, name, before)
        _take_back(published)
        if changed:
            self._reloader.reload(_LOAD_LIMIT_S, only=name)


@contextmanager
def _failing_with(name: str) -> Iterator[None]:
    """Let faults of files and of config.json be told as a failed load."""
    try:
        yield
    except ReloadFailed as error:
        raise LoadFailed(name, error.reason) from error
    except (BadServingConfig, FileExistsError, ValueError) as error:
        raise LoadFailed(name, str(error)) from error
    except OSError as error:
        raise LoadFailed(
            name, f"failed to poll from model repository: {error.strerror}: {error.filename}"
        ) from error


def _find_entry(path: Path, name: str) -> dict[str, Any] | None:
    text = read_config_text(path) if path.exists() else _EMPTY
    entries = load_document(text, path)["model_config_list"]
    found = next((entry for entry in entries if entry_name(entry) == name), None)
    return dict(found["config"]) if found else None


def _publish(folder: Path, entry: Mapping[str, Any], versions: Mapping[int, Files]) -> list[Path]:
    """Put the files of a request onto the volume, version by version."""
    name = str(entry["name"])
    if versions and (folder / str(entry.get("base_path"))) != folder / stored_name(name):
        raise InvalidInput(
            f"parameter '{_FILE}' - files can be published into {folder / stored_name(name)} only, "
            f"and base_path of '{name}' is {entry.get('base_path')}"
        )
    published: list[Path] = []
    try:
        for number, files in versions.items():
            published.append(publish_version(folder, name, number, _Filling(files)))
    except BaseException:
        _take_back(published)
        raise
    return published


def _take_back(published: list[Path]) -> None:
    for folder in published:
        shutil.rmtree(folder, ignore_errors=True)
        drop_empty_model(folder.parent)


class _Filling:
    """Writes files into the empty folder of a version."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def __call__(self, folder: Path) -> None:
        for name, content in self._files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def _by_version(model: str, files: Files) -> dict[int, dict[str, bytes]]:
    """Sort files by version.

    Raises:
        InvalidInput: names the parameter that is no `file:<version>/<path>` inside its version,
            or a model.json that is not a JSON object.
    """
    versions: defaultdict[int, dict[str, bytes]] = defaultdict(dict)
    for parameter, content in files.items():
        version, _, name = parameter.removeprefix(_FILE).partition("/")
        parts = name.split("/")
        is_inside = "\0" not in name and all(map(_is_plain, parts))
        number = version_number(version)
        if not (parameter.startswith(_FILE) and number and is_inside):
            raise InvalidInput(
                f"failed to load '{model}', Invalid file path: '{parameter[:80]}' - "
                f"Expected: {_FILE}<version>/<path in its folder>, names of at most "
                f"{_LONGEST_NAME} bytes"
            )
        if name == MANIFEST:
            _check_manifest(model, parameter, content)
        versions[number][name] = content
    return dict(versions)


def _check_manifest(model: str, parameter: str, content: bytes) -> None:
    """Refuse, before any version is published, a manifest into which no sums can be written."""
    try:
        is_object = isinstance(parse_json(content), dict)
        found = "something else"
    except ValueError as error:
        is_object, found = False, str(error)
    if not is_object:
        raise InvalidInput(
            f"failed to load '{model}', '{parameter}' - Expected: a JSON object; Actual: {found}"
        )


def _is_plain(part: str) -> bool:
    return bool(part) and not part.startswith(".") and len(part.encode()) <= _LONGEST_NAME
