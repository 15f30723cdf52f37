import json
import os
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from camfleet.catalog.pull import pull_model
from camfleet.catalog.serving import serve_model
from camfleet_contracts.settings import read_settings
from cli_runs import CommandLine
from free_ports import free_port
from processes import running
from seeded_volume import seed_models


@pytest.fixture(scope="module")
def server_port(
    tmp_path_factory: pytest.TempPathFactory, shared_data: Path, repository: Path
) -> Iterator[int]:
    """The gRPC port of a server that has fastestdet-coco, pulled from the mirror."""
    folder = tmp_path_factory.mktemp("volume")
    settings = read_settings(
        models_dir=folder / "models", cache_dir=folder / "cache", mirror=str(shared_data)
    )
    seed_models(repository, settings.models_dir)
    pull_model(settings, "fastestdet-coco", lambda *_: None)
    serve_model(settings.models_dir, "fastestdet-coco")
    port = free_port()
    options = (f"--config_path={settings.models_dir}/config.json", f"--port={port}")
    with running("camfleet-server", *options, "--rest_port=0") as service:
        service.logged("version available model=fastestdet-coco")
        yield port


def test_a_picture_gives_labels_as_the_reference_has_them(
    camfleet: CommandLine, server_port: int, shared_data: Path
) -> None:
    camfleet.set(GRPC_PORT=server_port)
    picture = shared_data / "media" / "images" / "dog-bicycle-truck.jpg"
    outcome = camfleet.run("infer", str(picture), "--model", "fastestdet-coco", "--json")
    envelope = json.loads(outcome.out)
    assert envelope["type"] == "ObjectDetectionResults"
    assert envelope["base_service"] == "ObjectDetection"
    assert envelope["tag"] == {"file": str(picture), "frame": 0}
    expected = json.loads((shared_data / "expected" / "fastestdet-coco.json").read_text())
    wanted = [found["label"] for found in expected["images"][picture.name]["results"]]
    assert [found["label"] for found in envelope["results"]["predictions"]] == wanted
    assert envelope["results"]["model_version"] == 1


def test_a_folder_gives_a_table_and_pictures_with_boxes(
    camfleet: CommandLine, server_port: int, shared_data: Path, tmp_path: Path
) -> None:
    camfleet.set(GRPC_PORT=server_port)
    (tmp_path / "in").mkdir()
    for name in ("road-cars.jpg", "pets-2-dogs.jpg"):
        content = (shared_data / "media" / "images" / name).read_bytes()
        (tmp_path / "in" / name).write_bytes(content)
    save = str(tmp_path / "out")
    outcome = camfleet.run(
        "infer", str(tmp_path / "in"), "--model", "fastestdet-coco:1", "--save", save
    )
    assert outcome.code == 0
    assert "road-cars.jpg" in outcome.out
    assert outcome.err == f"saved into {save}\n"
    before, after = (cv2.imread(str(tmp_path / f / "road-cars.jpg")) for f in ("in", "out"))
    assert before is not None
    assert after is not None
    assert before.shape == after.shape
    assert (before != after).any()


def test_a_broken_picture_costs_itself_and_no_saved_one_another(
    camfleet: CommandLine, server_port: int, tmp_path: Path
) -> None:
    camfleet.set(GRPC_PORT=server_port)
    pictures, save = tmp_path / "in", tmp_path / "out"
    pictures.mkdir()
    for name in ("b.jpg", "b.png"):
        cv2.imwrite(str(pictures / name), np.zeros((48, 64, 3), np.uint8))
    (pictures / "a.jpg").write_bytes(b"no picture")
    command = ("infer", str(pictures), "--model", "fastestdet-coco", "--save")
    outcome = camfleet.run(*command, str(save))
    assert outcome.code == 1
    assert "a.jpg: Invalid data" in outcome.err
    assert "error: 1 of 3 files cannot be read" in outcome.err
    assert [line.split()[0] for line in outcome.out.splitlines()] == ["file", "b.jpg", "b.png"]
    assert {path.name for path in save.iterdir()} == {"b.jpg", "b.png"}


@pytest.mark.parametrize("name", ["a.jpg", "a.mp4"])
def test_no_source_is_overwritten(camfleet: CommandLine, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"precious")
    command = ("infer", str(tmp_path / name), "--model", "pets", "--save", str(tmp_path))
    outcome = camfleet.run(*command)
    assert outcome.code == 1
    assert f"--save {tmp_path}: {tmp_path / name} is a source; give another folder" in outcome.err
    assert (tmp_path / name).read_bytes() == b"precious"


def test_a_film_is_summed_up_and_saved_with_all_its_frames(
    camfleet: CommandLine, server_port: int, shared_data: Path, tmp_path: Path
) -> None:
    camfleet.set(GRPC_PORT=server_port)
    clip = shared_data / "media" / "clips" / "worker-zone-480x270.mp4"
    outcome = camfleet.run(
        "infer", str(clip), "--model", "fastestdet-coco", "--save", str(tmp_path / "out")
    )
    assert outcome.code == 0
    assert "71" in outcome.out
    assert "person" in outcome.out
    with av.open(str(tmp_path / "out" / "worker-zone-480x270.mp4"), "r") as film:
        assert sum(1 for _ in film.decode(video=0)) == 71


def test_a_model_that_is_not_served_is_named(
    camfleet: CommandLine, server_port: int, shared_data: Path
) -> None:
    camfleet.set(GRPC_PORT=server_port)
    picture = str(shared_data / "media" / "images" / "road-cars.jpg")
    outcome = camfleet.run("infer", picture, "--model", "user/ghost")
    assert outcome.code == 1
    assert "user.ghost" in outcome.err
    assert outcome.err.count("\n") == 1


def test_local_asks_a_server_of_the_commands_own(
    camfleet: CommandLine, shared_data: Path, repository: Path
) -> None:
    camfleet.set(CAMFLEET_SERVER="local", CAMFLEET_MIRROR=shared_data)
    seed_models(repository, camfleet.models)
    camfleet.run("model", "pull", "fastestdet-coco")
    picture = str(shared_data / "media" / "images" / "road-cars.jpg")
    outcome = camfleet.run("infer", picture, "--model", "fastestdet-coco:1")
    assert (outcome.code, outcome.err) == (0, "")
    assert "car" in outcome.out
    outcome = camfleet.run("infer", picture, "--model", "ghost")
    assert outcome.code == 1
    assert "run `camfleet model pull ghost`" in outcome.err


def test_no_server_is_one_clear_line(camfleet: CommandLine, tmp_path: Path) -> None:
    camfleet.set(GRPC_PORT=free_port())
    cv2.imwrite(str(tmp_path / "a.jpg"), cv2.UMat(8, 8, cv2.CV_8UC3))
    outcome = camfleet.run("infer", str(tmp_path / "a.jpg"), "--model", "pets")
    assert outcome.code == 1
    assert "no model server answers at 127.0.0.1:" in outcome.err
    assert "waiting" not in outcome.err


def test_a_pipe_among_the_pictures_is_named_and_costs_itself(
    camfleet: CommandLine, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    outcome = camfleet.run("infer", str(tmp_path), "--model", "pets")
    assert "pipe.jpg: is not a file; remove it" in outcome.err
    outcome = camfleet.run("infer", str(tmp_path / "pipe.jpg"), "--model", "pets")
    assert "pipe.jpg: is neither file nor folder" in outcome.err


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing.jpg", "no such file"),
        ("empty", "has no pictures"),
        ("broken.jpg", "is the file"),
        ("broken.mp4", "is the file"),
    ],
)
def test_a_source_that_is_none_is_named(
    camfleet: CommandLine, tmp_path: Path, name: str, reason: str
) -> None:
    (tmp_path / "empty").mkdir()
    for broken in ("broken.jpg", "broken.mp4"):
        (tmp_path / broken).write_bytes(b"no picture")
    saving = ("--save", str(tmp_path / "out"))
    outcome = camfleet.run("infer", str(tmp_path / name), "--model", "pets", *saving)
    assert outcome.code == 1
    assert reason in outcome.err
