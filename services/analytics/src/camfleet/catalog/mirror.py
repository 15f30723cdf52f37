"""CAMFLEET_MIRROR: files from a folder or a server with an INDEX.json."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from camfleet.catalog.errors import BadMirror
from camfleet_contracts.catalog import CatalogFile
from camfleet_contracts.files import sha256_of

INDEX = "INDEX.json"
_TIMEOUT_S = 15.0


class Mirror:
    """Knows where a file lies: by its content, or by its address where nobody states a sha256."""

    def __init__(self, base: str | Path, index: Mapping[str, str]) -> None:
        """`base` is a folder or a URL; `index` maps sha256 and address to a path below it."""
        self._base = base
        self._index = index

    def find(self, wanted: CatalogFile) -> str | Path | None:
        """The path or URL of the file, None when the mirror does not have it."""
        path = self._index.get(wanted.sha256 or wanted.url)
        if isinstance(self._base, Path):
            return self._base / path if path else self._find_unlisted(self._base, wanted)
        return f"{self._base}/{quote(path)}" if path else None

    @staticmethod
    def _find_unlisted(folder: Path, wanted: CatalogFile) -> Path | None:
        """A folder may hold licences and labels that its index does not name."""
        if not wanted.sha256 or wanted.size is None:
            return None
        for path in sorted(folder.rglob("*")):
            is_alike = path.is_file() and path.stat().st_size == wanted.size
            if is_alike and sha256_of(path) == wanted.sha256:
                return path
        return None


def open_mirror(location: str) -> Mirror:
    """Read the mirror's index.

    Raises:
        BadMirror: there is none, or it cannot be read.
    """
    try:
        if location.startswith(("http://", "https://")):
            base: str | Path = location.rstrip("/")
            answer = httpx.get(f"{base}/{INDEX}", timeout=_TIMEOUT_S, follow_redirects=True)
            document = answer.raise_for_status().json()
        else:
            base = Path(location).expanduser()
            document = json.loads((base / INDEX).read_text())
        return Mirror(base, _places(document))
    except OSError as error:
        raise BadMirror(location, (error.strerror or str(error)).lower()) from error
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise BadMirror(location, str(error) or type(error).__name__) from error


def _places(document: Any) -> dict[str, str]:
    """The path of each file by its sha256 and by the address that it is from."""
    files = [file for entry in document["entries"] for file in entry["files"]]
    inside = [file for file in files if not Path(file["path"]).is_absolute()]
    by_address = {
        file["source"]["url"]: file["path"]
        for file in inside
        if isinstance(file.get("source"), dict) and "url" in file["source"]
    }
    return by_address | {file["sha256"]: file["path"] for file in inside}
