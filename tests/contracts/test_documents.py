"""The documents beside what they speak of: files, headings, variables."""

import re
from collections.abc import Iterator
from pathlib import Path

from camfleet_contracts.settings import FleetSettings

LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"\b(?:tests|benchmarks|tools|compose|notebooks)/[\w./*-]*\w")
SETTING = re.compile(r"^\| `([A-Z_]+)` \| (\S*) ?\|", re.MULTILINE)
OF_OTHERS = {"tests/functional", "tests/test_app.py"}  # OVMS's; a new application's
FROM_JUPYTER = "JPY_SESSION_NAME"


def documents(repository: Path) -> list[Path]:
    return [*repository.glob("*.md"), *repository.glob("docs/**/*.md")]


def prose(page: Path) -> str:
    return FENCED.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """What a link may name: headings as GitHub and its like write them, and ids."""
    found = set(re.findall(r'id="([^"]+)"', page.read_text()))
    for heading in re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", heading.lower())
        found.add(plain.replace(" ", "-"))
    return found


def broken_links(page: Path) -> Iterator[str]:
    for link in LINK.findall(prose(page)):
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name) if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield f"{page.name}: {link}"


def test_every_link_has_its_file_and_its_heading(repository: Path) -> None:
    assert [text for page in documents(repository) for text in broken_links(page)] == []


def test_every_file_that_is_named_is_there(repository: Path) -> None:
    named = {name for page in documents(repository) for name in FILE.findall(page.read_text())}
    missing = {name for name in named - OF_OTHERS if not any(repository.glob(name))}
    assert missing == set()


def test_every_page_is_in_the_index(repository: Path) -> None:
    index = (repository / "docs" / "index.md").read_text()
    pages = {page.name for page in repository.glob("docs/*.md")} - {"index.md"}
    assert {name for name in pages if f"({name})" not in index} == set()


def test_settings_page_has_every_variable_and_no_other(repository: Path) -> None:
    told = [name for name, _ in SETTING.findall((repository / "docs" / "settings.md").read_text())]
    read = {str(field.validation_alias) for field in FleetSettings.model_fields.values()}
    assert sorted(told) == sorted(read - {FROM_JUPYTER})


def test_settings_page_has_the_defaults(repository: Path) -> None:
    told = dict(SETTING.findall((repository / "docs" / "settings.md").read_text()))
    fields = [field for field in FleetSettings.model_fields.values() if not field.default_factory]
    wanted = {str(field.validation_alias): str(field.default or "") for field in fields}
    del wanted[FROM_JUPYTER]
    assert {name: told[name] for name in wanted} == wanted
