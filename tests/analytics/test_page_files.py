"""The page's files: small, without inline code, without anything from elsewhere."""

import gzip
import re
from importlib.resources import files
from pathlib import Path

import pytest

PAGE = Path(str(files("camfleet") / "page"))
SERVED = sorted(path for path in PAGE.rglob("*") if path.suffix in {".html", ".js", ".css", ".svg"})
HTML = [path for path in SERVED if path.suffix == ".html"]
SCRIPTS = [path for path in SERVED if path.suffix == ".js"]


def test_all_files_together_are_small_on_the_network() -> None:
    assert sum(len(gzip.compress(path.read_bytes())) for path in SERVED) < 90_000


@pytest.mark.parametrize("path", HTML, ids=lambda path: path.name)
def test_html_has_no_inline_script_or_style(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", text)


@pytest.mark.parametrize("path", SERVED, ids=lambda path: path.name)
def test_nothing_is_loaded_from_elsewhere(path: Path) -> None:
    foreign = re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", path.read_text())
    assert set(foreign) <= {"http://www.w3.org"}


@pytest.mark.parametrize("path", HTML, ids=lambda path: path.name)
def test_every_referenced_file_is_there(path: Path) -> None:
    named = re.findall(r"/static/([\w./-]+)", path.read_text())
    assert named
    assert [name for name in named if not (PAGE / name).is_file()] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_every_script_is_one_small_idea(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= 160
    assert lines[0].startswith("// ")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_every_imported_module_is_there(path: Path) -> None:
    named = re.findall(r'(?:from |import\()"(\.[\w./-]+)"', path.read_text())
    assert [name for name in named if not (path.parent / name).is_file()] == []
