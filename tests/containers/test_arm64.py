"""The fleet for arm64: a wheel for every pin; images that build, import and infer, emulated."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import image_imports
from container_fleet import SERVICES, run_command
from fixtures_containers import mirror
from processes import BIN
from waiting import wait_until

pytestmark = pytest.mark.arm64

BUILD_LIMIT_S = 3600
# Ends with a segmentation fault under QEMU 7.2 when it is imported; for a container's first process
# that is no end at all, as signals to it are dropped.
CRASHES_EMULATOR = ("onnxruntime",)
# glibc of the base image, Debian 12.
PLATFORM = "aarch64-manylinux_2_36"
REQUIREMENTS = ("build", "capture", "model_server", "analytics", "workbench")
READY = """
import urllib.request
urllib.request.urlopen("http://127.0.0.1:8000/v2/models/demo-street/ready", timeout=60)
"""
# One frame through the demo's detector, over the server's REST.
INFER = """
import json, urllib.request
address = "http://127.0.0.1:8000/v2/models/demo-street"
about = json.load(urllib.request.urlopen(address, timeout=60))
[one] = about["inputs"]
shape = [size if size > 0 else 1 for size in one["shape"]]
count = 1
for size in shape:
    count *= size
tensor = {"name": one["name"], "shape": shape, "datatype": one["datatype"], "data": [0] * count}
body = json.dumps({"inputs": [tensor]}).encode()
answer = json.load(urllib.request.urlopen(address + "/infer", body, timeout=600))
print(json.dumps({out["name"]: len(out["data"]) for out in answer["outputs"]}))
"""


@dataclass(frozen=True, slots=True)
class Arm64Images:
    """Builds an image of each service for arm64, the first time that it is asked for."""

    repository: Path
    environment: dict[str, str]
    mirror: str

    def docker(self, *arguments: str, timeout_s: float = 900) -> str:
        return run_command(self.environment, "docker", *arguments, timeout_s=timeout_s)

    def image_of(self, service: str) -> str:
        tag = f"camfleet-arm64-test-{service}"
        folder = f"services/{service.replace('-', '_')}"
        self.docker(
            *("build", "--quiet", "--network", "host", "--tag", tag),
            *("--file", str(self.repository / folder / "Dockerfile")),
            *("--build-arg", f"CAMFLEET_MIRROR={self.mirror}"),
            str(self.repository),
            timeout_s=BUILD_LIMIT_S,
        )
        return tag


@pytest.fixture(scope="module")
def images(
    repository: Path, shared_data: Path, arm64_environment: dict[str, str]
) -> Iterator[Arm64Images]:
    with mirror(shared_data, "127.0.0.1") as address:
        yield Arm64Images(repository, arm64_environment, address)


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_pin_of_a_service_has_a_wheel_for_arm64(
    name: str, repository: Path, tmp_path: Path
) -> None:
    pinned = repository / "requirements" / f"{name}.txt"
    asked = ("--dry-run", "--no-deps", "--require-hashes", "--only-binary", ":all:")
    place = ("--target", str(tmp_path), "--python", str(BIN / "python"), "--python-version", "3.11")
    done = subprocess.run(
        [BIN / "uv", "pip", "install", *asked, *place, "--python-platform", PLATFORM, "-r", pinned],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_for_arm64_imports_every_module_of_its_service(
    images: Arm64Images, service: str
) -> None:
    asked = image_imports.arguments(service, images.image_of(service), CRASHES_EMULATOR)

    image_imports.check(images.docker(*asked), "aarch64", CRASHES_EMULATOR)


def test_one_frame_goes_through_the_model_server_for_arm64(images: Arm64Images) -> None:
    confined = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL")  # noqa: S108 - in it
    volumes = ("--volume", "/models", "--volume", "/state", "--volume", "/cache")
    image = images.image_of("model-server")
    server = images.docker(
        "run", "--detach", "--init", "--network", "none", *confined, *volumes, image
    )
    try:
        wait_until(lambda: is_ready(images, server), 900, "the server has the model")
        told = images.docker("exec", server, "python", "-c", INFER)
    finally:
        log = images.docker("logs", server)
        images.docker("rm", "--force", "--volumes", server)

    assert set(told.split('"')[1::2]), log


def is_ready(images: Arm64Images, server: str) -> bool:
    asked = ["docker", "exec", server, "python", "-c", READY]
    done = subprocess.run(asked, env=images.environment, capture_output=True, check=False)
    return done.returncode == 0
