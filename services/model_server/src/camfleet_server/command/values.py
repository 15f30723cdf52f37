"""Reads the values of options; what cannot be read is told in one line."""

import argparse
from typing import Any

from camfleet_contracts.json_text import parse_json

_MOST_SECONDS = 1_000_000_000  # no clock or lock takes infinity


def port(text: str) -> int | None:
    """Read a port; None for auto."""
    if text == "auto":
        return None
    if not text.isdecimal() or int(text) > 65535:  # noqa: PLR2004 - the range of ports
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to 65535, or auto)")
    return int(text)


def whole_number(text: str) -> int:
    """Read a whole number from 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)


def count(text: str) -> int:
    """Read a whole number from 1."""
    if whole_number(text) == 0:
        raise argparse.ArgumentTypeError("must be at least 1")
    return int(text)


def seconds(text: str) -> float:
    """Read seconds; what is below 0 is off, as in OVMS."""
    try:
        given = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from error
    if not given <= _MOST_SECONDS:  # nor is NaN
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number of seconds up to {_MOST_SECONDS}"
        )
    return max(0.0, given)


def positive_seconds(text: str) -> float:
    """Read seconds, more than 0."""
    if not (given := seconds(text)):
        raise argparse.ArgumentTypeError("must be more than 0 seconds")
    return given


def truth(text: str) -> bool:
    """Read true or false."""
    values = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in values:
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return values[text.lower()]


def names(text: str) -> tuple[str, ...]:
    """Read names between commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def addresses(text: str) -> tuple[str, ...]:
    """Read one address or more between commas."""
    if not (given := names(text)):
        raise argparse.ArgumentTypeError(f"{text!r} names no address")
    return given


def channel_arguments(text: str) -> tuple[tuple[str, int | str], ...]:
    """Read name=value pairs between commas."""
    pairs = [item.partition("=") for item in names(text)]
    wrong = [name for name, equals, value in pairs if not (name and equals and value)]
    if wrong:
        raise argparse.ArgumentTypeError(f"{wrong[0]!r} is not of the form name=value")
    return tuple((name.strip(), _number_or_text(value.strip())) for name, _, value in pairs)


def text_or_json(text: str) -> Any:
    """Read a text, or a JSON object where it begins with a brace."""
    return json_object(text) if text.lstrip().startswith("{") else text


def json_object(text: str) -> Any:
    """Read a JSON object."""
    try:
        read = parse_json(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not JSON: {error}") from error
    if not isinstance(read, dict):
        raise argparse.ArgumentTypeError(f"{text!r} must be a JSON object {{...}}")
    return read


def _number_or_text(text: str) -> int | str:
    return int(text) if text.removeprefix("-").isdecimal() else text
