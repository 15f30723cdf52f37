"""What can go wrong in the library; every text says what, which and what next.

CamfleetError
├── BadArgument          a number out of its range, a name that cannot be one
├── BadImage             an image that is empty, grey, of floats or of no picture's shape
├── NotLoaded            a service was asked before `load()`
├── UnsupportedEngine    no such engine, or not with that accelerator
├── WrongPurpose         the model is for another service
├── CannotShow           Streamer finds no page to show pictures on
├── InferenceError       the server or the model; see camfleet.inference.errors
├── CallbackFailed       a tracker's callback; see camfleet.object_trackers.errors
├── PublishError         results and events; see camfleet.publishing.errors
├── BadApplication       camfleet.app.json; see camfleet.apps.application
├── ReplayError          recorded results, annotations; see camfleet.replay.errors
├── AppFailed            an application of MultiStreamFramework
├── StreamError          a camera or file; see camfleet.streams.errors
├── ZoneError            zone_config.json; see camfleet.zone_list.errors
└── WriterError          a file or stream that is written; see camfleet.writers.errors
"""


class CamfleetError(Exception):
    """Base of all errors that the library raises on purpose."""


class BadArgument(CamfleetError, ValueError):
    """Something that was given cannot be used."""


class BadImage(CamfleetError, ValueError):
    """The image cannot be shown to a model."""


class NotLoaded(CamfleetError, RuntimeError):
    """A service was asked before it was loaded."""

    def __init__(self, service: str, model_id: str) -> None:
        super().__init__(
            f"{service}('{model_id}') is not loaded; call its load() once before the first image"
        )


class UnsupportedEngine(CamfleetError, ValueError):
    """No such engine, or it does not know that accelerator; says which there are."""


class WrongPurpose(CamfleetError, ValueError):
    """The model is for another service."""

    def __init__(self, service: str, model_id: str, fitting: str) -> None:
        super().__init__(f"model '{model_id}' is not for {service}; use {fitting}('{model_id}')")


class CannotShow(CamfleetError):
    """Neither a fleet's page nor one of the script's own can be had."""
