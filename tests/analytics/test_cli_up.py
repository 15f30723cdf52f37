"""`camfleet up` as its user sees it: real services, a terminal's signals."""

import json
import os
import re
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.request import HTTPCookieProcessor, Request, build_opener

import psutil
import pytest
from websockets.sync.client import connect

from camfleet.cli.fleet.ports import Port, taken_ports
from camfleet_contracts.probe import fault
from fakes_fleet import is_gone
from free_ports import free_port, free_ports
from processes import Service, running
from waiting import wait_until

pytestmark = pytest.mark.fleet

_VARIABLES = ("RTSP_PORT", "CAPTURE_HTTP_PORT", "GRPC_PORT", "REST_PORT", "STREAMER_PORT")
_READY = r"http://127\.0\.0\.1:\d+/login\?token=\S+"
_LIMIT_S = 120


def environment_in(folder: Path) -> dict[str, str]:
    """Folders and free ports of a fleet of its own."""
    folders = {
        "MODELS_DIR": folder / "models",
        "CAMFLEET_STATE": folder / "state",
        "CAMFLEET_CACHE": folder / "cache",
    }
    ports = {name: str(port) for name, port in free_ports(_VARIABLES).items()}
    return {name: str(path) for name, path in folders.items()} | ports | {"COLUMNS": "200"}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return environment_in(tmp_path)


@dataclass(frozen=True)
class ReadyFleet:
    """A fleet on the demo that runs for several tests."""

    service: Service
    environment: dict[str, str]

    @property
    def page(self) -> str:
        return f"127.0.0.1:{self.environment['STREAMER_PORT']}"


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadyFleet]:
    environment = environment_in(tmp_path_factory.mktemp("ready"))
    with fleet(environment, "--cameras", "demo:street", "--model", "demo-street") as service:
        service.logged(_READY, _LIMIT_S)
        yield ReadyFleet(service, environment)


def visited(link: str, cookies: CookieJar) -> str:
    """The address where a browser with these cookies ends up."""
    with build_opener(HTTPCookieProcessor(cookies)).open(link, timeout=60) as answer:
        address: str = answer.geturl()
        return address


def cookies_for(link: str, cookies: CookieJar) -> dict[str, str]:
    request = Request(link)
    cookies.add_cookie_header(request)
    return dict(request.header_items())


@contextmanager
def fleet(environment: Mapping[str, str], *options: str) -> Iterator[Service]:
    service = Service(["camfleet", "up", "--no-workbench", *options], environment)
    try:
        yield service
    finally:
        service.stop()


def test_up_is_ready_prints_a_link_and_ends_clean_on_ctrl_c(environment: dict[str, str]) -> None:
    with fleet(environment) as service:
        assert environment["STREAMER_PORT"] in service.logged(_READY, _LIMIT_S).group()
        assert fault(f"http://127.0.0.1:{environment['STREAMER_PORT']}/readyz") is None
        children = psutil.Process(service.process.pid).children(recursive=True)
        assert len(children) >= 3
        service.process.send_signal(signal.SIGINT)
        assert service.process.wait(60) == 0
    wait_until(lambda: all(is_gone(child.pid) for child in children), 60, "no service is left")
    ports = [Port("", "", name, "127.0.0.1", int(environment[name])) for name in _VARIABLES]
    assert taken_ports(ports) == ()
    assert "the fleet has ended" in service.log()


def test_its_link_opens_the_page_once_and_boxes_arrive(ready: ReadyFleet) -> None:
    link = ready.service.logged(_READY).group()
    first, second = CookieJar(), CookieJar()
    assert visited(link, first) == f"http://{ready.page}/"
    assert visited(link, second).endswith("/login?failed=1")
    stream = f"ws://{ready.page}/v1/stream?types=TrackingResults"
    with connect(stream, additional_headers=cookies_for(link, first), open_timeout=60) as results:
        wait_until(lambda: json.loads(results.recv(60))["results"]["objects"], 60, "a box")


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("url", r"{page}/login\?token="),
        ("camera list", r"street +demo:street +demo-street +10 +(LIVE|CONNECTING)"),
        ("doctor", r"are those of the running fleet \(pid {pid}\)"),
        ("up", r"runs already \(pid {pid}\); `camfleet url`"),
        ("up --no-workbench", r"runs already \(pid {pid}\); `camfleet url`"),
    ],
    ids=["url", "camera-list", "doctor", "up", "up-on-other-ports"],
)
def test_commands_elsewhere_follow_the_fleet_that_runs(
    ready: ReadyFleet, command: str, answer: str
) -> None:
    names = {"CAMFLEET_STATE", "COLUMNS"} | ({*_VARIABLES} if command == "up" else set())
    env = {name: ready.environment[name] for name in names}
    with running("camfleet", *command.split(), env=env) as other:
        other.logged(answer.format(page=re.escape(ready.page), pid=ready.service.process.pid))


def test_a_signal_while_it_starts_ends_it_too(environment: dict[str, str]) -> None:
    with fleet(environment) as service:
        service.logged("starting server, capture, analytics")
        assert service.stop() == 0


def test_no_service_outlives_a_killed_up(environment: dict[str, str]) -> None:
    with fleet(environment) as service:
        service.logged(_READY, _LIMIT_S)
        children = psutil.Process(service.process.pid).children(recursive=True)
        os.kill(service.process.pid, signal.SIGKILL)
        service.process.wait(60)
        wait_until(lambda: all(is_gone(child.pid) for child in children), 60, "no service is left")


def test_a_broken_cameras_file_is_named_and_the_fleet_runs(
    environment: dict[str, str], tmp_path: Path
) -> None:
    broken = tmp_path / "cameras.yaml"
    broken.write_text("cameras:\n  - name: Front Door\n    source: demo:street\n")
    with fleet(environment | {"CAMERAS_FILE": str(broken)}) as service:
        service.logged(re.escape(f"{broken}:2"), _LIMIT_S)
        service.logged(_READY, _LIMIT_S)


def test_own_cameras_offline_without_the_model_say_what_to_do(
    environment: dict[str, str],
) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    offline = {"HTTPS_PROXY": nowhere, "HTTP_PROXY": nowhere}
    with fleet(environment | offline, "--cameras", "demo:street") as service:
        service.logged("error: FastestDet.onnx: .* cannot be reached .*CAMFLEET_MIRROR")
        assert service.process.wait(60) == 1


def test_own_cameras_use_the_model_of_the_mirror(
    environment: dict[str, str], shared_data: Path
) -> None:
    mirror = {"CAMFLEET_MIRROR": str(shared_data)}
    with fleet(environment | mirror, "--cameras", "demo:street testcard") as service:
        service.logged(_READY, _LIMIT_S)
        service.logged("version available model=fastestdet-coco", _LIMIT_S)
        cameras = Path(environment["MODELS_DIR"], "cameras.run.yaml").read_text()
        assert "name: street\n" in cameras
        assert "name: testcard\n" in cameras
