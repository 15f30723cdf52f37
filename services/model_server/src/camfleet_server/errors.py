"""Everything that can go wrong with a request, as one tree.

ServerError
├── ModelNotFound             no model of that name is configured
├── ModelVersionNotFound      the model has no such version
├── ModelVersionRetired       that version was served and is not any more
├── UnknownLabel              no version of the model has that label
├── ModelNotReady             it is configured, but not (yet) AVAILABLE
├── InvalidInput              the request does not fit the model or cannot be read
│   ├── of tensors, in ``input_errors.py``
│   └── of pictures, in ``images/errors.py``
├── QueueFull                 the model's queue has reached its bound
├── Superseded                a newer request of the same stream took its place
├── DeadlineExceeded          the client would not wait any longer
├── Abandoned                 the client went away while its request waited
├── ServerBusy                the transport has as much in hand as it may
├── InferenceFailed           the runtime raised while inferring
├── NotOffered                a method of the protocol this server does not have
├── ControlRefused            models are not loaded and unloaded on request in this mode
├── LoadFailed                a model that was to be loaded is not AVAILABLE
├── SharedMemoryOff           the server does not take tensors from shared memory
├── RegionNotFound            no shared-memory region of that name is registered
├── RegionExists              one is registered already
├── NoConfigFile              one model from the command line: there is no config.json to change
└── ReloadFailed              config.json was refused; what was served is still served

The errors carry values, never protocol codes: ``transports/codes.py`` maps them. The texts are
those of OpenVINO Model Server, with the details behind a dash.
"""

from collections.abc import Sequence


class ServerError(Exception):
    """Base of all errors a request can end with."""

    model: str = ""  # its own name where that is known, whatever path the client asked for


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


class UnknownLabel(ServerError):
    """No version of the model has that label."""

    def __init__(self, model: str, label: str, known: Sequence[str] = ()) -> None:
        """Name the label, in the words of TensorFlow Serving, and those there are."""
        super().__init__(
            f"Unrecognized servable version label: {label} - model: {model}; "
            f"labels: {', '.join(known) or 'none'}"
        )
        self.model = model


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

    def __init__(self, model: str) -> None:
        """Say what the request was doing when the deadline passed."""
        super().__init__(f"Request timeout expired - model: {model}; while waiting for its turn")
        self.model = model


class Abandoned(ServerError):
    """The client went away while its request waited; it was not inferred."""

    def __init__(self, model: str) -> None:
        """Name the model; only the log and the metrics get to see it."""
        super().__init__(f"Request abandoned by its client - model: {model}")
        self.model = model


class ServerBusy(ServerError):
    """The transport has as many requests, or bytes of them, in hand as it may."""

    def __init__(self, what: str, retry_after_s: float = 1.0) -> None:
        """Say which bound was reached and when to try again."""
        super().__init__(f"Server is busy - {what}; try again in {retry_after_s:g} s")
        self.retry_after_s = retry_after_s


class NotOffered(ServerError):
    """A method of the protocol that this server does not have."""

    def __init__(self, method: str, instead: str) -> None:
        """Name the method and what to use."""
        super().__init__(f"{method} is not offered; use {instead}")


class ControlRefused(ServerError):
    """Models are not loaded and unloaded on request in this mode."""

    def __init__(self, *, is_polling: bool) -> None:
        """Say why, in the words of Triton, and the ways out."""
        why = " if polling is enabled" if is_polling else ""
        super().__init__(
            f"explicit model load / unload is not allowed{why} - start the server with "
            "--model-control explicit, or change config.json"
        )


class LoadFailed(ServerError):
    """A model that was to be loaded is not AVAILABLE; what was served before still is."""

    def __init__(self, model: str, reason: str) -> None:
        """Name the model, in the words of Triton, and pass the reason on."""
        super().__init__(f"failed to load '{model}', {reason}")
        self.model = model


class SharedMemoryOff(ServerError):
    """The server does not take tensors from shared memory."""

    def __init__(self) -> None:
        """Say how to change that and what to do else."""
        super().__init__(
            "client shared memory is switched off - start the server with --allow-client-shm, "
            "or send the bytes"
        )


class RegionNotFound(ServerError):
    """No shared-memory region of that name is registered."""

    def __init__(self, name: str) -> None:
        """Name the region."""
        super().__init__(
            f"Unable to find shared memory region: '{name}' - register it before it is used"
        )


class RegionExists(ServerError):
    """A shared-memory region of that name is registered already."""

    def __init__(self, name: str) -> None:
        """Name the region."""
        super().__init__(
            f"shared memory region '{name}' already in manager - unregister it, or take another "
            "name"
        )


class NoConfigFile(ServerError):
    """What is served was named on the command line: there is no config.json to change."""

    def __init__(self, wanted: str) -> None:
        """Say what was wanted and how to start the server for it."""
        super().__init__(
            f"{wanted} needs a config.json - this server was started with --model_name and "
            "--model_path; start it with --config_path"
        )


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
