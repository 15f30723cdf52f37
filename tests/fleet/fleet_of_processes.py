"""The fleet as real processes on ports the system chose, and what a client sees of it."""

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

from camfleet_contracts.keys import KeyStore
from processes import Service, running
from waiting import wait_until


@dataclass
class Fleet:
    """Addresses and logs of running services."""

    folder: Path
    env: dict[str, str]
    stack: ExitStack
    capture: Service | None = None
    server: Service | None = None
    analytics: Service | None = None
    capture_http: str = ""
    rest: str = ""
    page: str = ""
    key: str = ""

    def get(self, url: str) -> Any:
        """The JSON answer of one of the fleet's addresses."""
        request = urllib.request.Request(url, headers={"x-api-key": self.key})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def camera(self, name: str) -> dict[str, Any]:
        """What capture says of a camera."""
        state: dict[str, Any] = self.get(f"{self.capture_http}/cameras/{name}")
        return state

    def status(self, name: str) -> dict[str, Any]:
        """What analytics says of a camera; empty before it knows it."""
        cameras = self.get(f"{self.page}/v1/status")["cameras"]
        return next((camera for camera in cameras if camera["name"] == name), {})

    def log(self) -> str:
        """All logs, for the message of a failure."""
        services = [s for s in (self.capture, self.server, self.analytics) if s]
        return "\n".join(service.log() for service in services)


def start_capture(fleet: Fleet, *, at: str = "0") -> None:
    """Start capture on `cameras.yaml` of the folder."""
    cameras = str(fleet.folder / "cameras.yaml")
    command = ("camfleet-capture", "--cameras", cameras, "--rtsp-port", at, "--http-port", "0")
    fleet.capture = fleet.stack.enter_context(running(*command, env=fleet.env))
    found = fleet.capture.logged(r"listening.*rtsp=(?:rtsp://)?(\S+).*http=(?:http://)?(\S+)")
    fleet.env["CAMFLEET_CAPTURE"] = f"rtsp://{found[1]}"
    fleet.env["CAMFLEET_CAPTURE_HTTP"] = fleet.capture_http = f"http://{found[2]}"


def start_server(fleet: Fleet, *, grpc: str = "auto") -> None:
    """Start the model server on `models/config.json` of the folder."""
    config = str(fleet.folder / "models" / "config.json")
    command = ("camfleet-server", "--config_path", config, "--port", grpc, "--rest_port", "auto")
    fleet.server = fleet.stack.enter_context(running(*command, env=fleet.env))
    found = fleet.server.logged(r"listening.*grpc=(\S+).*rest=(?:http://)?(\S+)")
    fleet.env["CAMFLEET_SERVER"] = found[1]
    fleet.rest = f"http://{found[2]}"


def start_analytics(fleet: Fleet, *more: str) -> None:
    """Start analytics on `cameras.yaml` of the folder."""
    cameras = str(fleet.folder / "cameras.yaml")
    command = ("camfleet-analytics", "--cameras", cameras, "--port", "0", *more)
    fleet.analytics = fleet.stack.enter_context(running(*command, env=fleet.env))
    found = fleet.analytics.logged(r"listening.*http=(?:http://)?(\S+)")
    fleet.page = f"http://{found[1]}"


def kill_analytics(fleet: Fleet) -> None:
    """End analytics as a loss of power would."""
    assert fleet.analytics is not None
    fleet.analytics.process.kill()
    fleet.analytics.process.wait(60)


@contextmanager
def empty_fleet(folder: Path) -> Iterator[Fleet]:
    """A fleet with its folders and a key; what is started ends with the block."""
    (folder / "models").mkdir(exist_ok=True)
    env = {
        "MODELS_DIR": str(folder / "models"),
        "CAMFLEET_STATE": str(folder / "state"),
        "CAMFLEET_CACHE": str(folder / "cache"),
    }
    keys = KeyStore(folder / "state" / "keys.json")
    keys.ensure()
    with ExitStack() as stack:
        yield Fleet(folder, env, stack, key=keys.add("test", "admin"))


@contextmanager
def running_fleet(folder: Path) -> Iterator[Fleet]:
    """Capture, model server and analytics; all end with the block."""
    with empty_fleet(folder) as fleet:
        start_capture(fleet)
        start_server(fleet)
        start_analytics(fleet)
        yield fleet


@dataclass
class Messages:
    """What came over /v1/stream, in order."""

    all: list[dict[str, Any]] = field(default_factory=list)

    def of(self, camera: str, kind: str) -> list[tuple[float, dict[str, Any]]]:
        """(unix time of capture, message) of one camera and type."""
        chosen = [m for m in self.all if m.get("camera") == camera and m["type"] == kind]
        return [(unix(message["captured_at"]), message) for message in chosen]


@contextmanager
def listening(fleet: Fleet, query: str = "") -> Iterator[Messages]:
    """Collect messages in the background while the block runs."""
    messages = Messages()
    ended = threading.Event()
    address = fleet.page.replace("http", "ws", 1) + f"/v1/stream{query}"

    def collect() -> None:
        while not ended.is_set():
            try:
                messages.all.append(json.loads(socket.recv(timeout=0.2)))
            except TimeoutError:
                continue

    with connect(
        address, additional_headers={"x-api-key": fleet.key}, max_size=None, open_timeout=60
    ) as socket:
        thread = threading.Thread(target=collect, name="stream-client")
        thread.start()
        try:
            yield messages
        finally:
            ended.set()
            thread.join(60)


def unix(time: str) -> float:
    """Seconds since 1970 of an RFC 3339 time."""
    return datetime.fromisoformat(time).timestamp()


def wait_for_state(fleet: Fleet, camera: str, state: str, timeout_s: float = 120) -> dict[str, Any]:
    """Wait until analytics shows this state of a camera."""

    def reached() -> dict[str, Any] | None:
        status = fleet.status(camera)
        return status if status.get("state") == state else None

    return wait_until(reached, timeout_s, f"{camera} to be {state}")


def wait_for_frames(fleet: Fleet, camera: str, more: int = 5, timeout_s: float = 120) -> None:
    """Wait until that many more frames of a camera were analysed."""
    before = analysed(fleet, camera)
    wait_until(
        lambda: analysed(fleet, camera) >= before + more,
        timeout_s,
        f"{more} more frames of {camera}",
    )


def analysed(fleet: Fleet, camera: str) -> int:
    """How many frames of a camera were analysed so far."""
    return int(fleet.status(camera).get("frames", {}).get("analysed", 0))
