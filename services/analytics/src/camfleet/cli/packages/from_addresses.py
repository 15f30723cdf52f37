"""`camfleet model pull URL...`: files of one model from their addresses, published."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from camfleet.catalog.addresses import BadAddress, file_name_of, is_address, public_address
from camfleet.catalog.download import fetch
from camfleet.catalog.mirror import open_mirror
from camfleet.catalog.pins import pulled_from, read_pins
from camfleet.catalog.serving import serve_model
from camfleet.cli.console import note
from camfleet.cli.errors import CommandError
from camfleet.cli.model_changes import pull_and_serve
from camfleet.cli.packages.package import ARCHIVES, opened, read_package
from camfleet.cli.packages.publish import PublishOptions, publish
from camfleet.cli.packages.scratch import scratch_in
from camfleet.cli.progress import progress_bars
from camfleet_contracts.catalog import CatalogFile
from camfleet_contracts.files import locked, write_atomically
from camfleet_contracts.model_manifest import (
    BadManifest,
    ModelManifest,
    parse_manifest,
    read_manifest,
)
from camfleet_contracts.settings import FleetSettings
from camfleet_contracts.trail import Trail
from camfleet_contracts.volume import MANIFEST, versions_of

_DIGITS = 64


@dataclass(frozen=True, slots=True)
class PullOptions:
    """What the user said about the files."""

    sha256: Sequence[str] = ()  # one for each address, or none
    model_id: str | None = None
    manifest: Path | None = None  # a model.json of this machine
    serve: bool = True


def pull(settings: FleetSettings, models: Sequence[str], options: PullOptions) -> None:
    """Pull models of the catalogue by their names, or one model by the addresses of its files.

    Raises:
        CommandError: both at once, or what goes with addresses was said of names.
    """
    addresses = [model for model in models if is_address(model)]
    if not addresses:
        if options != PullOptions(serve=options.serve):
            raise CommandError(
                "--sha256, --id and --manifest go with addresses (https://...); the catalogue has "
                "them for its models"
            )
        for model in models:
            pull_and_serve(settings, model, serve=options.serve)
    elif len(addresses) < len(models):
        raise CommandError("names and addresses together: pull them one after the other")
    else:
        pull_from_addresses(settings, addresses, options)


def pull_from_addresses(
    settings: FleetSettings, addresses: Sequence[str], options: PullOptions
) -> None:
    """Download the files of a model and publish them as its next version.

    A file without a sha256 is pinned on first pull: what came is noted in the version's model.json,
    and a later pull from there that finds another is refused.

    Raises:
        CommandError: an address or sha256 is none, or the files make no model.
        CatalogError: a file cannot be had or is another; nothing was published.
    """
    files = _wanted(addresses, options.sha256)
    downloads = settings.cache_dir / "downloads"
    with scratch_in(downloads) as scratch:
        with locked(downloads / "fetch"):
            contents = _fetch_all(settings, files, downloads)
            for path, content in contents.items():
                shutil.move(content, scratch / path)
        with _packed(scratch, files, options.manifest) as folder:
            name = read_package(folder, options.model_id).name
            with locked(downloads / f"pull-{name}"):  # till others see what came
                if _publish_unless_present(settings, name, folder, addresses, options):
                    _tell_of_pins(files)


def _wanted(addresses: Sequence[str], digests: Sequence[str]) -> tuple[CatalogFile, ...]:
    if len(digests) not in {0, len(addresses)}:
        raise CommandError(
            f"--sha256 was given {len(digests)} times for {len(addresses)} addresses; give one for "
            "each, in their order, or none"
        )
    sums = [digest.strip().lower() for digest in digests] or [""] * len(addresses)
    for digest in filter(None, sums):
        if len(digest) != _DIGITS or set(digest) - set("0123456789abcdef"):
            raise CommandError(f"--sha256 {digest}: must be {_DIGITS} hexadecimal digits")
    try:
        names = [file_name_of(address) for address in addresses]
    except BadAddress as error:
        raise CommandError(str(error)) from error
    if len(set(names)) != len(names):
        raise CommandError(f"two addresses end with the same file name: {', '.join(names)}")
    together = zip(names, addresses, sums, strict=True)
    return tuple(CatalogFile(path=n, url=address, sha256=s) for n, address, s in together)


def _fetch_all(
    settings: FleetSettings, files: Sequence[CatalogFile], downloads: Path
) -> dict[str, Path]:
    pins = read_pins(settings.models_dir)
    mirror = open_mirror(settings.mirror) if settings.mirror else None
    with progress_bars() as report:

        def bring(held: CatalogFile) -> Path:
            source = mirror.find(held) if mirror else None
            return fetch(source or held.url, held, downloads, report)

        return {file.path: pins.fetch(file, bring) for file in files}


@contextmanager
def _packed(folder: Path, files: Sequence[CatalogFile], manifest: Path | None) -> Iterator[Path]:
    """The package that the files in a folder are, unpacked where they are an archive."""
    pulled = pulled_from(files, {file.path: folder / file.path for file in files})
    first = files[0].path
    ending = next((ending for ending in ARCHIVES if first.endswith(ending)), "")
    is_archive = len(files) == 1 and bool(ending)
    with opened(folder / first if is_archive else folder) as package:
        document = _document_of(package, manifest)
        document["id"] = document.get("id") or first.removesuffix(ending or Path(first).suffix)
        document["pulled_from"] = pulled
        write_atomically(package / MANIFEST, json.dumps(document, indent=2) + "\n")
        yield package


def _document_of(package: Path, given: Path | None) -> dict[str, Any]:
    if given is None:
        own = read_manifest(package)
        return own.model_dump(mode="json", exclude_unset=True) if own else {}
    try:
        document = json.loads(given.read_text())
    except ValueError as error:
        raise BadManifest(f"{given}: not readable as JSON: {error}") from error
    found = parse_manifest(document, where=str(given))
    return found.model_dump(mode="json", exclude_unset=True)


def _tell_of_pins(files: Sequence[CatalogFile]) -> None:
    unknown = [file.path for file in files if not file.sha256]
    if unknown:
        note(
            f"{', '.join(unknown)}: no --sha256 was given; what came is pinned (see pulled_from in "
            "its model.json), and a later pull must give the same"
        )


def _publish_unless_present(
    settings: FleetSettings,
    name: str,
    folder: Path,
    addresses: Sequence[str],
    options: PullOptions,
) -> bool:
    present = _present_version(settings.models_dir / name, folder)
    if present is not None:
        added = options.serve and serve_model(settings.models_dir, name)
        served = ", added to config.json" if added else ""
        note(f"{name} version {present} on the volume already{served}")
        return False
    source = " ".join(map(public_address, addresses))
    wanted = PublishOptions(options.model_id, serve=options.serve, trail=Trail(source=source))
    publish(settings, folder, wanted)
    return True


def _present_version(base_path: Path, folder: Path) -> int | None:
    """The newest version, when it was made of the same files in the same way."""
    newest = max(versions_of(base_path).items(), default=None)
    if newest is None:
        return None
    try:
        there, here = read_manifest(newest[1]), read_manifest(folder)
    except BadManifest:
        return None
    return newest[0] if there and here and _made_of(there) == _made_of(here) else None


def _made_of(manifest: ModelManifest) -> tuple[set[tuple[str, str]], dict[str, Any]]:
    pulled = {(one.url, one.sha256) for one in (manifest.pulled_from or {}).values()}
    return pulled, manifest.model_dump(exclude={"id", "files", "trail", "pulled_from"})
