"""One MQTT message to be."""

import re
from typing import NamedTuple

_NO_LEVEL = re.compile(r"[/+#\s\x00]+")


class Publication(NamedTuple):
    """A topic, what is said there, and whether the broker keeps it for who comes later."""

    topic: str
    payload: str
    is_retained: bool = False


def level(text: str) -> str:
    """The text as one level of a topic."""
    return _NO_LEVEL.sub("_", text) or "_"
