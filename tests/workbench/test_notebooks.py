"""The notebooks, run from top to bottom against a real model server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from camfleet.catalog.pull import pull_model
from camfleet.catalog.serving import serve_model
from camfleet_contracts.settings import read_settings
from fakes_fleet import free_port
from processes import running

MODEL = "fastestdet-coco"


def notebooks(repository: Path) -> list[Path]:
    return sorted((repository / "notebooks").glob("*.ipynb"))


def test_notebooks_are_kept_without_outputs(repository: Path) -> None:
    for path in notebooks(repository):
        cells = nbformat.read(path, as_version=4).cells
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells), path


@pytest.fixture
def model_server(
    tmp_path: Path, shared_data: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A server with fastestdet-coco; the environment points to it."""
    models = tmp_path / "models"
    models.mkdir()
    (models / "catalog.json").write_bytes((repository / "models" / "catalog.json").read_bytes())
    settings = read_settings(
        models_dir=models, cache_dir=tmp_path / "cache", mirror=str(shared_data)
    )
    pull_model(settings, MODEL, lambda *_: None)
    serve_model(models, MODEL)
    options = (f"--config_path={models}/config.json", "--port=auto", "--rest_port=auto")
    with running("camfleet-server", *options) as service:
        found = service.logged(r"listening grpc=\S+:(\d+) rest=\S+:(\d+)", 60)
        monkeypatch.setenv("GRPC_PORT", found.group(1))
        monkeypatch.setenv("REST_PORT", found.group(2))
        monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
        monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
        service.logged(f"version available model={MODEL}", 60)
        yield


@pytest.fixture
def demo_fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The whole demo, as `make run` starts it."""
    for name in ("MODELS_DIR", "CAMFLEET_STATE", "CAMFLEET_CACHE", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    for name in ("RTSP_PORT", "CAPTURE_HTTP_PORT", "GRPC_PORT", "REST_PORT", "STREAMER_PORT"):
        monkeypatch.setenv(name, str(free_port()))
    with running("camfleet", "up", "--no-workbench") as service:
        service.logged("camfleet is ready", 120)
        yield


@pytest.mark.notebooks
@pytest.mark.usefixtures("demo_fleet")
@pytest.mark.parametrize("name", ["01_first_inference"])
def test_a_notebook_runs_as_it_is_beside_the_demo(
    repository: Path, tmp_path: Path, name: str
) -> None:
    notebook = nbformat.read(repository / "notebooks" / f"{name}.ipynb", as_version=4)
    folder = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=120, resources=folder).execute()
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")


@pytest.mark.usefixtures("model_server")
def test_the_first_inference_shows_a_picture_with_boxes(
    repository: Path, shared_data: Path, tmp_path: Path
) -> None:
    notebook = nbformat.read(repository / "notebooks" / "01_first_inference.ipynb", as_version=4)
    picture = shared_data / "media" / "images" / "dog-bicycle-truck.jpg"
    parameters = next(c for c in notebook.cells if "parameters" in c.metadata.get("tags", ()))
    parameters.source = f"MODEL = {MODEL!r}\nPICTURE = {str(picture)!r}"
    folder = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=120, resources=folder).execute()
    cells = {cell.id: cell for cell in notebook.cells if cell.cell_type == "code"}
    assert MODEL in shown(cells["models"], "text/plain")
    assert shown(cells["picture"], "image/jpeg") != shown(cells["infer"], "image/jpeg")
    assert "'dog'" in shown(cells["table"], "text/plain")


def shown(cell: Any, kind: str) -> str:
    """The cell's last value as this kind."""
    text: str = cell.outputs[-1]["data"][kind]
    return text
