"""`camfleet model pull NAME` of catalogue files that are pinned, and files from a mirror."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from addressed_models import (
    GRAPH,
    OTHER,
    WEIGHTS,
    manifest_of,
    sha256,
)
from cli_runs import CommandLine
from fakes_upstream import Upstream


def write_catalog(models: Path, url: str, **of_weights: Any) -> None:
    models.mkdir(parents=True, exist_ok=True)
    files = [
        {"path": "net.xml", "url": f"{url}/net.xml", "sha256": sha256(GRAPH)},
        {"path": "net.bin", "url": f"{url}/net.bin", "size": len(WEIGHTS), **of_weights},
    ]
    entry = {
        "name": "zoo-net",
        "purpose": "object detection",
        "licence": "Apache-2.0",
        "aliases": ["vendor/net"],
        "files": files,
        "manifest": {"labels": ["background", "face"]},
    }
    (models / "catalog.json").write_text(json.dumps({"entries": [entry]}))


def test_a_catalogue_file_without_sha256_is_pinned_on_first_pull(
    puller: CommandLine, model_host: Upstream
) -> None:
    write_catalog(puller.models, model_host.url)
    assert "nobody states a sha256 of: net.bin" in puller.run("model", "show", "zoo-net").out
    outcome = puller.run("model", "pull", "zoo-net")
    assert "knows no sha256 of net.bin; what came is pinned" in outcome.err
    manifest = manifest_of(puller, "zoo-net")
    assert set(manifest.pulled_from or {}) == {"net.bin"}
    assert "on the volume already" in puller.run("model", "pull", "zoo-net").err


def test_a_catalogue_file_that_changed_since_it_was_pinned_is_refused(
    puller: CommandLine, model_host: Upstream
) -> None:
    write_catalog(puller.models, model_host.url)
    puller.run("model", "pull", "zoo-net")
    model_host.files["/net.bin"] = OTHER
    outcome = puller.run("model", "pull", "vendor/net")
    assert outcome.code == 1
    assert f"sha256 {sha256(OTHER)}, pinned when zoo-net:1 was pulled" in outcome.err
    assert not (puller.models / "vendor.net").exists()


def test_a_catalogue_file_of_another_size_is_refused_though_no_sha256_is_known(
    puller: CommandLine, model_host: Upstream
) -> None:
    write_catalog(puller.models, model_host.url)
    model_host.files["/net.bin"] = WEIGHTS + b"x"
    outcome = puller.run("model", "pull", "zoo-net")
    assert outcome.code == 1
    assert f"wanted {len(WEIGHTS)}" in outcome.err


def test_a_catalogue_file_of_another_sha384_is_refused_at_its_first_pull(
    puller: CommandLine, model_host: Upstream
) -> None:
    write_catalog(puller.models, model_host.url, sha384=hashlib.sha384(WEIGHTS).hexdigest())
    model_host.files["/net.bin"] = OTHER
    outcome = puller.run("model", "pull", "zoo-net")
    assert outcome.code == 1
    assert f"sha384 {hashlib.sha384(OTHER).hexdigest()}, wanted" in outcome.err
    model_host.files["/net.bin"] = WEIGHTS
    assert puller.run("model", "pull", "zoo-net").code == 0


def write_mirror(folder: Path, address: str) -> None:
    """A mirror that has the weights under another name, by their sha256 and their address."""
    folder.mkdir()
    (folder / "a.bin").write_bytes(WEIGHTS)
    file = {"path": "a.bin", "sha256": sha256(WEIGHTS), "source": {"url": address}}
    (folder / "INDEX.json").write_text(json.dumps({"entries": [{"files": [file]}]}))


@pytest.mark.parametrize("known", [(), ("--sha256", sha256(WEIGHTS))], ids=["address", "sha256"])
def test_a_mirror_gives_files_by_their_address_or_sha256(
    puller: CommandLine, model_host: Upstream, tmp_path: Path, known: tuple[str, ...]
) -> None:
    address = f"{model_host.url}/pets.onnx"
    write_mirror(tmp_path / "mirror", address)
    puller.set(CAMFLEET_MIRROR=tmp_path / "mirror")
    assert puller.run("model", "pull", address, *known).code == 0
    assert (puller.models / "pets" / "1" / "pets.onnx").read_bytes() == WEIGHTS
    assert not model_host.requests


def test_a_mirror_gives_a_catalogue_file_that_has_no_sha256_by_its_address(
    puller: CommandLine, model_host: Upstream, tmp_path: Path
) -> None:
    write_catalog(puller.models, model_host.url)
    write_mirror(tmp_path / "mirror", f"{model_host.url}/net.bin")
    puller.set(CAMFLEET_MIRROR=tmp_path / "mirror")
    assert puller.run("model", "pull", "zoo-net").code == 0
    assert [path for path, _ in model_host.requests] == ["/net.xml"]
