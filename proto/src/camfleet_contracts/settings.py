"""Addresses, folders and switches that every service reads from the environment (once)."""

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from camfleet_contracts.faults import fault_text, written_as

LOCAL = "local"  # CAMFLEET_SERVER of scripts that want a model server of their own
_PUBLIC_URL = r"^(https?://[^/\s]+)?$"  # what stands before /login in a link; the gateway's address
_BASE_URL = r"^/([\w-]+/)*$"
_LOG_LEVEL = r"^(?i:TRACE|DEBUG|INFO|WARNING|ERROR|)$"
_PublicUrl = Annotated[
    str, written_as(_PUBLIC_URL, "an address without a path, such as https://box.example")
]
_LogLevel = Annotated[
    str, written_as(_LOG_LEVEL, "one of TRACE (as DEBUG), DEBUG, INFO, WARNING, ERROR")
]
_BaseUrl = Annotated[str, written_as(_BASE_URL, "/ or a path between slashes, such as /lab/")]
_FOLLOWS = "default_factory_not_called"  # the fault of another setting that this one begins with


class BadSettings(ValueError):
    """A value of the environment or of a command cannot be used; the text names which."""


class FleetSettings(BaseSettings):
    """The fleet's settings; each field names its environment variable.

    Defaults are those of `make run`: folders below `var/`, everything on loopback.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    rtsp_port: int = Field(8554, validation_alias="RTSP_PORT", ge=0, le=65535)
    capture_http_port: int = Field(8553, validation_alias="CAPTURE_HTTP_PORT", ge=0, le=65535)
    grpc_port: int = Field(9000, validation_alias="GRPC_PORT", ge=0, le=65535)
    rest_port: int = Field(8000, validation_alias="REST_PORT", ge=0, le=65535)
    streamer_port: int = Field(5000, validation_alias="STREAMER_PORT", ge=0, le=65535)
    jupyter_port: int = Field(8888, validation_alias="JUPYTER_PORT", ge=0, le=65535)

    models_dir: Path = Field(Path("var/models"), validation_alias="MODELS_DIR")
    state_dir: Path = Field(Path("var/state"), validation_alias="CAMFLEET_STATE")
    cache_dir: Path = Field(Path("var/cache"), validation_alias="CAMFLEET_CACHE")
    recordings_dir: Path = Field(Path("var/recordings"), validation_alias="CAMFLEET_RECORDINGS")
    notebooks_dir: Path = Field(Path("var/notebooks"), validation_alias="CAMFLEET_NOTEBOOKS")
    cameras: Path | None = Field(None, validation_alias="CAMERAS_FILE")

    server: str = Field(
        default_factory=lambda fields: f"127.0.0.1:{fields['grpc_port']}",
        validation_alias="CAMFLEET_SERVER",
    )
    capture: str = Field(
        default_factory=lambda fields: f"rtsp://127.0.0.1:{fields['rtsp_port']}",
        validation_alias="CAMFLEET_CAPTURE",
    )
    capture_http: str = Field("", validation_alias="CAMFLEET_CAPTURE_HTTP")

    analytics: str = Field("", validation_alias="CAMFLEET_ANALYTICS")

    bind_address: str = Field("127.0.0.1", validation_alias="BIND_ADDRESS")
    allow_cidr: str = Field("", validation_alias="ALLOW_CIDR")
    public_url: _PublicUrl = Field("", validation_alias="CAMFLEET_PUBLIC_URL", pattern=_PUBLIC_URL)
    jupyter_base_url: _BaseUrl = Field("/", validation_alias="JUPYTER_BASE_URL", pattern=_BASE_URL)
    api_key: SecretStr | None = Field(None, validation_alias="CAMFLEET_API_KEY")
    service_key: SecretStr | None = Field(
        None, validation_alias="CAMFLEET_SERVICE_KEY", min_length=24
    )
    tls_cert: Path | None = Field(None, validation_alias="CAMFLEET_TLS_CERT")
    tls_key: Path | None = Field(None, validation_alias="CAMFLEET_TLS_KEY")
    tls_ca: Path | None = Field(None, validation_alias="CAMFLEET_TLS_CA")
    device_id: str | None = Field(None, validation_alias="CAMFLEET_DEVICE_ID")
    balena_uuid: str | None = Field(None, validation_alias="BALENA_DEVICE_UUID")

    webhook_hosts: str = Field("", validation_alias="CAMFLEET_WEBHOOK_HOSTS")
    stream_connections: int = Field(50, validation_alias="CAMFLEET_STREAM_CONNECTIONS", ge=1)
    stream_rate: float = Field(1000, validation_alias="CAMFLEET_STREAM_RATE", gt=0)

    mirror: str | None = Field(None, validation_alias="CAMFLEET_MIRROR")
    user: str = Field("", validation_alias="CAMFLEET_USER")
    notebook: str = Field("", validation_alias="JPY_SESSION_NAME")  # Jupyter tells its kernels

    log_level: _LogLevel = Field("INFO", validation_alias="CAMFLEET_LOG_LEVEL", pattern=_LOG_LEVEL)

    camera_source: str | None = Field(None, validation_alias="CAMERA_SOURCE")
    camera_name: str = Field("camera", validation_alias="CAMERA_NAME")
    camera_model: str | None = Field(None, validation_alias="CAMERA_MODEL")
    camera_fps: float | None = Field(None, validation_alias="CAMERA_FPS")
    gst_rtsp_pipeline: str | None = Field(None, validation_alias="GST_RTSP_PIPELINE")
    camera_confidence: float | None = Field(None, validation_alias="CAMERA_CONFIDENCE")

    @property
    def cameras_file(self) -> Path:
        """cameras.yaml: `CAMERAS_FILE`, else the one on the model volume."""
        return self.cameras or self.models_dir / "cameras.yaml"


def read_settings(**overrides: Any) -> FleetSettings:
    """Read the environment; `overrides` (field names) win, None means not given.

    Raises:
        BadSettings: a value cannot be used.
    """
    try:
        return FleetSettings(**{k: v for k, v in overrides.items() if v is not None})
    except ValidationError as error:
        texts = (
            fault_text(fault)
            for fault in error.errors(include_url=False, include_input=False)
            if fault["type"] != _FOLLOWS
        )
        raise BadSettings("; ".join(texts)) from None


def process_environment() -> dict[str, str]:
    """Return all variables: what a child inherits, and what ${env:NAME} may name."""
    return dict(os.environ)  # noqa: TID251 - the one place


def environment_of(settings: FleetSettings) -> dict[str, str]:
    """Return this process's environment with these settings in it, to start a service with."""
    environment = process_environment()
    for name, field in FleetSettings.model_fields.items():
        value = getattr(settings, name)
        if value is not None and name in settings.model_fields_set:
            plain = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            environment[str(field.validation_alias)] = plain
    return environment
