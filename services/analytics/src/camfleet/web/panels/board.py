"""The panels that are open, and who looks at them. One event loop owns all of it."""

import asyncio
from dataclasses import dataclass, field

LARGEST_COUNT = 32


class TooManyPanels(Exception):
    """As many scripts show something as the page takes."""


@dataclass(eq=False, slots=True)
class Viewer:
    """A browser; sees the newest picture and text only, a slow one misses those between."""

    text: str | None = None
    jpeg: bytes | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self) -> tuple[str | None, bytes | None]:
        """What is new since the last time, None for what is not."""
        self.changed.clear()
        taken = self.text, self.jpeg
        self.text = self.jpeg = None
        return taken


@dataclass(eq=False, slots=True)
class Panel:
    """One script's picture and text; `changed` wakes who tells the script what people want."""

    name: str
    text: str = ""
    viewers: set[Viewer] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    is_to_stop: bool = False
    arrived: int = 0  # viewers so far

    def show(self, jpeg: bytes) -> None:
        """A new picture for everybody who looks; nothing is kept of it."""
        for viewer in self.viewers:
            viewer.jpeg = jpeg
            viewer.changed.set()

    def tell(self, text: str) -> None:
        """A new text, which later viewers get too."""
        self.text = text
        for viewer in self.viewers:
            viewer.text = text
            viewer.changed.set()

    def watch(self) -> Viewer:
        """A new viewer; the caller ends it with unwatch."""
        viewer = Viewer(text=self.text)
        viewer.changed.set()
        self.viewers.add(viewer)
        self.arrived += 1
        self.changed.set()
        return viewer

    def unwatch(self, viewer: Viewer) -> None:
        """The viewer left."""
        self.viewers.discard(viewer)
        self.changed.set()

    def ask_to_stop(self) -> None:
        """Somebody pressed the stop button."""
        self.is_to_stop = True
        self.changed.set()


class PanelBoard:
    """All open panels by name."""

    def __init__(self) -> None:
        self._panels: dict[str, Panel] = {}
        self._listeners: set[asyncio.Event] = set()

    @property
    def names(self) -> list[str]:
        """The names of open panels, in the order in which they were opened."""
        return list(self._panels)

    def find(self, name: str) -> Panel | None:
        """The open panel of this name."""
        return self._panels.get(name)

    def open(self, name: str) -> Panel:
        """A panel of this name, or of `name-2` and so on where it is taken.

        Raises:
            TooManyPanels: the page takes no more.
        """
        if len(self._panels) >= LARGEST_COUNT:
            raise TooManyPanels(f"{LARGEST_COUNT} scripts show something already; end one first")
        tries = (name, *(f"{name}-{number}" for number in range(2, LARGEST_COUNT + 2)))
        free = next(one for one in tries if one not in self._panels)
        self._panels[free] = Panel(free)
        self._tell_listeners()
        return self._panels[free]

    def close(self, panel: Panel) -> None:
        """The script ended: so do its viewers."""
        self._panels.pop(panel.name, None)
        panel.ended.set()
        for viewer in panel.viewers:
            viewer.changed.set()
        self._tell_listeners()

    def listen(self) -> asyncio.Event:
        """An event that is set at every change of the names; the caller ends it with leave."""
        changed = asyncio.Event()
        self._listeners.add(changed)
        return changed

    def leave(self, listener: asyncio.Event) -> None:
        """The listener left."""
        self._listeners.discard(listener)

    def _tell_listeners(self) -> None:
        for listener in self._listeners:
            listener.set()
