"""What a validation found wrong, in words for who wrote the value."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def fault_path(fault: "ErrorDetails") -> str:
    """Where the value is: `pipeline.fps`; empty when it is the whole."""
    return ".".join(map(str, fault["loc"]))


def fault_words(fault: "ErrorDetails") -> str:
    """What is wrong with it; pydantic puts words of its own before those of our validators."""
    return fault["msg"].removeprefix("Value error, ")


def fault_text(fault: "ErrorDetails") -> str:
    """Where, then what."""
    path = fault_path(fault)
    return f"{path}: {fault_words(fault)}" if path else fault_words(fault)
