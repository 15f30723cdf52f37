"""Which module opens which kind of sink.

Imported on first use, so that one that lacks its library is the trouble of that sink alone.
"""

from contextlib import AbstractAsyncContextManager
from importlib import import_module
from typing import cast

from camfleet.service.sinks.ports import Delivery, Opener, SinkContext, SinkUnusable
from camfleet_contracts.sinks import SinkSettings

_OPENERS = {
    "mqtt": "camfleet.service.sinks.mqtt:open_mqtt",
    "webhook": "camfleet.service.sinks.webhook:open_webhook",
    "nats": "camfleet.service.sinks.jetstream:open_jetstream",
    "file": "camfleet.service.sinks.json_lines:open_json_lines",
}
_PACKAGES = {"aiomqtt": "aiomqtt", "nats": "nats-py", "httpx": "httpx"}  # by module


def open_sink(
    name: str, settings: SinkSettings, context: SinkContext
) -> AbstractAsyncContextManager[Delivery]:
    """The connection of a sink.

    Raises:
        SinkUnusable: its library is not installed.
    """
    module, _, function = _OPENERS[settings.kind].partition(":")
    try:
        opener = cast("Opener", getattr(import_module(module), function))
    except ImportError as error:
        missing = error.name or str(error)
        way = f"install it with: pip install {_PACKAGES.get(missing, missing)}"
        raise SinkUnusable(f"{missing} is not installed; {way}") from error
    return opener(name, settings, context)
