"""What a validation found wrong, in words for who wrote the value."""

import re
from typing import TYPE_CHECKING, Any

from pydantic import BeforeValidator

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def fault_path(fault: "ErrorDetails") -> str:
    """Where the value is: `pipeline.fps`; empty when it is the whole."""
    return ".".join(map(str, fault["loc"]))


def fault_words(fault: "ErrorDetails") -> str:
    """What is wrong with it, without pydantic's words for what a file has."""
    words = fault["msg"].removeprefix("Value error, ")
    return words.replace("a valid tuple", "a list").replace("a valid dictionary", "a mapping")


def fault_text(fault: "ErrorDetails") -> str:
    """Where, then what."""
    path = fault_path(fault)
    return f"{path}: {fault_words(fault)}" if path else fault_words(fault)


def written_as(pattern: str, words: str) -> BeforeValidator:
    """A check of a text whose fault says in words how it is written; beside `Field(pattern=)`."""

    def check(value: Any) -> Any:
        if isinstance(value, str) and not re.search(pattern, value):
            raise ValueError(f"should be {words}")
        return value

    return BeforeValidator(check)
