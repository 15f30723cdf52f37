"""JSON that people wrote: what is wrong with it is told in words for them."""

import json
from pathlib import Path
from typing import Any

from camfleet_contracts.files import read_text


def parse_json(text: str | bytes | bytearray) -> Any:
    """Parse JSON.

    Raises:
        ValueError: says what is wrong and, as JSONDecodeError, where.
    """
    try:
        return json.loads(text)
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise
    except RecursionError as error:
        raise ValueError("too deeply nested") from error
    except ValueError as error:  # Python refuses to read such an integer
        raise ValueError("a number has too many digits") from error


def read_json(path: Path) -> Any:
    """Parse a file, with or without a byte order mark.

    Raises:
        OSError: it cannot be read.
        ValueError: as `parse_json`.
    """
    return parse_json(read_text(path))
