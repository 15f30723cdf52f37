"""How fast a model is on this machine, as a plot in a cell."""

import base64
from dataclasses import dataclass

from camfleet.cli.packages.benchmark import Row, figure_of, measure
from camfleet.cli.settings import command_settings
from camfleet_workbench import html
from camfleet_workbench.plainly import plainly
from camfleet_workbench.plots import Plot


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Every runtime and precision that was tried; the last value of a cell."""

    model: str
    rows: tuple[Row, ...]

    @property
    def fastest(self) -> Row | None:
        """The row with the most inferences a second; None when nothing could run it."""
        return max((row for row in self.rows if row.told), key=lambda row: row.rate, default=None)

    def plot(self) -> Plot:
        """The rates as bars."""
        return Plot(figure_of(self.model, self.rows))

    def _repr_html_(self) -> str:
        rows = [
            (row.runtime, row.precision, f"{row.alone_ms:.2f} ms", f"{row.rate:.0f}/s", "")
            if row.told
            else (row.runtime, row.precision, "", "", row.reason)
            for row in self.rows
        ]
        headers = ("runtime", "precision", "one at a time", "together", "")
        data = base64.b64encode(self.plot()._repr_png_()).decode()
        return html.table(headers, rows) + f"<img alt='rates' src='data:image/png;base64,{data}'>"


@plainly
def benchmark(model: str, seconds: float = 1.0) -> Benchmark:
    """Measure a version of the volume, or a package, with all that can run it here.

    Best while the fleet rests. Needs the model server's program on this machine.

    Raises:
        CellError: there is no such model, or nothing here can run it.
    """
    return Benchmark(model, tuple(measure(command_settings(), model, seconds)))
