"""version_labels.json in a model's folder: names under which clients ask for its versions."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from camfleet_contracts.json_text import read_json
from camfleet_server.serving.configuring import LABELS_NAME

_SETTLE_S = 0.2


@dataclass(frozen=True, slots=True)
class Labels:
    """Versions by label, and why the file as it is now is not used."""

    versions: Mapping[str, int] = field(default_factory=dict)
    fault: str = ""


@dataclass(frozen=True, slots=True)
class _Seen:
    stamp: tuple[int, int, int]
    labels: Labels
    former: Labels  # what counts until then
    counts_from: float


class LabelFiles:
    """Reads a file again when it changed; a bad one leaves the former labels. One thread's.

    A bad one is believed only when it has been so for a moment: until then it may be half-written.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[Path, _Seen] = {}  # by base path

    @property
    def is_settling(self) -> bool:
        """Tell whether a file may be half-written; look again soon."""
        return any(seen.counts_from > self._clock() for seen in self._seen.values())

    def read(self, base_path: Path) -> Labels:
        """Return the labels of the model in `base_path`; none where there is no file."""
        path = base_path / LABELS_NAME
        try:
            status = path.stat()
        except OSError:
            self.forget(base_path)
            return Labels()
        stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
        seen = self._seen.get(base_path)
        if seen is None or seen.stamp != stamp:
            seen = self._seen[base_path] = self._look(path, stamp, seen)
        return seen.labels if self._clock() >= seen.counts_from else seen.former

    def forget(self, base_path: Path) -> None:
        """Take note that there is no file."""
        self._seen.pop(base_path, None)

    def _look(self, path: Path, stamp: tuple[int, int, int], seen: _Seen | None) -> _Seen:
        now = self._clock()
        former = Labels()
        if seen:
            former = seen.labels if now >= seen.counts_from else seen.former
        labels = _read(path, former)
        return _Seen(stamp, labels, former, now + _SETTLE_S if labels.fault else now)


def _read(path: Path, former: Labels) -> Labels:
    try:
        return Labels(_parse(read_json(path)))
    except (OSError, ValueError) as error:
        kept = "the former labels stay" if former.versions else "it is not used"
        return Labels(former.versions, f"{LABELS_NAME}: {error}; {kept}")


def _parse(document: object) -> dict[str, int]:
    if not isinstance(document, dict):
        raise ValueError('must be an object such as {"stable": 3}')  # noqa: TRY004 - one kind of fault
    for label, version in document.items():
        if isinstance(version, bool) or not isinstance(version, int) or version < 1:
            raise ValueError(f"{label!r} must be the number of a version, got {version!r}")
    return document
