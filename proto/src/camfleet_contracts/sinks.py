"""Sinks of events in cameras.yaml: where events go besides the stream."""

import re
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from camfleet_contracts.secret_references import checked_reference

STREAM = "websocket"  # /v1/stream, which is always there
SINK_NAME = re.compile(r"[a-z0-9-]{1,32}")
_TOPIC = re.compile(r"[^+#\s/]+(/[^+#\s/]+)*")
_SUBJECT = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_STREAM_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _checked_address(address: str, schemes: tuple[str, ...]) -> str:
    parts = urlsplit(address)
    if parts.scheme not in schemes or not parts.hostname:
        raise ValueError(f"must be {' or '.join(f'{one}://host[:port]' for one in schemes)}")
    if parts.port == 0:
        raise ValueError("port 0 cannot be connected to")
    if "@" in parts.netloc:
        raise ValueError("holds credentials; write them as credentials: ${env:NAME}")
    return address


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Remote(_Part):
    credentials: str | None = Field(
        None, description="user:password, only as ${env:NAME} or ${file:PATH}"
    )
    ca: str | None = Field(None, description="file of the CA that signed the other side")

    @field_validator("credentials")
    @classmethod
    def _no_secret(cls, text: str | None) -> str | None:
        return checked_reference(text)


class MqttSink(_Remote):
    """An MQTT broker; QoS 1."""

    kind: Literal["mqtt"]
    address: str = Field(description="mqtt://host[:1883] or mqtts://host[:8883]")
    topic: str | None = Field(None, description="first part of all topics; not given: the layout")
    layout: Literal["camfleet", "frigate"] = "camfleet"
    home_assistant: bool = Field(False, description="announce cameras, lines and zones to it")
    discovery_topic: str = "homeassistant"

    @field_validator("address")
    @classmethod
    def _broker(cls, address: str) -> str:
        return _checked_address(address, ("mqtt", "mqtts"))

    @property
    def prefix(self) -> str:
        """First part of all topics."""
        return self.topic or self.layout

    @field_validator("topic", "discovery_topic")
    @classmethod
    def _topic_without_wildcards(cls, topic: str | None) -> str | None:
        if topic is not None and not _TOPIC.fullmatch(topic):
            raise ValueError("must be words with / between, without + # and spaces")
        return topic

    @model_validator(mode="after")
    def _discovery_of_our_topics(self) -> Self:
        if self.home_assistant and self.layout != "camfleet":
            raise ValueError("home_assistant needs layout: camfleet; use two sinks for both")
        return self


class WebhookSink(_Part):
    """One POST an event; the host must be in CAMFLEET_WEBHOOK_HOSTS."""

    kind: Literal["webhook"]
    address: str = Field(description="http(s)://host[:port]/path")
    secret: str | None = Field(None, description="key of the signature, only as a reference")
    token: str | None = Field(None, description="sent as Authorization: Bearer, a reference")
    ca: str | None = None
    timeout_s: float = Field(10, gt=0, le=25)

    @field_validator("address")
    @classmethod
    def _url(cls, address: str) -> str:
        return _checked_address(address, ("https", "http"))

    @field_validator("secret", "token")
    @classmethod
    def _no_secret(cls, text: str | None) -> str | None:
        return checked_reference(text)


class NatsSink(_Remote):
    """A JetStream stream of one or several NATS servers."""

    kind: Literal["nats"]
    address: str = Field(description="nats://host[:4222] or tls://..., several with commas between")
    subject: str = Field("camfleet", description="first part of all subjects")
    stream: str = Field("camfleet-events", description="made when no stream takes the subject")
    stream_bytes: int = Field(1_000_000_000, ge=1_000_000, description="of a stream made here")

    @property
    def servers(self) -> list[str]:
        """The addresses, each on its own."""
        return [one.strip() for one in self.address.split(",")]

    @field_validator("address")
    @classmethod
    def _servers(cls, address: str) -> str:
        for one in address.split(","):
            _checked_address(one.strip(), ("nats", "tls"))
        return address

    @field_validator("subject")
    @classmethod
    def _plain_subject(cls, subject: str) -> str:
        if not _SUBJECT.fullmatch(subject):
            raise ValueError("must be words of letters, digits, _ and - with dots between")
        return subject

    @field_validator("stream")
    @classmethod
    def _plain_stream(cls, stream: str) -> str:
        if not _STREAM_NAME.fullmatch(stream):
            raise ValueError("must be 1 to 64 letters, digits, _ and -")
        return stream


class FileSink(_Part):
    """A file with one event a line, rotated by size."""

    kind: Literal["file"]
    path: str = Field(description="below <state>/events/ unless absolute; ends in .jsonl or .txt")
    size_bytes: int = Field(100_000_000, ge=1000, description="rotated before it grows beyond")
    count: int = Field(5, ge=0, le=1000, description="older files kept as <path>.1, <path>.2 ...")
    fsync: Literal["always", "second", "never"] = "second"

    @field_validator("path")
    @classmethod
    def _events_file(cls, path: str) -> str:
        if PurePosixPath(path).suffix not in {".jsonl", ".txt"}:
            raise ValueError("must end in .jsonl or .txt")
        if ".." in PurePosixPath(path).parts:
            raise ValueError("must not contain '..'")
        return path


_AnySink = MqttSink | WebhookSink | NatsSink | FileSink
SinkSettings = Annotated[_AnySink, Field(discriminator="kind")]
_MODELS: dict[str, type[_AnySink]] = {
    get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(_AnySink)
}
SINK_KINDS = tuple(_MODELS)


def checked_sink_names(names: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The names as they are. Raises ValueError for one that no sink can have."""
    for name in names or ():
        if not SINK_NAME.fullmatch(name):
            raise ValueError(f"sink {name!r}: use 1 to 32 of a-z, 0-9 and '-'")
    return names


def parse_sink(name: str, entry: Any) -> SinkSettings:
    """The settings of a sink; one that is named like a kind is of that kind.

    Raises:
        ValueError: name, kind or a setting is wrong (pydantic's ValidationError is one).
        TypeError: the name of a setting is not text.
    """
    if name == STREAM or not SINK_NAME.fullmatch(name):
        raise ValueError(f"use 1 to 32 of a-z, 0-9 and '-', and not {STREAM!r}, which is there")
    if not isinstance(entry, dict):
        raise ValueError("must be a mapping of settings")  # noqa: TRY004 - of the file, not ours
    kind = entry.get("kind", name)
    if not isinstance(kind, str) or kind not in _MODELS:
        raise ValueError(f"kind: {kind!r} is not one of {', '.join(SINK_KINDS)}")
    return _MODELS[kind](**{**entry, "kind": kind})


def fault_of_sinks(sinks: dict[str, SinkSettings]) -> str | None:
    """Why these cannot be beside each other."""
    files: dict[str, str] = {}
    for name, sink in sinks.items():
        if isinstance(sink, FileSink):
            if sink.path in files:
                return f"path {sink.path!r} is that of sink {files[sink.path]!r}"
            files[sink.path] = name
    return None
