"""The HTTP application on a real port, with pipelines that read scripted cameras."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from websockets.sync.client import ClientConnection, connect

from camfleet.service.capture_watch import CaptureView, CaptureWatch
from camfleet.service.events.hub import StreamHub
from camfleet.service.events.journal import MemoryJournal
from camfleet.service.fleet import PipelineFleet
from camfleet.service.http.app import Parts, create_app
from camfleet.service.live_ports import LiveCamera
from camfleet.service.picture_news import PictureNews
from camfleet.service.pipeline import Surroundings
from camfleet.service.server_watch import ServerWatch
from camfleet.service.sinks.fleet import SinkFleet
from camfleet.service.status import Identity, StatusBoard, Watches
from camfleet.web.connections import GuardedHttp
from camfleet_contracts.cameras import Camera
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.settings import read_settings
from fakes_analytics import NoLiveVideo, ScriptedDetector, ScriptedSource, frame
from waiting import wait_until

ONE_CAMERA = """
cameras:
  - name: door
    source: demo:street
    pipeline: {fps: 10, model: cars, lines: [{name: gate, from: [0, 0.5], to: [1, 0.5]}]}
"""


class RunningApp:
    """Everything of the service but RTSP, the model server and capture."""

    def __init__(self, folder: Path, cameras: str, **settings_of_test: Any) -> None:
        self.file = folder / "cameras.yaml"
        self.file.write_text(cameras)
        settings = read_settings(
            cameras=self.file, state_dir=folder, models_dir=folder, **settings_of_test
        )
        self.settings = settings
        self.keys = KeyStore(folder / "keys.json")
        self.key = self.keys.add("test", "admin")
        self.hub, self.detector = StreamHub(), ScriptedDetector()
        self.journal = MemoryJournal(self.hub.wake_all)
        self.hub.keep_events_in(self.journal)
        self.sources: dict[str, ScriptedSource] = {}
        self.capture = CaptureWatch("", "", PictureNews("box", self.hub).tell)
        around = Surroundings(self.detector, self.hub, "box")
        self.fleet = PipelineFleet(settings, self._source, NoLiveVideo(), around, self.journal)
        self.sinks = SinkFleet(settings, "box", self.hub, self.journal)
        self.fleet.listener, self.fleet.plugged_in = self.sinks.follow, self.capture.plugged_in
        self.sinks.now = self.fleet.now
        identity = Identity("box", "h:9000", str(self.file))
        self.server_watch = ServerWatch(lambda: ())
        self.status = StatusBoard(
            identity,
            self.fleet,
            Watches(self.capture, self.server_watch, self.sinks.facts),
            self.journal,
        )
        self.port = 0

    def _source(self, camera: Camera, live: LiveCamera) -> ScriptedSource:
        return self.sources.setdefault(camera.name, ScriptedSource())

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stream(self, query: str = "") -> ClientConnection:
        url = f"ws://127.0.0.1:{self.port}/v1/stream?apiKey={self.key}&{query}"
        return connect(url, open_timeout=60, max_queue=None)

    def show(self, name: str = "door", count: int = 6) -> None:
        """Let a camera see frames, each taken before the next one."""
        source = self.sources[name]
        for number in range(count):
            source.slot.put(frame(number))
            wait_until(source.has_nothing_to_take, 60, "the frame is taken")

    def tell_of_capture(self, **facts: Any) -> None:
        self.capture.take(CaptureView(None, **facts))


@contextmanager
def running_app(folder: Path, cameras: str = ONE_CAMERA, **settings: Any) -> Iterator[RunningApp]:
    app = RunningApp(folder, cameras, **settings)
    parts = Parts(app.hub, app.fleet, app.status, NoLiveVideo(), app.keys, app.settings)
    guarded = create_app(parts)
    server = uvicorn.Server(
        uvicorn.Config(guarded, http=GuardedHttp, log_config=None, timeout_graceful_shutdown=1)
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        app.port = listening.getsockname()[1]
        thread = threading.Thread(
            target=lambda: asyncio.run(server.serve(sockets=[listening])), name="app"
        )
        thread.start()
        wait_until(lambda: server.started, 60, "the application listens")
        app.fleet.start()
        try:
            yield app
        finally:
            app.fleet.stop()
            app.sinks.stop()
            server.should_exit = True
            thread.join(60)


def messages(client: ClientConnection, count: int) -> list[dict[str, Any]]:
    """The next messages; fails when they do not come."""
    return [json.loads(client.recv(timeout=60)) for _ in range(count)]
