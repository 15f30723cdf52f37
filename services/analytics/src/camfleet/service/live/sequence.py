"""The newest group of pictures of a camera, and its fragments while somebody watches."""

from dataclasses import replace

from camfleet.service.live.muxer import Fragment, FragmentMuxer
from camfleet.service.live.stream import AccessUnit

_MOST_UNITS = 900
_MOST_BYTES = 16 * 2**20


class LiveSequence:
    """Keeps access units since the last key frame, and muxes each once for all viewers.

    Not for several threads; its camera holds a lock.
    """

    def __init__(self) -> None:
        self._units: list[AccessUnit] = []
        self._size_bytes = 0
        self._muxer: FragmentMuxer | None = None
        self._fragments: list[Fragment] = []
        self._watched = False
        self._is_too_long = False  # the group outgrew what is kept: new viewers wait for the next

    def add(self, unit: AccessUnit) -> Fragment | None:
        """Keep a unit; its fragment when watched."""
        if unit.is_key:
            self._begin()
        self._keep(unit)
        return self._mux(unit) if self._watched else None

    def _keep(self, unit: AccessUnit) -> None:
        self._size_bytes += len(unit.packet)
        if len(self._units) >= _MOST_UNITS or self._size_bytes >= _MOST_BYTES:
            self._is_too_long = True
            self._units, self._fragments = [], []
        if not self._is_too_long:
            self._units.append(unit)

    def watch(self) -> Fragment | None:
        """Begin to mux if nobody watched; all frames since the key frame as one fragment."""
        if not self._watched:
            self._watched = True
            for unit in self._units:
                self._mux(unit)
        if not self._fragments:
            return None
        payload = b"".join(fragment.payload for fragment in self._fragments)
        return replace(self._fragments[0], payload=payload)

    def unwatch(self) -> None:
        """Stop muxing."""
        self._watched = False
        self._muxer = None
        self._fragments = []

    def forget(self) -> None:
        """The connection ended: nothing kept may be shown to a new viewer."""
        self._begin()
        self._muxer = None

    def _begin(self) -> None:
        self._units = []
        self._fragments = []
        self._size_bytes = 0
        self._is_too_long = False

    def _mux(self, unit: AccessUnit) -> Fragment | None:
        if unit.is_key and (self._muxer is None or self._muxer.shape != unit.shape):
            self._muxer = FragmentMuxer(unit)
        if self._muxer is None:
            return None
        fragment = self._muxer.mux(unit)
        if fragment is not None and not self._is_too_long:
            self._fragments.append(fragment)
        return fragment
