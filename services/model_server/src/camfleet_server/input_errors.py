"""How the tensors of a request can differ from those of the model.

InvalidInput
├── WrongInputCount           too many or too few inputs
├── MissingInput              an input of the model is not in the request
├── WrongRank                 another number of dimensions than the model's
├── WrongShape                the right rank, and a wrong dimension
├── WrongBatch                only the first dimension, the batch, differs
├── WrongDatatype             another datatype than the model's
└── UnknownOutput             the request wants an output that the model does not have

The texts are those of OpenVINO Model Server, with the details behind a dash.
"""

from collections.abc import Collection, Sequence

from camfleet_server.errors import InvalidInput


class WrongInputCount(InvalidInput):
    """Too many or too few inputs."""

    def __init__(self, expected: Collection[str], actual: Collection[str]) -> None:
        """Say both counts, and the names the model has."""
        super().__init__(
            f"Invalid number of inputs - Expected: {len(expected)}; Actual: {len(actual)}; "
            f"inputs: {', '.join(expected)}"
        )


class MissingInput(InvalidInput):
    """An input of the model is not in the request."""

    def __init__(self, name: str, sent: Collection[str]) -> None:
        """Name the input, and what there is instead."""
        super().__init__(
            f"Missing input with specific name - Required input: {name}; sent: {', '.join(sent)}"
        )


class WrongRank(InvalidInput):
    """The input has another number of dimensions than the model's."""

    def __init__(self, name: str, expected: Sequence[int], actual: Sequence[int]) -> None:
        """Say both shapes."""
        super().__init__(_mismatch("number of shape dimensions", name, expected, actual))


class WrongShape(InvalidInput):
    """The input has the right rank and a wrong dimension."""

    def __init__(self, name: str, expected: Sequence[int | str], actual: Sequence[int]) -> None:
        """Say both shapes."""
        super().__init__(_mismatch("input shape", name, expected, actual))


class WrongBatch(InvalidInput):
    """Only the first dimension, the batch, differs from the model's."""

    def __init__(self, name: str, expected: int | str, actual: int) -> None:
        """Say both batch sizes."""
        super().__init__(
            f"Invalid input batch size - Expected: {expected}; Actual: {actual}; input name: {name}"
        )


class WrongDatatype(InvalidInput):
    """The input has another datatype than the model's."""

    def __init__(self, name: str, expected: str, actual: str) -> None:
        """Say both datatypes, as KServe writes them."""
        super().__init__(
            f"Invalid input precision - Expected: {expected}; Actual: {actual}; input name: {name}"
        )


class UnknownOutput(InvalidInput):
    """The request wants an output the model does not have."""

    def __init__(self, name: str, available: Sequence[str]) -> None:
        """Name the output and those there are."""
        super().__init__(
            f"Missing output with specific name - Requested output: {name}; "
            f"outputs: {', '.join(available)}"
        )


def _mismatch(what: str, name: str, expected: Sequence[int | str], actual: Sequence[int]) -> str:
    return (
        f"Invalid {what} - Expected: {_shape_text(expected)}; Actual: {_shape_text(actual)}; "
        f"input name: {name}"
    )


def _shape_text(shape: Sequence[int | str]) -> str:
    return "(" + ",".join(str(dimension) for dimension in shape) + ")"
