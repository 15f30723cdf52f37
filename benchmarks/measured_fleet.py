"""The fleet on films, as processes whose processor time is read: what cameras cost it."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copytree
from typing import Any

import films
from camfleet_contracts.direct import read_service
from camfleet_contracts.keys import KeyStore
from measured_process import BIN, Process, process

ROOT = Path(__file__).resolve().parent.parent
FPS = 5
LINES = [
    {"name": "across", "from": [0, 0.6], "to": [1, 0.6]},
    {"name": "down", "from": [0.5, 0], "to": [0.5, 1]},
]
Entry = dict[str, Any]


@dataclass(frozen=True)
class Model:
    """The detector of both sides: its name on the volume, and how a script reads it."""

    name: str
    file: Path
    kind: str
    confidence: float


@dataclass
class Fleet:
    """Running services; `cost` is model server and analytics, capture is shared with the script."""

    folder: Path
    model: Model
    env: dict[str, str]
    key: str
    capture: Process = field(init=False)
    server: Process = field(init=False)
    analytics: Process = field(init=False)
    began_s: float = 0.0  # time.monotonic() when the first service was started
    page: str = ""
    rtsp: str = ""

    @property
    def busy_s(self) -> float:
        """Processor time of the side that does the work."""
        return self.server.busy_s + self.analytics.busy_s

    def entry(self, name: str, film: Path | str, **pipeline: Any) -> Entry:
        """A camera of cameras.yaml."""
        wanted = {"model": self.model.name, "fps": FPS, "confidence": self.model.confidence}
        return {
            "name": name,
            "source": str(film),
            "pipeline": wanted | {"lines": LINES} | pipeline,
        }

    def follow(self, *cameras: Entry) -> None:
        """Have exactly these cameras, and wait until each of them is analysed."""
        write_cameras(self.folder, *cameras)
        names = {camera["name"] for camera in cameras}
        wait_until(
            lambda: names == {n for n, one in self.cameras().items() if one["fps"] > FPS / 2}
        )

    def cameras(self) -> dict[str, Any]:
        """What /v1/status says of each camera."""
        return {one["name"]: one for one in self.get("/v1/status")["cameras"]}

    def looked(self, camera: str) -> int:
        """How many of a camera's pictures were analysed so far."""
        return int(self.cameras()[camera]["frames"]["analysed"])

    def get(self, path: str) -> Any:
        """A JSON answer of analytics."""
        return json.loads(read_service(self.page + path, 10, {"x-api-key": self.key}))


def write_cameras(folder: Path, *cameras: Entry) -> None:
    """JSON is YAML."""
    (folder / "cameras.yaml").write_text(json.dumps({"version": 1, "cameras": list(cameras)}))


def wait_until(is_reached: Callable[[], bool], patience_s: float = 60.0) -> None:
    """Look ten times a second."""
    deadline = time.monotonic() + patience_s
    while not is_reached():
        if time.monotonic() > deadline:
            raise SystemExit("the fleet did not get there; see its log")
        time.sleep(0.1)


@contextmanager
def running_fleet(folder: Path, *cameras: Callable[["Fleet"], Entry]) -> Iterator[Fleet]:
    """Capture, model server and analytics on ports of the system's choice."""
    env = {
        "MODELS_DIR": str(folder / "models"),
        "CAMFLEET_STATE": str(folder / "state"),
        "CAMFLEET_CACHE": str(folder / "cache"),
    }
    keys = KeyStore(folder / "state" / "keys.json")
    keys.ensure()
    model = publish_model(folder, env)
    fleet = Fleet(folder, model, env, keys.add("benchmark", "admin"))
    write_cameras(folder, *(make(fleet) for make in cameras))
    with ExitStack() as stack:
        _start(fleet, stack)
        yield fleet


def _start(fleet: Fleet, stack: ExitStack) -> None:
    cameras, env = str(fleet.folder / "cameras.yaml"), fleet.env
    config = str(fleet.folder / "models" / "config.json")
    fleet.began_s = time.monotonic()
    command = ("camfleet-capture", "--cameras", cameras, "--rtsp-port", "0", "--http-port", "0")
    fleet.capture = stack.enter_context(process(*command, env=env))
    serve = ("camfleet-server", "--config_path", config, "--port", "auto", "--rest_port", "auto")
    fleet.server = stack.enter_context(process(*serve, env=env))
    found = fleet.capture.printed(r"listening.*rtsp=(?:rtsp://)?(\S+).*http=(?:http://)?(\S+)")
    fleet.rtsp = f"rtsp://{found[1]}"
    env |= {"CAMFLEET_CAPTURE": fleet.rtsp, "CAMFLEET_CAPTURE_HTTP": f"http://{found[2]}"}
    env["CAMFLEET_SERVER"] = fleet.server.printed(r"listening.*grpc=(\S+)")[1]
    analyse = ("camfleet-analytics", "--cameras", cameras, "--port", "0")
    fleet.analytics = stack.enter_context(process(*analyse, env=env))
    found = fleet.analytics.printed(r"listening.*http=(?:http://)?(\S+)")
    fleet.page = f"http://{found[1]}"


def publish_model(folder: Path, env: dict[str, str]) -> Model:
    """fastestdet-coco from the shared data; without them the demo's own detector."""
    volume = folder / "models"
    copytree(ROOT / "models", volume, dirs_exist_ok=True)
    if not films.is_real():
        return Model("demo-street", volume / "demo-street" / "1" / "model.onnx", "yolox", 0.5)
    pull = [str(BIN / "camfleet"), "model", "pull", "fastestdet-coco"]
    mirror = {"CAMFLEET_MIRROR": str(films.SHARED)}
    subprocess.run(pull, env=_whole(env | mirror), check=True, capture_output=True)
    file = volume / "fastestdet-coco" / "1" / "FastestDet.onnx"
    return Model("fastestdet-coco", file, "fastestdet", 0.5)


def _whole(env: dict[str, str]) -> dict[str, str]:
    return {**os.environ, **env}  # noqa: TID251 - a child needs PATH and the like
