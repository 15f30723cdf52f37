"""The notebooks, run from top to bottom against real services."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import pytest
from nbclient import NotebookClient

from camfleet.catalog.pull import pull_model
from camfleet.catalog.serving import serve_model
from camfleet.cli.capture_client import key_header
from camfleet.cli.settings import command_settings
from camfleet_contracts.direct import capture_http_address, read_service
from camfleet_contracts.settings import read_settings
from free_ports import free_port
from processes import BIN, running

TOOLKIT_MODELS = ("fastestdet-coco", "yunet-n")
GREETING = "camfleet_workbench.kernels.greeting"
_CELL_LIMIT_S = 300
_WARM_UP_S = 4.0  # until a tracker knows who is there
_ENOUGH_A_SECOND = 7.0  # pictures; with fewer people on a busy line are confused, as 04 says


class Expected(NamedTuple):
    """What one cell of a notebook must say, and the parameters it is run with here."""

    notebook: str
    cell: str
    text: str  # a regular expression
    parameters: Mapping[str, object] = {}
    files: Mapping[str, str] = {}  # parameters that are paths below the shared media


COUNTED = Expected("04_count_people_on_a_line", "count", r"in (\d+), out (\d+)", {"SECONDS": 30})
WORKFLOWS = [
    Expected("01_pull_and_serve", "log", "catalogue entry fastestdet-coco"),
    Expected(
        "02_convert_and_quantize", "publish", "demo-street-int8:1 AVAILABLE", {"PICTURES": 16}
    ),
    Expected("03_compare_versions_on_a_camera", "compare", r"demo-street-int8 agree on [3-9]\d"),
    COUNTED,
    Expected(
        "05_pose_and_segmentation",
        "areas",
        r"'dog': 0\.[1-9]",
        files={"PERSON": "images/squat.bmp", "SCENE": "images/pets-2-dogs.jpg"},
    ),
    Expected(
        "06_train_a_small_detector",
        "publish",
        "demo-street-tuned:1 AVAILABLE",
        {"PICTURES": 16, "EVERY_S": 0.3, "STEPS": 40},
    ),
    Expected("07_several_cameras", "both", r"side [1-9]\d* objects", {"ROUNDS": 3}),
    Expected("08_write_an_app", "detect", r"\d+ objects in the last picture", {"PICTURES": 6}),
    Expected("09_clients", "compare", r"'ovmsclient': 0\.0"),
    Expected("object_detection", "live", r"\d+ pictures in", {"SECONDS": 3}),
    Expected("face_detection", "count", "^4 faces", files={"SOURCE": "images/faces-4.jpg"}),
    Expected("template", "own", "'person'"),
]
TOOLKIT = [
    Expected(
        "object_detection",
        "table",
        "'dog'",
        {"MODEL": "fastestdet-coco"},
        {"SOURCE": "images/dog-bicycle-truck.jpg"},
    ),
    Expected("face_detection", "count", "^4 faces", files={"SOURCE": "images/faces-4.jpg"}),
    Expected(
        "template",
        "own",
        "'car'",
        {"MODEL": "fastestdet-coco", "PICTURES": 3},
        {"SOURCE": "clips/highway-a-320x240.mp4"},
    ),
]


def notebooks(repository: Path) -> list[Path]:
    return sorted((repository / "notebooks").glob("*.ipynb"))


def test_notebooks_are_kept_without_outputs_and_say_how_long_they_take(repository: Path) -> None:
    for path in notebooks(repository):
        cells = nbformat.read(path, as_version=4).cells
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells), path
        assert "**Takes**" in cells[0].source, path


def test_every_notebook_is_run_by_a_test(repository: Path) -> None:
    assert {one.notebook for one in WORKFLOWS} == {path.stem for path in notebooks(repository)}


def test_the_page_for_newcomers_leads_to_every_notebook(repository: Path) -> None:
    page = (repository / "notebooks" / "00_start_here.md").read_text()
    links = re.findall(r"\]\((\w+\.ipynb)\)", page)
    assert sorted(links) == [path.name for path in notebooks(repository)]


@pytest.fixture
def kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels that leave nothing in the user's home and find the command."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PATH", f"{BIN}:{os.environ['PATH']}")  # noqa: TID251 - the rest of it stays


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def model_server(
    tmp_path_factory: pytest.TempPathFactory,
    shared_data: Path,
    repository: Path,
    patch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """A server with the toolkit's models; the environment points to it."""
    folder = tmp_path_factory.mktemp("toolkit")
    models = folder / "models"
    models.mkdir()
    (models / "catalog.json").write_bytes((repository / "models" / "catalog.json").read_bytes())
    settings = read_settings(models_dir=models, cache_dir=folder / "cache", mirror=str(shared_data))
    for name in TOOLKIT_MODELS:
        pull_model(settings, name, lambda *_: None)
        serve_model(models, name)
    options = (f"--config_path={models}/config.json", "--port=auto", "--rest_port=auto")
    with running("camfleet-server", *options) as service:
        found = service.logged(r"listening grpc=\S+:(\d+) rest=\S+:(\d+)")
        variables = {"GRPC_PORT": found.group(1), "REST_PORT": found.group(2), "MODELS_DIR": models}
        for name, value in variables.items():
            patch.setenv(name, str(value))
        patch.setenv("CAMFLEET_CACHE", str(folder / "cache"))
        patch.setenv("CAMFLEET_STATE", str(folder / "state"))
        for name in TOOLKIT_MODELS:
            service.logged(f"version available model={name}")
        yield


@pytest.fixture(scope="module")
def demo_fleet(
    tmp_path_factory: pytest.TempPathFactory, shared_data: Path, patch: pytest.MonkeyPatch
) -> Iterator[None]:
    """The whole demo, as `make run` starts it; the notebooks go through it one after another."""
    folder = tmp_path_factory.mktemp("fleet")
    for name in ("MODELS_DIR", "CAMFLEET_STATE", "CAMFLEET_CACHE", "CAMFLEET_NOTEBOOKS"):
        patch.setenv(name, str(folder / name.lower()))
    for name in ("RTSP_PORT", "CAPTURE_HTTP_PORT", "GRPC_PORT", "REST_PORT", "STREAMER_PORT"):
        patch.setenv(name, str(free_port()))
    patch.setenv("CAMFLEET_MIRROR", str(shared_data))
    with running("camfleet", "up", "--no-workbench") as service:
        service.logged("camfleet is ready", 120)
        yield


@pytest.mark.notebooks
@pytest.mark.usefixtures("demo_fleet", "kernels")
@pytest.mark.parametrize(
    "expected", [one for one in WORKFLOWS if one != COUNTED], ids=lambda one: one.notebook
)
def test_a_notebook_runs_beside_the_demo(
    repository: Path, shared_data: Path, tmp_path: Path, expected: Expected
) -> None:
    check(repository, shared_data, tmp_path, expected)


@pytest.mark.notebooks
@pytest.mark.usefixtures("demo_fleet", "kernels")
def test_notebook_04_counts_the_people_who_cross_in_the_demo(
    repository: Path, shared_data: Path, tmp_path: Path
) -> None:
    notebook = prepared(repository, shared_data, COUNTED)
    clock = nbformat.v4.new_code_cell("time.time() - (time.monotonic() - began_s)")
    notebook.cells.append(clock)
    run(notebook, tmp_path)
    began_s = float(told(clock))
    found = re.search(COUNTED.text, told(cell_of(notebook, COUNTED.cell)))
    assert found is not None
    counted = int(found.group(1)) + int(found.group(2))
    seconds = float(str(COUNTED.parameters["SECONDS"]))
    surely = true_crossings(began_s + _WARM_UP_S, began_s + seconds - 1)
    perhaps = true_crossings(began_s - 1, began_s + seconds + 1)
    rate = re.search(r"([\d.]+) a second", "".join(told(cell) for cell in code_of(notebook)))
    assert surely >= 2
    assert rate is not None
    least = 0.6 * surely if float(rate.group(1)) >= _ENOUGH_A_SECOND else 1
    assert least <= counted <= 1.2 * perhaps + 1


def true_crossings(from_s: float, until_s: float) -> int:
    """How many people crossed the demo's line between two moments since 1970."""
    settings = command_settings()
    url = f"{capture_http_address(settings)}/cameras/street/truth"
    truth = json.loads(read_service(url, 5.0, key_header(settings)))
    start_s = datetime.fromisoformat(truth["started_at"]).timestamp()
    times = [start_s + c["time_s"] for c in truth["crossings"] if c["label"] == "person"]
    return sum(from_s < at_s < until_s for at_s in times)


@pytest.mark.usefixtures("model_server", "kernels")
@pytest.mark.parametrize("expected", TOOLKIT, ids=lambda one: one.notebook)
def test_the_toolkits_notebooks_run_on_files_where_no_camera_is(
    repository: Path, shared_data: Path, tmp_path: Path, expected: Expected
) -> None:
    pictures = check(repository, shared_data, tmp_path, expected)
    assert pictures >= 1


def check(repository: Path, shared_data: Path, folder: Path, expected: Expected) -> int:
    """Run a notebook and look at one cell; returns how many pictures it shows."""
    notebook = prepared(repository, shared_data, expected)
    run(notebook, folder)
    cell = cell_of(notebook, expected.cell)
    assert re.search(expected.text, told(cell), re.MULTILINE), told(cell)
    outputs = (output for c in notebook.cells for output in c.get("outputs", ()))
    kinds = [kind for output in outputs for kind in output.get("data", {})]
    return sum(kind in {"image/png", "image/jpeg"} for kind in kinds)


def prepared(repository: Path, shared_data: Path, expected: Expected) -> Any:
    """A notebook with the parameters it is run with here."""
    path = repository / "notebooks" / f"{expected.notebook}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    media = {name: str(shared_data / "media" / file) for name, file in expected.files.items()}
    lines = [f"{name} = {value!r}" for name, value in {**expected.parameters, **media}.items()]
    parameters = next(c for c in notebook.cells if "parameters" in c.metadata.get("tags", ()))
    parameters.source = "\n".join([parameters.source, *lines])
    return notebook


def run(notebook: Any, folder: Path) -> None:
    """Run it from top to bottom in a kernel that is greeted as ours are."""
    notebook.cells.insert(0, nbformat.v4.new_code_cell(f"%load_ext {GREETING}"))
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=_CELL_LIMIT_S, resources=resources).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert not [one.text for one in outputs if "warn" in one.get("text", "").lower()]


def cell_of(notebook: Any, cell_id: str) -> Any:
    """The cell of this id."""
    [cell] = [cell for cell in notebook.cells if cell.id == cell_id]
    return cell


def code_of(notebook: Any) -> list[Any]:
    """The cells that were run."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def told(cell: Any) -> str:
    """All text of a cell's outputs."""
    texts = [output.get("text") or output["data"].get("text/plain", "") for output in cell.outputs]
    return "\n".join(texts)
