"""What can go wrong between a catalogue entry and a served model.

CatalogError
    UnknownModel      no entry of this name or alias
    DownloadFailed    a file cannot be had
        Unreachable       nobody answers: offline, or a wrong address
        BadAnswer         the server refuses, or its answer cannot be trusted to be whole
        WrongContent      size or sha256 are not those wanted
        PinnedOtherwise   the sha256 is not the one that the first pull found
    BadMirror         CAMFLEET_MIRROR cannot be used
"""

from collections.abc import Sequence
from pathlib import Path

from camfleet.catalog.addresses import public_address


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


class BadAnswer(DownloadFailed):
    """The server answers, and not with the file."""

    def __init__(self, name: str, url: str, what: str) -> None:
        super().__init__(f"{name}: {url} {what}")


class WrongContent(DownloadFailed):
    """Size or sum differ from those wanted; nothing was published."""

    def __init__(
        self, name: str, source: str | Path, difference: tuple[str, str], sha256: str = ""
    ) -> None:
        """`difference` is what was found and what was wanted.

        `sha256` is that of what came, empty where it did not come whole.
        """
        self.place = public_address(source) if isinstance(source, str) else source
        self.sha256 = sha256
        found, expected = difference
        super().__init__(
            f"{name} from {self.place}: {found}, wanted {expected}; nothing was published, "
            "try again or correct what is wanted (catalog.json, --sha256)"
        )


class PinnedOtherwise(DownloadFailed):
    """A file without a known sha256 is not what it was when it was first pulled."""

    def __init__(self, path: str, found: WrongContent, pinned: str, version: str) -> None:
        super().__init__(
            f"{path} from {found.place}: sha256 {found.sha256}, pinned when {version} was pulled "
            f"as {pinned}; nothing was published. If the new content is right, say so: "
            f"--sha256 with an address, sha256 in catalog.json with a name"
        )


class BadMirror(CatalogError):
    """The mirror has no readable INDEX.json."""

    def __init__(self, location: str, reason: str) -> None:
        super().__init__(
            f"CAMFLEET_MIRROR={location}: INDEX.json cannot be used ({reason}); "
            "give a folder or URL that has one, or unset it to download"
        )
