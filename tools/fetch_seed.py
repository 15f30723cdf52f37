"""Puts models of catalog.json into the seed of the model volume: a step of the image builds.

`python fetch_seed.py [--mirror URL] SEED MODEL...` takes each file by its sha256 from the mirror or
from its upstream address, writes version 1 as `camfleet model pull` does (but for its trail, which
names a time), and lists the model in config.json. Standard library only: it runs in a build stage
that has nothing else.
"""

import argparse
import hashlib
import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

_ATTEMPTS = 4
_TIMEOUT_S = 30
_WAY_OUT = (
    "build where the address can be reached; or serve a folder that has the files and an INDEX.json"
    " (docs/containers.md) and build with --build-arg CAMFLEET_MIRROR=http://host:port; or build"
    ' without these models: --build-arg SEED_MODELS=""'
)


class CannotFetch(Exception):
    """A file of a model cannot be had, or is not what the catalogue says."""


def main() -> None:
    """Add the models named on the command line; end with 1 and the reason where one is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seed", type=Path, help="folder with catalog.json and config.json")
    parser.add_argument("models", nargs="*", help="entries of catalog.json")
    parser.add_argument("--mirror", default="", help="URL of a folder with an INDEX.json")
    options = parser.parse_args()
    try:
        index = read_index(options.mirror) if options.mirror and options.models else {}
        for name in options.models:
            add_model(options.seed, name, index)
    except CannotFetch as error:
        sys.exit(f"fetch_seed: {error}\nfetch_seed: {_WAY_OUT}")


def read_index(mirror: str) -> dict[str, str]:
    """Return the address of each file of a mirror by its sha256.

    Raises:
        CannotFetch: there is no index.
    """
    base = mirror.rstrip("/")
    try:
        entries = json.loads(_download(f"{base}/INDEX.json"))["entries"]
        files = [file for entry in entries for file in entry["files"]]
        return {file["sha256"]: f"{base}/{file['path']}" for file in files}
    except (ValueError, KeyError, TypeError) as error:
        raise CannotFetch(f"mirror {mirror}: its INDEX.json is not one ({error!r})") from error


def add_model(seed: Path, name: str, index: dict[str, str]) -> None:
    """Write version 1 of a model and its entry in config.json.

    Raises:
        CannotFetch: the catalogue does not know it, or a file cannot be had.
    """
    catalog = json.loads((seed / "catalog.json").read_text())["entries"]
    entry = next((entry for entry in catalog if entry["name"] == name), None)
    if entry is None:
        raise CannotFetch(f"{name}: catalog.json has no such model; correct SEED_MODELS")
    folder = seed / name / "1"
    folder.mkdir(parents=True)
    sums = {}
    for file in sorted(entry["files"], key=lambda file: file["path"]):
        if not file.get("sha256"):
            raise CannotFetch(
                f"{name}: catalog.json has no sha256 of {file['path']}, and images hold only what "
                "is known; take it out of SEED_MODELS, or write the sha256 there"
            )
        content = _content(name, file, index)
        if content is not None:
            (folder / file["path"]).write_bytes(content)
            sums[file["path"]] = file["sha256"]
    _write(folder / "model.json", entry["manifest"] | {"catalog_entry": name, "files": sums})
    config = json.loads((seed / "config.json").read_text())
    config["model_config_list"].append({"config": {"name": name, "base_path": name}})
    _write(seed / "config.json", config)


def _content(model: str, file: dict[str, Any], index: dict[str, str]) -> bytes | None:
    """The checked file; None for a licence text that the mirror does not have."""
    url = index.get(file["sha256"], file["url"])
    if index and url == file["url"] and file["path"].startswith("LICENSE"):
        sys.stderr.write(f"fetch_seed: {model}: no {file['path']} on the mirror, see {url}\n")
        return None
    content = _download(url)
    found = hashlib.sha256(content).hexdigest()
    if found != file["sha256"]:
        raise CannotFetch(
            f"{model}: {url} has sha256 {found[:12]}..., expected {file['sha256'][:12]}..."
        )
    return content


def _download(url: str) -> bytes:
    if not url.startswith(("http://", "https://")):
        raise CannotFetch(f"{url}: not an http:// or https:// address")
    reason = ""
    for attempt in range(_ATTEMPTS):
        time.sleep(attempt)
        try:
            with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - checked above
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as error:
            raise CannotFetch(f"{url} answers {error.code} {error.reason}") from error
        except OSError as error:
            reason = str(getattr(error, "reason", error))
    raise CannotFetch(f"{url}: {reason}")


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
