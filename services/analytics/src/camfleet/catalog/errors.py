"""What can go wrong between a catalogue entry and a served model.

CatalogError
    UnknownModel      no entry of this name or alias
    DownloadFailed    a file cannot be had
        Unreachable       nobody answers: offline, or a wrong address
        WrongContent      what came is not what the catalogue says
    BadMirror         CAMFLEET_MIRROR cannot be used
"""

from collections.abc import Sequence


class CatalogError(Exception):
    """The tree's root; the text says what, which and what next."""


class UnknownModel(CatalogError):
    """The catalogue has no such model."""

    def __init__(self, model_id: str, near: Sequence[str]) -> None:
        hint = f"did you mean {' or '.join(near)}?" if near else "`camfleet model search` lists all"
        super().__init__(f"model '{model_id}' is not in the catalogue; {hint}")


class DownloadFailed(CatalogError):
    """A file cannot be had."""


class Unreachable(DownloadFailed):
    """Nobody answers at the address."""

    def __init__(self, name: str, url: str, reason: str) -> None:
        super().__init__(
            f"{name}: {url} cannot be reached ({reason}); offline, set CAMFLEET_MIRROR to a folder "
            "or URL with an INDEX.json that has it, or copy the model's folder to the volume"
        )


class WrongContent(DownloadFailed):
    """Size or sha256 differ from the catalogue."""

    def __init__(self, name: str, source: str, found: str, wanted: str) -> None:
        super().__init__(
            f"{name} from {source}: {found}, the catalogue says {wanted}; nothing was published, "
            "try again or correct catalog.json"
        )


class BadMirror(CatalogError):
    """The mirror has no readable INDEX.json."""

    def __init__(self, location: str, reason: str) -> None:
        super().__init__(
            f"CAMFLEET_MIRROR={location}: INDEX.json cannot be used ({reason}); "
            "give a folder or URL that has one, or unset it to download"
        )
