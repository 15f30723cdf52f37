"""Everything that can go wrong with a request, as one tree.

ServerError
├── ModelNotFound             no model of that name is configured
├── ModelVersionNotFound      the model has no such version
├── ModelVersionRetired       that version was served and is not any more
├── ModelNotReady             it is configured, but not (yet) AVAILABLE
├── InvalidInput              the request does not fit the model or cannot be read
│   ├── WrongInputCount, MissingInput, WrongRank, WrongBatch, WrongShape, WrongDatatype
│   └── UnknownOutput
├── QueueFull                 the model's queue has reached its bound
├── Superseded                a newer request of the same stream took its place
├── DeadlineExceeded          the client would not wait any longer
├── InferenceFailed           the runtime raised while inferring
└── ReloadFailed              config.json was refused; what was served is still served

The errors carry values, never protocol codes: ``transports/codes.py`` maps them. The texts are
those of OpenVINO Model Server, with the details behind a dash.
"""

from collections.abc import Sequence


class ServerError(Exception):
    """Base of all errors a request can end with."""


class ModelNotFound(ServerError):
    """No model of that name is configured."""

    def __init__(self, model: str) -> None:
        """Name the unknown model, in the words of Triton and of OVMS."""
        super().__init__(
            f"Request for unknown model: '{model}' is not found "
            "(Model with requested name is not found)"
        )
        self.model = model


class ModelVersionNotFound(ServerError):
    """The model is there, the version is not."""

    def __init__(self, model: str, version: int) -> None:
        """Name model and version, in the words of Triton and of OVMS."""
        super().__init__(
            f"Request for unknown model: '{model}' version {version} is not found "
            "(Model with requested version is not found)"
        )
        self.model = model
        self.version = version


class ModelVersionRetired(ServerError):
    """The version was served once and has been unloaded."""

    def __init__(self, model: str, version: int) -> None:
        """Name the version that is gone."""
        super().__init__(
            f"Model with requested version is retired - model: {model}; version: {version}"
        )
        self.model = model
        self.version = version


class ModelNotReady(ServerError):
    """Configured, but not AVAILABLE; ``reason`` says why when that is known."""

    def __init__(self, model: str, version: int | None = None, reason: str = "") -> None:
        """Name model and version and pass the reason on."""
        details = f"model: {model}" + ("" if version is None else f"; version: {version}")
        details += f"; reason: {reason}" if reason else ""
        super().__init__(f"Model with requested version is not loaded yet - {details}")
        self.model = model
        self.version = version
        self.reason = reason


class InvalidInput(ServerError):
    """The request cannot be read or does not fit the model; the text says what and where."""


class WrongInputCount(InvalidInput):
    """Too many or too few inputs."""

    def __init__(self, expected: int, actual: int) -> None:
        """Say both counts."""
        super().__init__(
            f"Invalid number of inputs - Expected: {expected}; Actual: {actual}",
        )


class MissingInput(InvalidInput):
    """An input of the model is not in the request."""

    def __init__(self, name: str) -> None:
        """Name the input."""
        super().__init__(f"Missing input with specific name - Required input: {name}")


class WrongRank(InvalidInput):
    """The input has another number of dimensions than the model's."""

    def __init__(self, name: str, expected: Sequence[int], actual: Sequence[int]) -> None:
        """Say both shapes."""
        super().__init__(_mismatch("number of shape dimensions", name, expected, actual))


class WrongShape(InvalidInput):
    """The input has the right rank and a wrong dimension."""

    def __init__(self, name: str, expected: Sequence[int], actual: Sequence[int]) -> None:
        """Say both shapes."""
        super().__init__(_mismatch("input shape", name, expected, actual))


class WrongBatch(InvalidInput):
    """Only the first dimension, the batch, differs from the model's."""

    def __init__(self, name: str, expected: int, actual: int) -> None:
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


class QueueFull(ServerError):
    """The model's queue has reached its bound; try again in ``retry_after_s``."""

    def __init__(self, model: str, limit: int, retry_after_s: float = 1.0) -> None:
        """Say the bound and when to try again."""
        super().__init__(
            f"Exceeds maximum queue size - model: {model}; waiting: {limit}; "
            f"try again in {retry_after_s:g} s"
        )
        self.model = model
        self.limit = limit
        self.retry_after_s = retry_after_s


class Superseded(ServerError):
    """A newer request of the same stream took this one's place in the queue."""

    def __init__(self, model: str, stream_id: str) -> None:
        """Name the stream."""
        super().__init__(
            f"Request superseded by a newer one of its stream - model: {model}; stream: {stream_id}"
        )
        self.model = model
        self.stream_id = stream_id


class DeadlineExceeded(ServerError):
    """The deadline passed before the answer was there."""

    def __init__(self, model: str, stage: str = "waiting for its turn") -> None:
        """Say what the request was doing when the deadline passed."""
        super().__init__(f"Request timeout expired - model: {model}; while {stage}")
        self.model = model
        self.stage = stage


class InferenceFailed(ServerError):
    """The runtime raised while inferring."""

    def __init__(self, model: str, version: int, reason: str) -> None:
        """Name the version and pass the runtime's reason on."""
        super().__init__(
            f"Internal inference error - model: {model}; version: {version}; reason: {reason}"
        )
        self.model = model
        self.version = version
        self.reason = reason


class ReloadFailed(ServerError):
    """config.json was refused; the reason names file and line."""

    def __init__(self, reason: str) -> None:
        """Pass on why, so that nobody has to look into the log."""
        super().__init__(f"Reloading config file failed. {reason}")
        self.reason = reason


def _mismatch(what: str, name: str, expected: Sequence[int], actual: Sequence[int]) -> str:
    return (
        f"Invalid {what} - Expected: {_shape_text(expected)}; Actual: {_shape_text(actual)}; "
        f"input name: {name}"
    )


def _shape_text(shape: Sequence[int]) -> str:
    return "(" + ",".join(str(dimension) for dimension in shape) + ")"
