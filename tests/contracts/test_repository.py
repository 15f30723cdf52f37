"""Rules of the repository that no linter knows."""

import re
import subprocess
from pathlib import Path

import pytest

# Written in halves, so that this file does not name them either.
HOSTS = re.compile("|".join(["py" + r"pi\.org", "python" + "hosted", "npm" + r"js\.org"]))
FENCED = re.compile(r"^```.*?^```", flags=re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]*)(?:#([^)]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", flags=re.MULTILINE)
ANCHOR = re.compile(r'<a id="([^"]+)">')


def tracked(repository: Path) -> list[Path]:
    command = ["git", "-C", str(repository), "ls-files", "-z"]
    listing = subprocess.run(command, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout")
    return [p for name in listing.stdout.split("\0") if name and (p := repository / name).is_file()]


def test_no_file_names_a_package_index(repository: Path) -> None:
    texts = ((path, path.read_bytes().decode(errors="ignore")) for path in tracked(repository))
    assert [path for path, text in texts if HOSTS.search(text)] == []


def test_no_file_is_over_five_megabytes_and_no_uv_lock_is_tracked(repository: Path) -> None:
    files = tracked(repository)
    assert [path for path in files if path.stat().st_size > 5_000_000] == []
    assert [path for path in files if path.name == "uv.lock"] == []


@pytest.mark.parametrize("service", ["capture", "model_server", "analytics", "workbench", "dev"])
def test_every_requirement_is_pinned_with_hashes(repository: Path, service: str) -> None:
    text = (repository / "requirements" / f"{service}.txt").read_text()
    entries = re.findall(r"^[a-z0-9].*?(?=^[a-z0-9]|\Z)", text, flags=re.MULTILINE | re.DOTALL)
    assert entries
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def text_of(document: Path) -> str:
    return FENCED.sub("", document.read_text())


def anchors(document: Path) -> set[str]:
    """Those written out, and those of headings: `What it costs` is `what-it-costs`."""
    text = text_of(document)
    words = (re.sub(r"[^\w -]", "", heading.lower()) for heading in HEADING.findall(text))
    return {heading.replace(" ", "-") for heading in words} | set(ANCHOR.findall(text))


def is_dead(document: Path, to: str, anchor: str) -> bool:
    target = document.parent / to if to else document
    if not target.exists():
        return True
    return bool(anchor) and target.suffix == ".md" and anchor not in anchors(target)


def test_links_between_documents_lead_somewhere(repository: Path) -> None:
    documents = [path for path in tracked(repository) if path.suffix == ".md"]
    links = [(path, *link) for path in documents for link in LINK.findall(text_of(path))]
    assert links
    assert [f"{path.name}: {to}#{at}" for path, to, at in links if is_dead(path, to, at)] == []
