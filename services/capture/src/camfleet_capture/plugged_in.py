"""The cameras that `source: auto` stands for: one for each place where a device is or was."""

import asyncio
import os
from collections.abc import Callable, Iterable

from camfleet_capture.sources.v4l2.nodes import Devices, Node
from camfleet_contracts.logs import get_logger

POLL_S = 1.0
_LONGEST_NAME = 32

logger = get_logger(__name__)


class PluggedIn:
    """Remembers every place at which a camera was seen, so that an unplugged one stays in sight.

    `look` belongs to one thread at a time; everything else may be read by any.
    """

    def __init__(self, devices: Devices) -> None:
        self.devices = devices
        self.nodes: dict[str, Node] = {}  # by place, in its order; replaced, never changed
        self.present: frozenset[str] = frozenset()
        self._signature: object = None

    def look(self) -> bool:
        """Look which devices there are; tell whether that has changed."""
        self.devices.provide_nodes()
        signature = self.devices.signature()
        if signature == self._signature:
            return False
        nodes = {node.place: node for node in self.devices.find()}
        self._signature = signature
        is_changed = nodes.keys() != self.present
        self.present = frozenset(nodes)
        self.nodes = dict(sorted({**self.nodes, **nodes}.items()))
        return is_changed

    def names_of(self, entry: str, taken: Iterable[str]) -> dict[str, str]:
        """Return the places of an entry's cameras by their names, but for devices in `taken`."""
        others = {os.path.realpath(path) for path in taken}
        return {
            f"{entry[: _LONGEST_NAME - 1 - len(place)]}-{place}": place
            for place, node in self.nodes.items()
            if os.path.realpath(node.path) not in others
        }


async def follow_devices(
    plugged_in: PluggedIn, wanted: asyncio.Event, changed: Callable[[], None]
) -> None:
    """Call `changed` whenever a camera was plugged in or out while it is wanted; never returns."""
    while await wanted.wait():
        try:
            if await asyncio.to_thread(plugged_in.look):
                logger.info("cameras plugged in", places=sorted(plugged_in.present))
                changed()
        except Exception:  # the task's border: the next device must be seen too
            logger.exception("devices not followed", folder=str(plugged_in.devices.dev))
        await asyncio.sleep(POLL_S)
