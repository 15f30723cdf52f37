"""Capture on a box of its own: two network namespaces, two sets of volumes, one secret."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from processes import BIN, Service, running
from waiting import wait_until

pytestmark = [pytest.mark.fleet, pytest.mark.long]

SECRET = "one-secret-for-both-boxes-of-the-fleet"
CAMERA_BOX, SERVER_BOX = "10.203.77.1", "10.203.77.2"
CAMERAS = """\
version: 1
cameras:
  - name: card
    source: testcard
    capture: {frame_rate: 5}
    pipeline: {model: demo-street, fps: 5}
"""


@dataclass(frozen=True)
class Box:
    """A network namespace with folders of its own."""

    name: str
    folder: Path

    def environment(self, **more: str) -> dict[str, str]:
        """Where this box keeps its things, and the secret that both share."""
        return {
            "MODELS_DIR": str(self.folder / "models"),
            "CAMFLEET_STATE": str(self.folder / "state"),
            "CAMFLEET_CACHE": str(self.folder / "cache"),
            "CAMFLEET_SERVICE_KEY": SECRET,
            **more,
        }

    @contextmanager
    def running(self, program: str, *options: str, **more: str) -> Iterator[Service]:
        """Run a program of the environment on this box."""
        enter = ("/usr/bin/nsenter", f"--net=/run/netns/{self.name}", str(BIN / program), *options)
        with running(*enter, env=self.environment(**more)) as service:
            yield service

    def network(self, *command: str) -> None:
        """Run `ip` on this box."""
        ip("-n", self.name, *command)


def ip(*command: str) -> None:
    subprocess.run(["/usr/sbin/ip", *command], check=True, capture_output=True)


@pytest.fixture
def boxes(tmp_path: Path, repository: Path) -> Iterator[tuple[Box, Box]]:
    """Two boxes on one cable, each with its volumes."""
    if os.geteuid() or not Path("/usr/sbin/ip").exists() or not shutil.which("nsenter"):
        pytest.skip("needs root, iproute2 and util-linux to make network namespaces")
    names = [f"camfleet-{os.getpid()}-{side}" for side in "ab"]
    pair = Box(names[0], tmp_path / "a"), Box(names[1], tmp_path / "b")
    with ExitStack() as stack:
        for box in pair:
            ip("netns", "add", box.name)
            stack.callback(ip, "netns", "del", box.name)
            box.network("link", "set", "lo", "up")
            shutil.copytree(repository / "models", box.folder / "models")
            (box.folder / "models" / "cameras.yaml").write_text(CAMERAS)
        ip("-n", names[0], "link", "add", "eth0", "type", "veth", "peer", "eth0", "netns", names[1])
        for box, address in zip(pair, (CAMERA_BOX, SERVER_BOX), strict=True):
            box.network("address", "add", f"{address}/24", "dev", "eth0")
            box.network("link", "set", "eth0", "up")
        yield pair


@contextmanager
def capture_on(box: Box, **more: str) -> Iterator[Service]:
    options = ("--bind", "0.0.0.0")
    with box.running("camfleet-capture", *options, ALLOW_CIDR="10.203.77.0/24", **more) as service:
        service.logged(r"camera live")
        yield service


@contextmanager
def the_rest_on(box: Box, **more: str) -> Iterator[Service]:
    """Model server and analytics; yields the latter."""
    config = str(box.folder / "models" / "config.json")
    with (
        box.running("camfleet-server", "--config_path", config, "--rest_port", "0"),
        box.running(
            "camfleet-analytics", CAMFLEET_CAPTURE=f"rtsp://{CAMERA_BOX}:8554", **more
        ) as analytics,
    ):
        yield analytics


def test_cable_between_capture_and_the_rest_may_be_pulled(boxes: tuple[Box, Box]) -> None:
    cameras, servers = boxes
    with capture_on(cameras), the_rest_on(servers) as analytics:
        analytics.logged("camera connected")
        cameras.network("link", "set", "eth0", "down")
        analytics.logged("camera lost camera=card state=STALLED")
        cameras.network("link", "set", "eth0", "up")
        wait_until(lambda: analytics.log().count("camera connected") >= 2, 60, "its return")


def test_box_with_another_secret_is_told_so(boxes: tuple[Box, Box]) -> None:
    cameras, servers = boxes
    other = SECRET.replace("one", "two")
    with capture_on(cameras), the_rest_on(servers, CAMFLEET_SERVICE_KEY=other) as analytics:
        analytics.logged("camera lost camera=card state=FAILED reason=user or password are wrong")
