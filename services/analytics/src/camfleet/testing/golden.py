"""Golden results: what a run found is compared with what was found good once.

What differs from run to run by its nature is left out: times, durations, ids of devices and events.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

LEFT_OUT = frozenset({"timestamp", "duration", "device_id", "event_id", "epoch", "received"})
_SHOWN = 10


class Difference(NamedTuple):
    """Where two documents differ, as `[3].box.start_x`, and what is there."""

    place: str
    found: Any
    expected: Any

    def __str__(self) -> str:
        """One line."""
        return f"{self.place or 'all'}: found {self.found!r}, expected {self.expected!r}"


class Golden:
    """The golden files of one test module, in a folder beside it."""

    def __init__(self, folder: Path, *, update: bool) -> None:
        """`update` writes what is found in place of comparing it."""
        self._folder, self._update = folder, update

    def check(self, name: str, value: Any, tolerance: float = 0.01) -> None:
        """Compare with `golden/<name>.json`.

        Args:
            name: of the file.
            value: anything JSON can say, and arrays.
            tolerance: numbers may differ by this share, or by this much near 0.

        Raises:
            AssertionError: they differ, or there is no such file; it says how to update.
        """
        __tracebackhide__ = True  # pytest then shows the line of the test
        path = self._folder / f"{name}.json"
        found = plain(value)
        if self._update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
            return
        if not path.is_file():
            raise AssertionError(f"{path} is not there; pytest --update-golden writes it")
        unlike = list(differences(found, json.loads(path.read_text()), tolerance))
        if unlike:
            lines = "\n".join(f"  {one}" for one in unlike[:_SHOWN])
            more = f"\n  and {len(unlike) - _SHOWN} more" if len(unlike) > _SHOWN else ""
            raise AssertionError(
                f"{path.name} has {len(unlike)} differences; where the new values are right, "
                f"pytest --update-golden writes them\n{lines}{more}"
            )


def plain(value: Any) -> Any:
    """The value as JSON has it, without what differs from run to run."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items() if k not in LEFT_OUT}
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(one) for one in value]
    return value


def differences(
    found: Any, expected: Any, tolerance: float, place: str = ""
) -> Iterator[Difference]:
    """Where two documents differ by more than the tolerance."""
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in dict.fromkeys([*expected, *found]):
            pair = found.get(key), expected.get(key)
            yield from differences(*pair, tolerance, f"{place}.{key}".lstrip("."))
    elif isinstance(found, list) and isinstance(expected, list):
        if len(found) != len(expected):
            yield Difference(f"{place}.length".lstrip("."), len(found), len(expected))
        for number, pair in enumerate(zip(found, expected, strict=False)):
            yield from differences(*pair, tolerance, f"{place}[{number}]")
    elif not _is_alike(found, expected, tolerance):
        yield Difference(place, found, expected)


def _is_alike(found: Any, expected: Any, tolerance: float) -> bool:
    numbers = [v for v in (found, expected) if isinstance(v, int | float) and v is not True]
    if len(numbers) == 2 and found is not False and expected is not False:  # noqa: PLR2004 - both
        return math.isclose(found, expected, rel_tol=tolerance, abs_tol=tolerance)
    return type(found) is type(expected) and found == expected
