"""One output of a cell that changes while the cell runs; the border to IPython's display."""

from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import HTML, Image, display


def in_notebook() -> bool:
    """Whether somebody looks at a cell; False in a plain program."""
    return get_ipython() is not None


class CellOutput:
    """Shows one thing at a time. In a plain program it shows nothing."""

    def __init__(self) -> None:
        self._handle: Any = None

    def html(self, text: str) -> None:
        """Show HTML in the place of what was there."""
        self._show(HTML(text))  # type: ignore[no-untyped-call]  # untyped vendor

    def jpeg(self, content: bytes) -> None:
        """Show a picture in the place of what was there."""
        self._show(Image(data=content))  # type: ignore[no-untyped-call]  # untyped vendor

    def _show(self, shown: object) -> None:
        if self._handle is not None:
            self._handle.update(shown)
        elif in_notebook():
            self._handle = display(shown, display_id=True)  # type: ignore[no-untyped-call]  # untyped vendor
