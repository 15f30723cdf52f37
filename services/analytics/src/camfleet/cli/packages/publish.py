"""`camfleet model publish`: a package becomes the next version, or nothing has changed."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from camfleet.catalog.serving import serve_model, withdraw
from camfleet.catalog.trail import complete
from camfleet.catalog.transfer import Report
from camfleet.cli.errors import CommandError
from camfleet.cli.packages.package import Package, opened, read_package
from camfleet.cli.packages.telling import Teller, Terminal
from camfleet.cli.packages.trial import try_decoder
from camfleet.cli.packages.verdict import Verdict, wait_for_verdict, wait_until_forgotten
from camfleet.cli.volume_seed import words_of_a_new_volume
from camfleet_contracts.files import locked, write_atomically
from camfleet_contracts.settings import FleetSettings
from camfleet_contracts.trail import Trail
from camfleet_contracts.volume import MANIFEST, drop_empty_model, publish_version, versions_of

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class PublishOptions:
    """What the user asked for."""

    model_id: str | None = None
    version: int | None = None
    serve: bool = True
    wait_s: float = 60.0
    trail: Trail = field(default_factory=Trail)


@dataclass(frozen=True, slots=True)
class Published:
    """A version on the volume, and what the server said of it."""

    name: str
    folder: Path
    verdict: Verdict | None = None  # None: no server answered, or nobody waited

    @property
    def version(self) -> int:
        """Its number."""
        return int(self.folder.name)


def publish(
    settings: FleetSettings, source: Path, options: PublishOptions, teller: Teller | None = None
) -> Published:
    """Publish a package.

    Whatever goes wrong, also Ctrl-C, leaves volume and config.json as they were.

    Raises:
        CommandError: the package cannot be used, or the server refused it.
    """
    told, makes_volume = teller or Terminal(), not settings.models_dir.exists()
    with opened(source) as folder:
        package = read_package(folder, options.model_id)
        if options.serve:
            _let_go_of_the_number(settings, package.name, options.version)
        published = _copy_to_volume(settings, package, options, told)
    if package.unread_keys:
        told.say(f"model.json: nobody reads {', '.join(package.unread_keys)}; see docs/models.md")
    if makes_volume:
        told.say(words_of_a_new_volume(settings))
    verdict = None
    with _withdrawn_on_failure(settings, package.name, published, serve=options.serve) as added:
        said = f"{package.name} version {published.name} published"
        told.say(f"{said}, added to config.json" if added else said)
        if options.serve:
            number = int(published.name)
            verdict = _wait(settings, package.name, number, options.wait_s, told)
    return Published(package.name, published, verdict)


def _let_go_of_the_number(settings: FleetSettings, name: str, version: int | None) -> None:
    """A number is given again when its version was taken back, perhaps a moment ago."""
    there = versions_of(settings.models_dir / name)
    number = version or max(there, default=0) + 1
    if number not in there:
        wait_until_forgotten(settings, name, number)


def _copy_to_volume(
    settings: FleetSettings, package: Package, options: PublishOptions, told: Teller
) -> Path:
    base = settings.models_dir.resolve()
    if package.folder.resolve().is_relative_to(base):
        raise CommandError(
            f"{package.folder} is on the volume already; `camfleet model add` serves what is there"
        )

    def fill(folder: Path) -> None:
        with told.copying() as report:
            _copy(package, folder, report)
        manifest = package.manifest | {"trail": _trail_of(settings, package, options.trail)}
        write_atomically(folder / MANIFEST, json.dumps(manifest, indent=2) + "\n")

    settings.models_dir.mkdir(parents=True, exist_ok=True)
    try:
        return publish_version(settings.models_dir, package.name, options.version, fill)
    except FileExistsError as error:
        raise CommandError(f"{error}; leave --version out for the next number") from error
    except ValueError as error:
        raise CommandError(str(error)) from error


def _trail_of(settings: FleetSettings, package: Package, given: Trail) -> dict[str, object]:
    """Asked under the lock of the model's folder, so that the version it follows is the last."""
    newest = max(versions_of(settings.models_dir / package.name), default=None)
    packed = Trail(**package.manifest["trail"]) if "trail" in package.manifest else None
    trail = complete(settings, given, packed, f"{package.name}:{newest}" if newest else "")
    return trail.model_dump(mode="json", exclude_defaults=True)


def _copy(package: Package, folder: Path, report: Report) -> None:
    done, total = 0, package.size_bytes
    for path in package.files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        with (package.folder / path).open("rb") as read, _named(folder / path) as written:
            while chunk := read.read(_CHUNK_BYTES):
                written.write(chunk)
                done += len(chunk)
                report(package.name, done, total)


@contextmanager
def _named(path: Path) -> Iterator[BinaryIO]:
    """The file, written; an error that says nothing of where, as that of a full disk, names it."""
    try:
        with path.open("wb") as file:
            yield file
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


@contextmanager
def _withdrawn_on_failure(
    settings: FleetSettings, name: str, published: Path, *, serve: bool
) -> Iterator[bool]:
    """Serve the model; take version and entry back when the block fails.

    The entry stays where another publisher put a version beside this one meanwhile.
    """
    added = False
    try:
        added = serve and serve_model(settings.models_dir, name)
        yield added
    except BaseException:
        base = published.parent
        with locked(base / "publish"):  # else another version came between the look and the end
            alone = not versions_of(base).keys() - {int(published.name)}
            if added and alone:
                withdraw(settings.models_dir, name)
            shutil.rmtree(published, ignore_errors=True)
        drop_empty_model(base)
        raise


def _wait(
    settings: FleetSettings, name: str, version: int, limit_s: float, told: Teller
) -> Verdict | None:
    lack = ""
    with told.waiting(f"waiting for the server to load {name} version {version}"):
        verdict = wait_for_verdict(settings, name, version, limit_s)
        if verdict and verdict.is_available:
            lack = try_decoder(settings, f"{name}:{version}")
    if lack:
        told.say(lack)
    if verdict and verdict.is_refused:
        raise CommandError(f"{name} version {version} was refused and taken back: {verdict.reason}")
    told.say(_outcome(name, version, verdict, limit_s))
    return verdict


def _outcome(name: str, version: int, verdict: Verdict | None, limit_s: float) -> str:
    if verdict is None:
        return "no model server answers; one that starts will serve it"
    if verdict.is_available:
        return f"{name} version {version} is AVAILABLE"
    if verdict.successor:
        return f"{name} version {version} gave way to version {verdict.successor}, which is newer"
    state = verdict.state or "not taken up; does its entry in config.json name other versions?"
    return f"after {limit_s:.0f} s it is {state}; `camfleet model list` shows how it goes on"
