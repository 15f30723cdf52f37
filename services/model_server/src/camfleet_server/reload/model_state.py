"""One model as the reconciler sees it: what is loaded, being loaded, refused, waited for, gone.

Only the reconciler's thread touches it; what others see are the ServedModels it makes.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from camfleet_contracts.names import sendable
from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.reload.labels import Labels
from camfleet_server.reload.loader import LoadJob
from camfleet_server.reload.repository import VersionFiles
from camfleet_server.reload.version_policy import choose_versions
from camfleet_server.serving.model_version import LoadedVersion
from camfleet_server.serving.registry import ServedModel
from camfleet_server.types import VersionState, VersionStatus

_REMEMBERED_ENDS = 20


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a version was not loaded, and the key of what was refused: a change ends it."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class BrokenVersion:
    """Why a loaded version answers nobody any more, and when it may be loaded anew."""

    reason: str
    mend_at: float  # on time.monotonic()

    @property
    def text(self) -> str:
        """Return what a user reads."""
        return f"a request broke it ({self.reason}); it is being reloaded"


@dataclass(frozen=True, slots=True)
class Plan:
    """What shall happen to the versions of one model."""

    load: tuple[tuple[int, VersionFiles], ...] = ()
    retire: tuple[int, ...] = ()


class _Key(NamedTuple):
    """A load key and what it was made of: it is asked for at every pass and costs 0.1 ms."""

    files: VersionFiles
    config: ModelConfig
    text: str


@dataclass(slots=True)
class ModelState:
    """State of one model; `config` is None once it was removed from config.json."""

    name: str
    config: ModelConfig | None = None
    entry_fault: str = ""  # its entry in config.json cannot be used; the former one still counts
    fault: str = ""
    pass_fault: str = ""  # what nobody thought of, met while looking at this model
    labels: Labels = field(default_factory=Labels)
    loaded: dict[int, LoadedVersion] = field(default_factory=dict)
    broken: dict[int, BrokenVersion] = field(default_factory=dict)  # loaded, and of no use
    jobs: dict[int, LoadJob] = field(default_factory=dict)  # what is loaded was loaded by
    loading: dict[int, str] = field(default_factory=dict)  # number -> key
    refused: dict[int, Refusal] = field(default_factory=dict)
    waiting: dict[int, str] = field(default_factory=dict)  # number -> what for
    retiring: dict[int, int] = field(default_factory=dict)  # number -> how many drain
    ended: dict[int, None] = field(default_factory=dict)  # in order of their end
    settling: set[int] = field(default_factory=set)  # of those that wait: for nothing but time
    keys: dict[int, _Key] = field(default_factory=dict)

    @property
    def is_settling(self) -> bool:
        """Tell whether something only waits for files to come to rest."""
        return bool(self.settling)

    @property
    def is_from_its_folder(self) -> bool:
        """Tell whether what is loaded came from where config.json points now."""
        if self.config is None:
            return False
        paths = [self.jobs[number].source.folder for number in self.loaded]
        # A model file is its own base_path; a version folder lies in it.
        return any(self.config.base_path == (p if p.suffix else p.parent) for p in paths)

    @property
    def stuck(self) -> dict[int, str]:
        """Versions that wait for more than time, and what for."""
        return {n: reason for n, reason in self.waiting.items() if n not in self.settling}

    def plan(
        self,
        on_volume: Iterable[int],
        look_at: Callable[[int], VersionFiles],
        *,
        is_gone_for_good: bool,
    ) -> Plan:
        """Compare what is wanted with what is loaded.

        Args:
            on_volume: the versions there are.
            look_at: reads one of them; raises OSError when that is impossible at the moment.
            is_gone_for_good: an empty volume is no passing state.
        """
        numbers = set(on_volume)
        self._forget_missing(numbers)
        if self.config is None:
            self.fault = ""
            return Plan(retire=tuple(self.loaded))
        if not numbers:
            self.fault = _no_version_text(self.config)
            return Plan(retire=tuple(self.loaded) if is_gone_for_good else ())
        files: dict[int, VersionFiles] = {}
        policy = self.config.model_version_policy
        try:
            wanted = choose_versions(policy, numbers, lambda n: self._is_usable(n, look_at, files))
        except ValueError as error:
            self.fault = str(error)
            return Plan()
        self.fault = "" if wanted or self.refused or self.waiting else _no_fit_text(self.config)
        return Plan(
            load=tuple((n, files[n]) for n in sorted(wanted) if self._needs_load(n, files.get(n))),
            retire=self._retirees(wanted),
        )

    def served(self) -> ServedModel:
        """Return what others see of this model."""
        numbers = {*self.loaded, *self.loading, *self.refused, *self.waiting}
        numbers |= {*self.retiring, *self.ended}
        return ServedModel(
            name=self.name,
            versions=dict(self.loaded),
            statuses=tuple(map(_as_told, map(self._status, sorted(numbers, reverse=True)))),
            is_configured=self.config is not None or bool(self.entry_fault),
            fault=sendable("; ".join(filter(None, self._faults()))),
            labels=self.labels.versions,
            labels_fault=sendable(self.labels.fault),
            file=_single_file(self.config),
        )

    def install(self, loaded: LoadedVersion) -> LoadedVersion | None:
        """Put a loaded version in place and return the one of the same number it replaces."""
        number = loaded.number
        self.refused.pop(number, None)
        self.ended.pop(number, None)
        self.broken.pop(number, None)
        replaced = self.loaded.get(number)
        self.loaded[number] = loaded
        return replaced

    def mark_retiring(self, number: int) -> None:
        """Note that one loaded object of this version is draining."""
        self.retiring[number] = self.retiring.get(number, 0) + 1

    def mark_drained(self, number: int) -> None:
        """Note that a draining object is unloaded; the version ends unless it is served anew."""
        self.retiring[number] -= 1
        if self.retiring[number]:
            return
        del self.retiring[number]
        if number not in self.loaded:
            self.ended[number] = None
            while len(self.ended) > _REMEMBERED_ENDS:
                del self.ended[next(iter(self.ended))]

    @property
    def is_forgotten(self) -> bool:
        """Removed, and there is nothing left to tell."""
        rest = (self.loaded, self.loading, self.retiring, self.ended, self.entry_fault)
        return self.config is None and not any(rest)

    def _forget_missing(self, numbers: set[int]) -> None:
        self.waiting = {}
        self.settling = set()
        for number in self.refused.keys() - numbers:
            del self.refused[number]
        for number in self.keys.keys() - numbers:
            del self.keys[number]

    def _is_usable(
        self,
        number: int,
        look_at: Callable[[int], VersionFiles],
        files: dict[int, VersionFiles],
    ) -> bool:
        try:
            found = look_at(number)
        except OSError as error:
            self.waiting[number] = f"{error.filename} cannot be read: {error.strerror}"
            return number in self.loaded
        files[number] = found
        if found.waiting:
            self.waiting[number] = found.waiting
            if found.is_settling:
                self.settling.add(number)
            return number in self.loaded
        if not self._is_refused(number, found):
            self.refused.pop(number, None)  # what was refused is not there any more
            return True
        return number in self.loaded

    def _needs_load(self, number: int, found: VersionFiles | None) -> bool:
        if found is None or found.waiting or number in self.loading or self.config is None:
            return False
        if self._is_refused(number, found):
            return False
        loaded = self.loaded.get(number)
        return loaded is None or loaded.key != self._key_of(number, found, self.config)

    def _key_of(self, number: int, found: VersionFiles, config: ModelConfig) -> str:
        known = self.keys.get(number)
        if known is None or known.files is not found or known.config is not config:
            known = self.keys[number] = _Key(found, config, found.load_key(config))
        return known.text

    def _is_refused(self, number: int, found: VersionFiles) -> bool:
        refusal = self.refused.get(number)
        return bool(
            refusal and self.config and refusal.key == self._key_of(number, found, self.config)
        )

    def _retirees(self, wanted: set[int]) -> tuple[int, ...]:
        """Versions to let go: none while a wanted one is on its way or missing."""
        if not wanted or wanted - self.loaded.keys():
            return ()
        return tuple(self.loaded.keys() - wanted)

    def _faults(self) -> tuple[str, ...]:
        return (self.entry_fault, self.fault, self.pass_fault)

    def _status(self, number: int) -> VersionStatus:
        refusal = self.refused.get(number)
        reason = refusal.reason if refusal else ""
        if number in self.broken:
            return VersionStatus(number, VersionState.LOADING, self.broken[number].text)
        if number in self.loaded:
            fault = f"were refused: {reason}" if reason else ""
            if number in self.stuck:
                fault = f"cannot be loaded: {self.stuck[number]}"
            text = f"still serves its former files; the new ones {fault}" if fault else ""
            return VersionStatus(number, VersionState.AVAILABLE, text)
        if number in self.loading:
            return VersionStatus(number, VersionState.LOADING)
        if number in self.waiting:
            return VersionStatus(number, VersionState.START, self.waiting[number])
        if number in self.retiring:
            return VersionStatus(number, VersionState.UNLOADING)
        return VersionStatus(number, VersionState.END, reason)


def _as_told(status: VersionStatus) -> VersionStatus:
    """Reasons name files of the volume, whose names may be no UTF-8."""
    return replace(status, reason=sendable(status.reason)) if status.reason else status


def _single_file(config: ModelConfig | None) -> Path | None:
    path = config.base_path if config else Path()
    # Path.is_file raises for a path that is too long or closed to us, and so would every pass.
    return path if path.suffix and os.path.isfile(path) else None  # noqa: PTH113


def _no_version_text(config: ModelConfig) -> str:
    path = config.base_path
    if path.name.isdigit():
        return (
            f"no version found in {path}; if that is a version itself, base_path is {path.parent}"
        )
    if lost := _lost_link(path):
        return f"no version found in {path}; {lost} is a link that leads nowhere from here"
    return f"no version found in {path}; put the model's files into {path / '1'}"


def _lost_link(base_path: Path) -> Path | None:
    """Find a link to what is not there: a container does not see all that its host does."""
    try:
        links = [base_path] if base_path.is_symlink() else sorted(base_path.iterdir())
        return next((path for path in links if path.is_symlink() and not path.exists()), None)
    except OSError:
        return None


def _no_fit_text(config: ModelConfig) -> str:
    return (
        f"no version in {config.base_path} fits model_version_policy {config.model_version_policy}"
    )
