"""`camfleet app deploy`: the application as a container that starts with the machine."""

from pathlib import Path

from camfleet.apps.application import Application
from camfleet.cli.app.compose_file import COMPOSE_FILE, write_compose_file
from camfleet.cli.app.docker import Docker
from camfleet.cli.app.image import image_name, package
from camfleet.cli.app.target import Target
from camfleet.cli.console import note
from camfleet.cli.errors import CommandError


def engine_for(application: Application, target: Target) -> Docker:
    """The target's engine, after a look whether it can run the application at all.

    Raises:
        CommandError: there is no engine or no compose, or the application starts nothing.
    """
    application.start_script  # noqa: B018 - said before a long build
    docker = Docker(target.engine)
    docker.find_compose()
    return docker


def deploy(application: Application, target: Target, docker: Docker) -> None:
    """Build the image on the target's engine and start it; an older one is replaced.

    Raises:
        CommandError: it cannot be built or started.
    """
    image = package(application, target, docker)
    file = write_compose_file(application.folder, _project(application), image, target)
    if docker.compose(file, _project(application), "up", "--detach", "--remove-orphans"):
        raise CommandError(f"{image} does not start; docker's last lines say why")
    where = target.engine or "this machine"
    note(f"{image} runs on {where} and starts with it; camfleet app deploy --logs, --stop")
    note(f"a login link for its page: docker exec {_project(application)} camfleet url")


def follow_logs(application: Application, target: Target) -> int:
    """Show what the deployed application writes, until Ctrl-C."""
    return _compose(application, target, "logs", "--follow", "--tail", "100")


def stop(application: Application, target: Target) -> None:
    """Stop and remove the container; its state and data stay on their volumes.

    Raises:
        CommandError: docker could not.
    """
    if _compose(application, target, "down"):
        raise CommandError(f"{application.name} could not be stopped; docker's last lines say why")
    note(f"{application.name} is stopped and will not start by itself; its volumes stay")


def shell_in_image(application: Application, target: Target) -> int:
    """A shell in a new container of the application's image; its exit code.

    Raises:
        CommandError: there is no image.
    """
    docker = Docker(target.engine)
    image = image_name(application)
    if not docker.has_image(image):
        raise CommandError(f"image {image} is not here; `camfleet app package` builds it")
    return docker.run("--rm", "--interactive", "--tty", "--network=host", image, "sh")


def _compose(application: Application, target: Target, *arguments: str) -> int:
    file = _deployed(application)
    return Docker(target.engine).compose(file, _project(application), *arguments)


def _deployed(application: Application) -> Path:
    file = application.folder / COMPOSE_FILE
    if not file.is_file():
        raise CommandError(f"{application.name} is not deployed: {file} is not there")
    return file


def _project(application: Application) -> str:
    return image_name(application).removesuffix(":latest")
