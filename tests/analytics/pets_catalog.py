"""A catalogue with one model, and an upstream that has its files."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fakes_upstream import Upstream, serving

WEIGHTS = bytes(range(256)) * 4000  # about 1 MB
LABELS = b"cat\ndog\n"


@contextmanager
def serving_pets() -> Iterator[Upstream]:
    with serving() as server:
        server.files = {"/net.onnx": WEIGHTS, "/labels.txt": LABELS, "/LICENSE": b"free"}
        yield server


def write_catalog(models: Path, url: str, **changes: Any) -> None:
    models.mkdir(parents=True, exist_ok=True)
    files = [
        catalog_file("net.onnx", url, WEIGHTS),
        catalog_file("labels.txt", url, LABELS),
        catalog_file("LICENSE", url, b"free"),
    ]
    entry: dict[str, Any] = {
        "name": "pets",
        "purpose": "object detection",
        "licence": "MIT",
        "files": files,
        "aliases": ["vendor/animals"],
        "manifest": {"id": "pets", "model_file": "net.onnx", "label_file": "labels.txt"},
    }
    (models / "catalog.json").write_text(json.dumps({"version": 1, "entries": [entry | changes]}))


def catalog_file(path: str, url: str, content: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    return {"path": path, "url": f"{url}/{path}", "sha256": digest, "size": len(content)}
