"""The ways a value of a model's entry can be written, and what each means."""

import math
import re
import sys
from collections.abc import Mapping
from typing import Any, TypeGuard

from camfleet_contracts.json_text import parse_json
from camfleet_contracts.names import sendable

COLOURS = ("RGB", "BGR", "GRAY", "NV12", "NV12_2", "I420", "I420_3")
PRECISIONS = (
    *("FP64", "FP32", "FP16", "BF16", "BOOL"),
    *("INT64", "INT32", "INT16", "INT8", "UINT64", "UINT32", "UINT16", "UINT8"),
)
_SIZE = re.compile(r"auto|-1|(\d{1,18})(?::(\d{1,18}))?")
_NAMED_LIST = re.compile(r"\s*([^\s,\[\]()]+?)\s*[:=]?\s*[\[(]([^\])]*)[\])]\s*(?:,|$)")
_SHORT_PRECISION = re.compile(r"(F|I|U)(\d+)")


def read_numbers(setting: Any) -> dict[str, list[float]] | list[float]:
    """Read `mean` or `scale`: a number, a list, a text of either, or one of these per input.

    Texts are `127.5`, `[123.7,116.8,103.5]` and `input:[..],other:[..]`.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(setting, str) and (named := _named_lists(setting)):
        setting = named
    if isinstance(setting, Mapping):
        return {name: _numbers_of(value) for name, value in setting.items()}
    return _numbers_of(setting)


def read_pair(text: str) -> tuple[str, str]:
    """Read `request:model` or one name for both, in capitals."""
    request, _, model = text.strip().upper().partition(":")
    return request.strip(), (model or request).strip()


def read_precision(text: str) -> str:
    """Return the datatype's name as KServe has it; `f32` and `u8` are taken for FP32 and UINT8.

    Raises:
        ValueError: there is no such datatype.
    """
    name = text.strip().upper()
    if short := _SHORT_PRECISION.fullmatch(name):
        name = {"F": "FP", "I": "INT", "U": "UINT"}[short.group(1)] + short.group(2)
    if name not in PRECISIONS:
        raise ValueError(f"{text!r} is not a precision; there are {', '.join(PRECISIONS)}")
    return name


def read_sizes(setting: str | list[int]) -> list[str] | None:
    """Return the sizes of a shape such as `(1,3,-1,200:500)` as texts; None stands for `auto`.

    Raises:
        ValueError: a size is not a number, range, -1 or auto.
    """
    if isinstance(setting, str) and setting.strip() == "auto":
        return None
    texts = setting.strip().strip("()[]").split(",") if isinstance(setting, str) else setting
    sizes = [str(text).strip() for text in texts if str(text).strip()]
    return [read_size(size) for size in sizes]


def read_size(text: str) -> str:
    """Return one size as it is written; raises ValueError when it is none."""
    size = _SIZE.fullmatch(text)
    if size is None or (size[2] and int(size[1]) > int(size[2])):
        raise ValueError(f"{text!r} is not a size, range (1:8), -1 or auto")
    return text


def is_name(value: Any) -> TypeGuard[str]:
    """Tell whether it is a text, not empty, that can be sent: JSON may hold half a character."""
    return isinstance(value, str) and value != "" and sendable(value) == value


def per_value(setting: Any) -> tuple[Any, ...]:
    """Return the values of a setting that may be one or one per input."""
    return tuple(setting.values()) if isinstance(setting, Mapping) else (setting,)


def check_batch_size(setting: int | str) -> int | str:
    """Raise ValueError for what is not a number, range, -1 or auto."""
    read_size(str(setting).strip())
    return setting


def check_shape(setting: Any) -> Any:
    """Raise ValueError for a shape that cannot be read."""
    for value in per_value(setting):
        read_sizes(value)
    return setting


def check_numbers(setting: Any) -> Any:
    """Raise ValueError for what `read_numbers` cannot read."""
    read_numbers(setting)
    return setting


def check_scale(setting: Any) -> Any:
    """Raise ValueError as `check_numbers`, and for a division by zero."""
    if any(0 in numbers for numbers in per_value(read_numbers(setting))):
        raise ValueError("scale divides, it must not be 0")
    return setting


def check_properties(properties: Any) -> Any:
    """Raise ValueError for values that no runtime could be given; names the property."""
    for name, value in properties.items() if isinstance(properties, dict) else ():
        if not _is_property(value):
            raise ValueError(
                f"{name!r} is {str(value)[:40]}; write a text, true, false or a number of 64 bits"
            )
    return properties


def check_colours(setting: Any) -> Any:
    """Raise ValueError for colour formats that do not exist."""
    unknown = [c for text in per_value(setting) for c in read_pair(text) if c not in COLOURS]
    if unknown:
        raise ValueError(
            f"{unknown[0]!r} is not a colour format; write request:model with {', '.join(COLOURS)}"
        )
    return setting


def check_precisions(setting: Any) -> Any:
    """Raise ValueError for datatypes that do not exist."""
    for text in per_value(setting):
        for name in read_pair(text):
            read_precision(name)
    return setting


def _is_property(value: Any) -> bool:
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return isinstance(value, str | float)


def check_policy(policy: dict[str, Any] | None) -> dict[str, Any] | None:
    """Raise ValueError unless it is one of all, latest and specific, with fitting numbers."""
    if policy is None:
        return None
    if len(policy) != 1 or set(policy) - {"all", "latest", "specific"}:
        raise ValueError("give exactly one of all, latest, specific")
    ((kind, options),) = policy.items()
    wanted = {"all": "{}", "latest": '{"num_versions": 2}', "specific": '{"versions": [1, 3]}'}
    if not isinstance(options, dict) or not _are_options_of(kind, options):
        raise ValueError(f"{kind} is written {wanted[kind]}, with whole numbers above 0")
    return policy


def _are_options_of(kind: str, options: dict[str, Any]) -> bool:
    if kind == "latest":
        return set(options) <= {"num_versions"} and _is_count(options.get("num_versions", 1))
    if kind == "specific":
        versions = options.get("versions")
        return (
            set(options) == {"versions"}
            and isinstance(versions, list)
            and all(map(_is_count, versions))
        )
    return not options


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= sys.maxsize


def _named_lists(text: str) -> dict[str, str]:
    """Return the lists of `a:[1,2],b:[3,4]` by name; empty when the text has another form."""
    if text.lstrip().startswith("{"):
        try:
            named = parse_json(text)
        except ValueError as error:
            raise ValueError(f"{text!r} is not JSON: {error}") from error
        return {str(name): value for name, value in named.items()}
    found = list(_NAMED_LIST.finditer(text))
    if "".join(match.group(0) for match in found).strip() != text.strip():
        return {}
    return {match.group(1): match.group(2) for match in found}


def _numbers_of(value: Any) -> list[float]:
    items = value if isinstance(value, list) else [value]
    if isinstance(value, str):
        items = [part for part in value.strip().strip("[]()").split(",") if part.strip()]
    try:
        numbers = [float(item) for item in items]
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{value!r} is neither a number nor a list such as [123.7,116.8,103.5]"
        ) from error
    if not numbers:
        raise ValueError(f"{value!r} holds no number")
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"{value!r} must hold finite numbers")
    return numbers
