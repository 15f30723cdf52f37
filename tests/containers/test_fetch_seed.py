"""The build step that puts models into the seed, run as the Dockerfiles run it."""

import functools
import hashlib
import http.server
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from camfleet.catalog.pull import pull_model
from camfleet_contracts.settings import read_settings
from serving_thread import in_thread

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "tools" / "fetch_seed.py"
WEIGHTS = b"weights of eyes"


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[str]:
    """The address of a folder with the model's files and an INDEX.json."""
    folder = tmp_path / "upstream"
    folder.mkdir()
    (folder / "eyes.onnx").write_bytes(WEIGHTS)
    (folder / "LICENSE").write_text("free")
    file = {"path": "eyes.onnx", "sha256": hashlib.sha256(WEIGHTS).hexdigest()}
    (folder / "INDEX.json").write_text(json.dumps({"entries": [{"files": [file]}]}))
    handler = functools.partial(_Silent, directory=str(folder))
    with in_thread(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)) as server:
        yield f"http://127.0.0.1:{server.server_port}"


def write_seed(folder: Path, upstream: str) -> Path:
    """A seed whose catalogue has one model, `eyes`, with its files at `upstream`."""
    folder.mkdir()
    files = [
        {
            "path": name,
            "url": f"{upstream}/{name}",
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content),
        }
        for name, content in (("eyes.onnx", WEIGHTS), ("LICENSE", b"free"))
    ]
    manifest = {"id": "eyes", "framework_type": "onnx", "labels": ["eye"]}
    entry = {"name": "eyes", "purpose": "p", "licence": "L", "files": files, "manifest": manifest}
    (folder / "catalog.json").write_text(json.dumps({"version": 1, "entries": [entry]}))
    (folder / "config.json").write_text('{"model_config_list": []}')
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def run_program(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_the_seed_gets_what_a_pull_publishes(upstream: str, tmp_path: Path) -> None:
    seed = write_seed(tmp_path / "seed", upstream)
    pulling = write_seed(tmp_path / "volume", upstream)

    done = run_program("--mirror", "", seed, "eyes")
    settings = read_settings(models_dir=pulling, cache_dir=tmp_path / "cache")
    pulled = pull_model(settings, "eyes", lambda *_told: None)

    assert done.returncode == 0, done.stderr
    seeded, expected = contents(seed / "eyes" / "1"), contents(pulled.version_folder)
    manifest = json.loads(expected.pop("model.json"))
    del manifest["trail"]  # who pulled it and when, which would make every build another seed
    assert json.loads(seeded.pop("model.json")) == manifest
    assert seeded == expected
    (served,) = json.loads((seed / "config.json").read_text())["model_config_list"]
    assert served == {"config": {"name": "eyes", "base_path": "eyes"}}


def test_a_mirror_is_asked_by_sha256_and_may_lack_the_licence(
    upstream: str, tmp_path: Path
) -> None:
    seed = write_seed(tmp_path / "seed", "http://127.0.0.1:1")

    done = run_program("--mirror", upstream, seed, "eyes")

    assert done.returncode == 0, done.stderr
    assert "no LICENSE on the mirror" in done.stderr
    assert (seed / "eyes" / "1" / "eyes.onnx").read_bytes() == WEIGHTS


def test_no_models_need_no_network(tmp_path: Path) -> None:
    seed = write_seed(tmp_path / "seed", "http://127.0.0.1:1")

    assert run_program("--mirror", "http://127.0.0.1:1", seed).returncode == 0


def test_what_cannot_be_had_ends_the_build_with_the_address_and_the_ways_out(
    upstream: str, tmp_path: Path
) -> None:
    seed = write_seed(tmp_path / "seed", f"{upstream}/moved")

    done = run_program("--mirror", "", seed, "eyes")

    assert done.returncode == 1
    assert f"{upstream}/moved/LICENSE answers 404" in done.stderr
    assert "--build-arg CAMFLEET_MIRROR=" in done.stderr
    assert '--build-arg SEED_MODELS=""' in done.stderr


def test_a_file_of_another_content_ends_the_build(upstream: str, tmp_path: Path) -> None:
    seed = write_seed(tmp_path / "seed", upstream)
    (tmp_path / "upstream" / "eyes.onnx").write_bytes(b"another file")

    done = run_program("--mirror", "", seed, "eyes")

    assert done.returncode == 1
    assert "eyes.onnx has sha256" in done.stderr


def test_a_model_that_the_catalogue_does_not_know_is_named(tmp_path: Path) -> None:
    seed = write_seed(tmp_path / "seed", "http://127.0.0.1:1")

    done = run_program(seed, "ears")

    assert done.returncode == 1
    assert "ears: catalog.json has no such model" in done.stderr


def test_an_image_holds_no_file_whose_content_nobody_states(upstream: str, tmp_path: Path) -> None:
    seed = write_seed(tmp_path / "seed", upstream)
    catalog = json.loads((seed / "catalog.json").read_text())
    del catalog["entries"][0]["files"][0]["sha256"]
    (seed / "catalog.json").write_text(json.dumps(catalog))

    done = run_program("--mirror", "", seed, "eyes")

    assert done.returncode == 1
    assert "catalog.json has no sha256 of eyes.onnx" in done.stderr
