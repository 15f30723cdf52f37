"""What a request to load may change: keys of Triton's ModelConfig as config.json writes them."""

from collections.abc import Mapping, Sequence
from typing import Any

from camfleet_server.errors import InvalidInput

_KINDS = ("KIND_AUTO", "KIND_CPU", None)


def entry_changes(name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a model's entry in config.json a ModelConfig asks to change.

    Raises:
        InvalidInput: names the key that cannot be honoured, and what to do instead.
    """
    changes: dict[str, Any] = {}
    for key, value in config.items():
        match key:
            case "name" if value == name:
                pass
            case "max_batch_size" | "maxBatchSize" if value in (0, "0"):
                pass  # shapes are whole, as the model's config says
            case "version_policy" | "versionPolicy":
                changes["model_version_policy"] = _version_policy(value)
            case "instance_group" | "instanceGroup":
                changes["nireq"] = _instances(value)
            case _:
                raise InvalidInput(_refusal(name, key, value))
    return changes


def _refusal(name: str, key: str, value: Any) -> str:
    return (
        f"failed to load '{name}', parameter 'config' - {key} cannot be set to {str(value)[:60]}; "
        "version_policy and instance_group can, everything else belongs into config.json or "
        "model.json"
    )


def _version_policy(policy: Any) -> dict[str, Any]:
    kinds = policy if isinstance(policy, Mapping) else {}
    ((kind, given),) = kinds.items() if len(kinds) == 1 else (("", {}),)
    options = given if isinstance(given, Mapping) else {}
    if kind == "all":
        return {"all": {}}
    if kind == "latest":
        number = options.get("num_versions", options.get("numVersions", 1))
        return {"latest": {"num_versions": _whole(number, "num_versions")}}
    versions = options.get("versions")
    if kind == "specific" and isinstance(versions, Sequence) and not isinstance(versions, str):
        return {"specific": {"versions": [_whole(number, "versions") for number in versions]}}
    raise InvalidInput(
        "parameter 'config' - version_policy: Expected: one of all, latest, specific; "
        f"Actual: {str(policy)[:60]}"
    )


def _instances(groups: Any) -> int:
    if not isinstance(groups, list) or not all(isinstance(group, Mapping) for group in groups):
        raise InvalidInput("parameter 'config' - instance_group: Expected: a list of objects")
    for group in groups:
        unknown = group.keys() - {"name", "count", "kind"}
        if unknown or group.get("kind") not in _KINDS:
            raise InvalidInput(
                f"parameter 'config' - instance_group: {str(dict(group))[:60]} - only count is "
                "honoured; the device is target_device in config.json"
            )
    return sum(_whole(group.get("count", 1), "count") for group in groups)


def _whole(value: Any, what: str) -> int:
    is_number = isinstance(value, int | str) and not isinstance(value, bool)
    if not is_number or not str(value).isdecimal() or int(value) < 1:
        raise InvalidInput(
            f"parameter 'config' - {what}: Expected: a number from 1; Actual: {value!r}"
        )
    return int(value)
