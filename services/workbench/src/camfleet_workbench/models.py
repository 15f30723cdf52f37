"""The running model server, from a notebook."""

from camfleet.cli.server_status import served_models
from camfleet.cli.settings import command_settings
from camfleet.inference.channels import Access
from camfleet.inference.detector import ServerDetector
from camfleet.inference.model_client import ModelClient


def connect() -> ServerDetector:
    """A detector that asks the model server of CAMFLEET_SERVER (on this machine by default)."""
    return ServerDetector(connect_client())


def connect_client() -> ModelClient:
    """The client below the detector: raw tensors and the manifest they are read with."""
    settings = command_settings()
    key = settings.api_key.get_secret_value() if settings.api_key else None
    certificates = str(settings.tls_ca) if settings.tls_ca else None
    return ModelClient(settings.server, Access(key, certificates))


def available_models() -> dict[str, list[int]]:
    """The served models and their versions that can be asked now; empty when no server answers."""
    models = served_models(command_settings()) or {}
    versions = {
        name: [state.version for state in states if state.state == "AVAILABLE"]
        for name, states in models.items()
    }
    return {name: numbers for name, numbers in versions.items() if numbers}
