"""Errors that users can mend, shown in a cell as one line in the place of a traceback."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from camfleet.cli.errors import known_error_line
from camfleet.inference.errors import InferenceError

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class CellError(Exception):
    """A helper cannot do what it was asked; the text says what, which and what next."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows; its frames would only hide the line."""
        return [f"\x1b[1;31mcannot:\x1b[0m {self}"]


def plainly(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Raise CellError for what users can mend; a fault of ours keeps its traceback."""

    @functools.wraps(function)
    def told(*arguments: Parameters.args, **named: Parameters.kwargs) -> Result:
        try:
            return function(*arguments, **named)
        except CellError:
            raise
        except InferenceError as error:
            raise CellError(str(error)) from error
        except Exception as error:
            line = known_error_line(error)
            if line is None:
                raise
            raise CellError(line) from error

    return told
