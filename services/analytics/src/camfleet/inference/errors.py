"""What can go wrong between a camera and its model.

InferenceError
├── ServerAbsent         nobody answers at the address; waiting helps
│   └── ServerSilent     somebody is there and does not answer in time
├── ServerBusy           the queue is full or the deadline passed; this frame is lost
├── ModelMissing         the server does not serve the model; somebody has to act
├── ModelNotReady        it is configured but not loaded; the server's reason follows
├── NoDecoder            served, but nothing tells how to read its answers
├── AccessRefused        the server does not accept our key
└── InferenceRefused     the server refused or failed this request
    └── OutputsOfABatch  it answered a batch in a way that cannot be taken apart
"""

from camfleet.errors import CamfleetError


class InferenceError(CamfleetError):
    """Base; the text is what the page shows: what, which, what next."""


class ServerAbsent(InferenceError):
    """Nobody answers at the address."""

    def __init__(self, server: str) -> None:
        super().__init__(
            f"no model server answers at {server}; start the fleet with `camfleet up`, "
            "or set CAMFLEET_SERVER=host:port"
        )
        self.server = server


class ServerSilent(ServerAbsent):
    """It takes requests, or connections at least, and does not answer."""

    def __init__(self, server: str) -> None:
        super().__init__(server)
        self.args = (f"model server {server} does not answer in time; it hangs or is overloaded",)


class ServerBusy(InferenceError):
    """The server could not take the request in time."""

    def __init__(self, server: str, reason: str) -> None:
        super().__init__(f"model server {server} is busy: {reason}")


class ModelMissing(InferenceError):
    """The server does not serve the model."""

    def __init__(self, model: str, server: str) -> None:
        way_out = f"run `camfleet model pull {model}` or add it to config.json"
        if ":" in model:
            way_out = "`camfleet model list` shows the versions that are"
        super().__init__(f"model '{model}' is not served by {server}; {way_out}")


class ModelNotReady(InferenceError):
    """The model is configured, but no version is loaded."""

    def __init__(self, model: str, reason: str) -> None:
        super().__init__(f"model '{model}' is not loaded: {reason}")


class NoDecoder(InferenceError):
    """Nothing tells how to read the model's answers."""

    def __init__(self, model: str) -> None:
        super().__init__(f"no decoder known for {model}; add model.json")


class AccessRefused(InferenceError):
    """The server does not accept our key."""

    def __init__(self, server: str) -> None:
        super().__init__(f"model server {server} refused our key; run `camfleet key list` there")


class InferenceRefused(InferenceError):
    """The server refused or failed this request."""

    def __init__(self, model: str, reason: str) -> None:
        super().__init__(f"model '{model}': {reason}")
        self.reason = reason


class OutputsOfABatch(InferenceRefused):
    """The answers to the pictures of a batch cannot be told apart."""

    def __init__(self, model: str, output: str, shape: tuple[int, ...], count: int) -> None:
        super().__init__(model, f"output '{output}' is {list(shape)} for a batch of {count}")
