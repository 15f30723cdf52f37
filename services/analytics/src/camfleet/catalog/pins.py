"""Files whose sha256 nobody named: what the first pull found is what later ones must find."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from camfleet.catalog.addresses import public_address
from camfleet.catalog.errors import PinnedOtherwise, WrongContent
from camfleet_contracts.catalog import CatalogFile
from camfleet_contracts.files import sha256_of
from camfleet_contracts.model_manifest import BadManifest, ModelManifest, PulledFile, read_manifest
from camfleet_contracts.volume import versions_of


class Pin(NamedTuple):
    """What an address gave, and which version was made of it."""

    sha256: str
    version: str  # name:version


class Pins:
    """The pins that the manifests of a volume's versions hold, by address."""

    def __init__(self, by_address: Mapping[str, Pin]) -> None:
        self._by_address = by_address

    def find(self, file: CatalogFile) -> Pin | None:
        """The pin of a file whose sha256 is not known otherwise."""
        return None if file.sha256 else self._by_address.get(public_address(file.url))

    def held(self, file: CatalogFile) -> CatalogFile:
        """The file, wanted as it is pinned."""
        pin = self.find(file)
        return file.model_copy(update={"sha256": pin.sha256}) if pin else file

    def fetch(self, file: CatalogFile, fetch: Callable[[CatalogFile], Path]) -> Path:
        """Fetch a file as it is wanted or pinned.

        Raises:
            PinnedOtherwise: it is another than when it was pinned.
            DownloadFailed: what `fetch` raises.
        """
        try:
            return fetch(self.held(file))
        except WrongContent as error:
            pin = self.find(file)
            if pin is None or error.sha256 in {"", pin.sha256}:
                raise
            raise PinnedOtherwise(file.path, error, *pin) from error


def read_pins(models_dir: Path) -> Pins:
    """Read the pins of all versions on a volume; of one address the last published counts."""
    found: list[tuple[str, str, Pin]] = []
    for base in models_dir.iterdir() if models_dir.is_dir() else ():
        for number, folder in versions_of(base).items():
            manifest = _manifest_of(folder)
            at = manifest.trail.at if manifest.trail else ""
            version = f"{base.name}:{number}"
            pulled = (manifest.pulled_from or {}).values()
            found += [(at, file.url, Pin(file.sha256, version)) for file in pulled]
    return Pins({address: pin for _, address, pin in sorted(found)})


def _manifest_of(folder: Path) -> ModelManifest:
    try:
        return read_manifest(folder) or ModelManifest()
    except BadManifest:  # it pins nothing, and whoever uses the version is told
        return ModelManifest()


def pulled_from(files: Iterable[CatalogFile], contents: Mapping[str, Path]) -> dict[str, Any]:
    """The manifest's `pulled_from` for files that were just fetched."""
    return {
        file.path: PulledFile(
            url=public_address(file.url),
            sha256=sha256_of(contents[file.path]),
            pinned="given" if file.sha256 else "first-pull",
        ).model_dump()
        for file in files
        if file.path in contents
    }
