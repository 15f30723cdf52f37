"""The model server of one process: what it serves, and that it leaves nothing behind."""

import os
import shutil
import socket
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from camfleet import Engine, EngineFallback, InferenceError, ObjectDetection, close_connections
from camfleet.images import Image
from camfleet.placement.choice import choose_place
from camfleet.placement.connections import connect
from camfleet_contracts.settings import read_settings
from fakes_kserve import FakeServer, one_box, serving
from free_ports import free_port
from seeded_volume import seed_demo, seed_models
from waiting import wait_until

LIMIT_S = 90
GREY: Image = np.full((360, 640, 3), 90, np.uint8)
SCRIPT = """
import sys, threading
import numpy as np
from camfleet import ObjectDetection
from camfleet.placement.connections import connect

detector = ObjectDetection("demo-street", server="local")
loading = threading.Thread(target=detector.load)  # its end must not end the server
loading.start()
loading.join()
detector.detect_objects(np.zeros((360, 640, 3), np.uint8))
private = connect("local").private
print(private.folder, private._process.pid, flush=True)
sys.stdin.read(1)
"""

FORKING = """
import os, tempfile
from camfleet.placement.private_server import PrivateServer
from camfleet_contracts.settings import read_settings

PrivateServer(read_settings()).close()
server = PrivateServer(read_settings())
child = os.fork()
if not child:
    files = [tempfile.TemporaryFile() for _ in range(8)]  # one gets the number of the pipe
    server.close()
    print(sum(file.write(b".") for file in files), flush=True)
    [file.close() for file in files]
    os._exit(0)
print(os.waitpid(child, 0)[1], server.has_ended(), flush=True)
"""


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("private")
    (folder / "models").mkdir()
    seed_models(repository, folder / "models")
    seed_demo(repository, folder / "models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODELS_DIR", str(folder / "models"))
        patch.setenv("CAMFLEET_CACHE", str(folder / "cache"))
        yield folder
        close_connections()


@pytest.fixture(scope="module")
def detector(volume: Path) -> ObjectDetection:
    made = ObjectDetection("demo-street", server="local")
    made.load()
    return made


def segments() -> list[str]:
    return [path.name for path in Path("/dev/shm").glob(f"camfleet-{os.getpid()}-*")]  # noqa: S108


def test_services_of_a_process_share_one_server(detector: ObjectDetection) -> None:
    other = ObjectDetection("demo-street", server="local")
    other.load()

    assert detector.engine == other.engine == Engine.DNN_OPENVINO
    assert connect("local") is connect("local")
    children = psutil.Process().children()
    assert len([one for one in children if "keeper.py" in " ".join(one.cmdline())]) == 1


def test_tensors_go_through_memory_that_no_name_is_left_of(detector: ObjectDetection) -> None:
    client = connect("local").client
    results = detector.detect_objects(GREY, confidence_level=0.5)

    assert results.predictions == []
    assert client._segments is not None
    assert len(client._segments._free) == 1
    assert segments() == []


def test_requests_at_once_have_a_segment_each(detector: ObjectDetection) -> None:
    batch = detector.detect_objects_batch([GREY] * 6)

    assert len(batch) == 6
    assert segments() == []


def test_an_engine_may_be_chosen_by_the_models_config_before_it_is_loaded(volume: Path) -> None:
    detector = ObjectDetection("demo-street", server="local")
    engine = Engine.TENSOR_RT if detector.model_config.hailo_support else Engine.ONNX_RT
    detector.load(engine=engine, accelerator="CPU")

    assert detector.engine == Engine.ONNX_RT


def test_a_wished_engine_is_had(volume: Path) -> None:
    detector = ObjectDetection("demo-street", server="local")
    with warnings.catch_warnings():
        warnings.simplefilter("error", EngineFallback)
        detector.load(engine=Engine.ONNX_RT, accelerator="CPU")

    assert (detector.engine, detector.accelerator) == (Engine.ONNX_RT, "CPU")
    assert detector.detect_objects(GREY, 0.5).predictions == []


def test_a_wished_engine_is_had_for_files_that_only_the_catalogue_knows(
    volume: Path, shared_data: Path
) -> None:
    folder = volume / "models" / "copied" / "1"
    folder.mkdir(parents=True)
    for name in ("FastestDet.onnx", "coco.names"):
        shutil.copy(shared_data / "models" / "fastestdet-coco" / name, folder)
    detector = ObjectDetection("copied", server="local")
    detector.load(engine=Engine.ONNX_RT, accelerator="CPU")

    assert detector.engine == Engine.ONNX_RT
    assert detector.labels[0] == "person"
    assert detector.detect_objects(GREY, 0.9).predictions == []


def test_a_gpu_that_is_not_there_is_said(volume: Path) -> None:
    detector = ObjectDetection("demo-street", server="local")

    with pytest.warns(EngineFallback, match="asked for DNN on GPU, runs with DNN on CPU"):
        detector.load(engine=Engine.DNN, accelerator="GPU")


def test_an_engine_that_cannot_run_the_model_gives_way_and_says_why(volume: Path) -> None:
    detector = ObjectDetection("demo-street", server="local")

    for _ in range(2):
        with pytest.warns(
            EngineFallback, match="HAILO_RT on HAILO, runs with DNN_OPENVINO on CPU .*hailo"
        ):
            detector.load(engine=Engine.HAILO_RT)

    assert detector.engine == Engine.DNN_OPENVINO
    assert detector.detect_objects(GREY, 0.5).predictions == []


def test_a_version_is_had_by_its_number(volume: Path) -> None:
    detector = ObjectDetection("demo-street:1", server="local")
    detector.load()

    assert detector.detect_objects(GREY).model_version == 1


def test_a_model_that_is_not_there_says_how_to_get_it(volume: Path) -> None:
    text = r"is not in .*models; run `camfleet model pull .*`camfleet app models add "
    with pytest.raises(InferenceError, match=text):
        ObjectDetection("alwaysai/mobilenet_ssd", server="local").load()


def test_a_version_that_is_not_there_says_which_are(volume: Path) -> None:
    with pytest.raises(InferenceError, match=r"'demo-street' has no version 9 in .*; it has 1$"):
        ObjectDetection("demo-street:9", server="local").load()


@pytest.mark.parametrize("is_killed", [True, False], ids=["killed", "ending"])
def test_it_ends_with_its_owner_and_leaves_nothing(volume: Path, is_killed: bool) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdin is not None
    assert owner.stdout is not None
    folder, keeper = owner.stdout.readline().split()
    family = [psutil.Process(int(keeper)), *psutil.Process(int(keeper)).children(recursive=True)]
    assert len(family) >= 2
    assert (Path(folder) / "socket").exists()

    if is_killed:
        owner.kill()
    else:
        owner.stdin.write(".")
    owner.stdin.close()
    owner.stdout.close()
    owner.wait(LIMIT_S)

    wait_until(lambda: not any(one.is_running() for one in family), LIMIT_S, "all to end")
    wait_until(lambda: not Path(folder).exists(), LIMIT_S, "its folder to be removed")
    assert not list(Path("/dev/shm").glob(f"camfleet-{owner.pid}-*"))  # noqa: S108


def test_a_forked_child_leaves_it_to_its_parent_and_keeps_its_own_files(volume: Path) -> None:
    command = [sys.executable, "-c", FORKING]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=2 * LIMIT_S)
    assert (done.stdout, done.stderr) == ("8\n0 False\n", "")


def test_it_is_started_anew_after_it_was_killed(volume: Path) -> None:
    detector = ObjectDetection("demo-street", server="local")
    detector.load()
    private = connect("local").private
    assert private is not None
    psutil.Process(private._process.pid).children()[0].kill()

    with pytest.raises(InferenceError, match=r"has ended; load\(\) starts another one"):
        detector.detect_objects(GREY)
    detector.load()

    assert detector.detect_objects(GREY, 0.5).predictions == []


def test_one_that_does_not_start_says_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "prometheus_client.py").write_text("raise ImportError('half an installation')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    close_connections()

    with pytest.raises(InferenceError, match=r"does not start: (?s:.*)half an installation"):
        ObjectDetection("demo-street", server="local").load()


def test_a_named_server_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMFLEET_SERVER", "elsewhere:9000")

    assert choose_place("here:9000", read_settings()).server == "here:9000"
    assert choose_place(None, read_settings()).server == "elsewhere:9000"
    assert choose_place("local", read_settings()).server is None


def test_local_in_the_environment_asks_for_a_private_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMFLEET_SERVER", "local")

    assert choose_place(None, read_settings()).server is None


def test_the_default_server_is_taken_when_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CAMFLEET_SERVER", raising=False)
    with serving(FakeServer({1: one_box("car", 0.25)})) as running:
        monkeypatch.setenv("GRPC_PORT", running.address.rpartition(":")[2])
        assert choose_place(None, read_settings()).server == running.address


def test_nobody_at_the_default_address_means_a_private_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CAMFLEET_SERVER", raising=False)
    monkeypatch.setenv("GRPC_PORT", str(free_port()))

    assert choose_place(None, read_settings()).server is None


def test_another_program_at_the_default_port_is_not_taken_for_a_server(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("CAMFLEET_SERVER", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("GRPC_PORT", str(other.getsockname()[1]))
        assert choose_place(None, read_settings()).server is None

    assert "no model server at its default address" in caplog.text


def test_without_the_server_installed_the_way_out_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("camfleet.placement.private_server.find_spec", lambda name: None)
    close_connections()

    with pytest.raises(InferenceError, match=r"pip install 'camfleet\[local\]'"):
        ObjectDetection("demo-street", server="local").load()
