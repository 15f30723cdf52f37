"""Reads protobuf's text format (.prototxt, .pbtxt) without its classes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""\#[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[{}<>:;,\[\]]|[^\s{}<>:;,\[\]\#"']+"""
)
_OPENING, _CLOSING, _IGNORED = ("{", "<"), ("}", ">"), (":", ";", ",", "[", "]")
_BRACKETS = (*_OPENING, *_CLOSING)
_DEEPEST = 50


class BadText(ValueError):
    """This is not text of a protobuf message."""


@dataclass(slots=True)
class TextMessage:
    """The fields of a message in order; a value is a text, quotes removed, or a message."""

    fields: list[tuple[str, "str | TextMessage"]] = field(default_factory=list)

    def texts(self, name: str) -> list[str]:
        """Return the plain values of a field."""
        return [value for key, value in self.fields if key == name and isinstance(value, str)]

    def text(self, name: str) -> str:
        """Return the first plain value of a field, "" where there is none."""
        return next(iter(self.texts(name)), "")

    def messages(self, *names: str) -> "list[TextMessage]":
        """Return the messages under any of these names."""
        return [v for key, v in self.fields if key in names and isinstance(v, TextMessage)]

    def numbers(self, name: str) -> tuple[int, ...]:
        """Return the values of a field as numbers.

        Raises:
            BadText: one is none.
        """
        try:
            return tuple(int(text) for text in self.texts(name))
        except ValueError as error:
            raise BadText(f"{name}: {error}") from error


def read_text(text: str) -> TextMessage:
    """Parse a message.

    Raises:
        BadText: it does not end as it began, or says nothing.
    """
    tokens = (token for token in _TOKEN.findall(text) if not token.startswith(("#", *_IGNORED)))
    message = _read(tokens, 0)
    if not message.fields:
        raise BadText("it holds no fields")
    return message


def _read(tokens: Iterator[str], depth: int) -> TextMessage:
    if depth > _DEEPEST:
        raise BadText(f"nested deeper than {_DEEPEST}")
    message = TextMessage()
    for name in tokens:
        if name in _CLOSING and depth:
            return message
        value = next(tokens, "")
        if name in _BRACKETS or value in _CLOSING or not value:
            raise BadText(f"{name} {value} is not a field")
        held = _read(tokens, depth + 1) if value in _OPENING else value.strip("\"'")
        message.fields.append((name, held))
    if depth:
        raise BadText("it ends within a { }")
    return message
