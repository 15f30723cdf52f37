"""The files of a new application, from templates/."""

from importlib.metadata import version
from pathlib import Path

from camfleet.cli.app.target import TARGET_FILE, Target, write_target
from camfleet.cli.console import note
from camfleet.cli.errors import CommandError
from camfleet_contracts.files import write_atomically

TEMPLATES = Path(__file__).with_name("templates")
_HIDDEN = {"gitignore": ".gitignore", "dockerignore": ".dockerignore"}
DOCKERFILE, DOCKERIGNORE = "Dockerfile", ".dockerignore"


def make_application(folder: Path) -> None:
    """Write a runnable application into a new folder, or beside what is in it.

    Raises:
        CommandError: one of its files is there already; nothing is written then.
    """
    texts = {path: text for path, text in _templates() if path != Path(DOCKERIGNORE)}
    present = [str(path) for path in texts if (folder / path).exists()]
    if present:
        raise CommandError(
            f"{folder} has {', '.join(present)} already; nothing is written, choose another"
        )
    for path, text in texts.items():
        write_atomically(folder / path, text)
        note(f"  {folder / path}")
    complete(folder)
    write_target(folder, Target())
    note(f"  {folder / TARGET_FILE}")


def complete(folder: Path) -> list[str]:
    """Write what an application needs to become an image and does not have; returns the names."""
    texts = dict(_templates())
    missing = [name for name in _FOR_IMAGES if not (folder / name).exists()]
    for name in missing:
        write_atomically(folder / name, texts[Path(name)])
    return missing


_FOR_IMAGES = (DOCKERFILE, DOCKERIGNORE, "requirements.txt", "packages.txt")


def _templates() -> list[tuple[Path, str]]:
    paths = (path for path in sorted(TEMPLATES.rglob("*")) if path.is_file())
    return [(_name_of(path), _filled(path.read_text())) for path in paths]


def _name_of(path: Path) -> Path:
    inside = path.relative_to(TEMPLATES)
    name = _HIDDEN.get(inside.name, inside.name.removesuffix(".tmpl"))
    return inside.with_name(name)


def _filled(text: str) -> str:
    return text.replace("{{version}}", version("camfleet"))
