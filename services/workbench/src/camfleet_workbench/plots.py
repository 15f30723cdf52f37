"""Plots that a cell shows, without matplotlib's global state."""

import io
from dataclasses import dataclass

from matplotlib.figure import Figure

_DPI = 100


@dataclass(frozen=True, slots=True)
class Plot:
    """A figure; the last value of a cell."""

    figure: Figure

    def _repr_png_(self) -> bytes:
        drawn = io.BytesIO()
        self.figure.savefig(drawn, format="png", dpi=_DPI)
        return drawn.getvalue()
