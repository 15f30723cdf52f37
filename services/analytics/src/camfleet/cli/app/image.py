"""`camfleet app package`: one image with the script, the library, a model server and the models."""

import re
from importlib.metadata import version
from pathlib import Path

from camfleet.apps.application import Application
from camfleet.cli.app.docker import Docker
from camfleet.cli.app.folders import volume_of
from camfleet.cli.app.models import bring_all
from camfleet.cli.app.scaffold import DOCKERFILE, complete
from camfleet.cli.app.target import Target
from camfleet.cli.console import note
from camfleet.cli.errors import CommandError
from camfleet.cli.volume_seed import find_seed

_BASE = "camfleet-app"
_SERVER_FILES = {"default": "Dockerfile"}  # of others it is Dockerfile.<device>


def package(application: Application, target: Target, docker: Docker, tag: str = "") -> str:
    """Build the image and return its name.

    Raises:
        CommandError: it cannot be built.
    """
    for name in complete(application.folder):
        note(f"{application.folder / name} was missing and is made")
    _check_base_of(application.folder / DOCKERFILE)
    bring_all(application, volume_of(application, own=True))
    (application.folder / "var" / "models").mkdir(parents=True, exist_ok=True)
    _provide_base(docker, target.device)
    image = tag or image_name(application)
    docker.build(
        image,
        application.folder,
        application.folder / DOCKERFILE,
        CAMFLEET_HW=target.device,
        CAMFLEET_VERSION=version("camfleet"),
    )
    return image


def image_name(application: Application) -> str:
    """The folder's name as Docker writes names, with the tag `latest`."""
    name = re.sub(r"[^a-z0-9]+", "-", application.name.lower()).strip("-")
    return f"{name or 'app'}:latest"


def base_image(device: str) -> str:
    """The image that applications are built from, for a class of hardware."""
    return f"{_BASE}:{version('camfleet')}-{device}"


def _check_base_of(dockerfile: Path) -> None:
    """A Dockerfile of another product, or of another camfleet, builds an image of that."""
    bases = re.findall(r"(?mi)^FROM\s+(\S+)", dockerfile.read_text())
    ours = (f"{_BASE}:{version('camfleet')}-", f"{_BASE}:$")
    for base in bases:
        is_of_another = base.startswith(f"{_BASE}:") and not base.startswith(ours)
        if is_of_another or base.startswith("alwaysai/"):
            raise CommandError(
                f"{dockerfile} builds FROM {base}; delete it and run `camfleet app configure`, "
                f"which makes one for camfleet {version('camfleet')}"
            )


def _provide_base(docker: Docker, device: str) -> None:
    """Build the base of applications from the checkout; where there is none, it must be here.

    An engine that has built it before does so again in seconds, unless the sources changed.
    """
    base = base_image(device)
    seed = find_seed("services")
    if seed is None:
        if docker.has_image(base):
            return
        raise CommandError(
            f"image {base} is not here; build it where camfleet's sources are "
            "(camfleet app package there), or load it with `docker load`"
        )
    services, root = seed, seed.parent
    server_file = services / "model_server" / _SERVER_FILES.get(device, f"Dockerfile.{device}")
    if not server_file.is_file():
        raise CommandError(f"there is no model server for device '{device}' ({server_file})")
    server = f"camfleet-model-server:{version('camfleet')}-{device}"
    note(f"building {base}, the same for all applications")
    docker.build(server, root, server_file, SEED_MODELS="")  # an application brings its own
    docker.build(base, root, services / "analytics" / "Dockerfile.app", SERVER_IMAGE=server)
