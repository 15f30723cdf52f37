"""Which of the versions on the volume a model wants served (OVMS `model_version_policy`)."""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

DEFAULT_POLICY: Mapping[str, Any] = {"latest": {"num_versions": 1}}


def choose_versions(
    policy: Mapping[str, Any] | None,
    on_volume: Iterable[int],
    is_usable: Callable[[int], bool],
) -> set[int]:
    """Return the wanted versions: all, the latest n, or specific ones, as far as they are usable.

    A version that is not usable (incomplete, refused) makes room for the next older one.

    Raises:
        ValueError: the policy is not one of the three or its number is not one.
    """
    usable = filter(is_usable, sorted(on_volume, reverse=True))
    ((kind, options),) = (policy or DEFAULT_POLICY).items()
    match kind:
        case "all":
            return set(usable)
        case "latest":
            return set(
                islice(usable, _whole_number(options.get("num_versions", 1), "num_versions"))
            )
        case "specific":
            versions = {_whole_number(v, "versions") for v in options.get("versions", ())}
            return {number for number in usable if number in versions}
    raise ValueError(f"model_version_policy {kind!r} is unknown; use all, latest or specific")


def _whole_number(value: Any, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"model_version_policy: {what} must be whole numbers >= 1, got {value!r}")
    return value
