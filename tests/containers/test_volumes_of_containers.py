"""Volumes that outlive images, and volumes that are read-only, full or somebody else's."""

import socket
from collections.abc import Iterator

import pytest

from container_fleet import ContainerFleet
from free_ports import free_ports
from single_container import run, volume

pytestmark = pytest.mark.containers

CONFINED = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
# An image of a later release, with another demo, another cameras.yaml and one more example.
NEWER = """\
FROM {image}
USER 0
RUN cd /usr/share/camfleet/models \\
 && sed -i '1s/{{/{{ "release": 2,/' demo-street/1/model.json \\
 && echo '# of release 2' >> cameras.yaml \\
 && echo 'version: 1' > examples/of-release-2.yaml
USER 10001:10001
"""
READ = "import pathlib, sys; print(pathlib.Path(sys.argv[1]).read_text())"


@pytest.fixture(scope="module")
def newer_image(built_fleet: ContainerFleet, tmp_path_factory: pytest.TempPathFactory) -> str:
    context = tmp_path_factory.mktemp("newer")
    (context / "Dockerfile").write_text(NEWER.format(image=built_fleet.image_of("analytics")))
    return built_fleet.docker("build", "--quiet", str(context))


@pytest.fixture
def fleet(built_fleet: ContainerFleet) -> ContainerFleet:
    return built_fleet


@pytest.fixture
def volumes(fleet: ContainerFleet) -> Iterator[tuple[str, ...]]:
    """Options for a container with a model volume and a state volume."""
    with volume(fleet) as models, volume(fleet) as state:
        yield (*CONFINED, "--volume", f"{models}:/models", "--volume", f"{state}:/state")


def file_of(fleet: ContainerFleet, image: str, volumes: tuple[str, ...], path: str) -> str:
    told = run(fleet, image, volumes, "python", "-c", READ, f"/models/{path}")
    assert told.code == 0, told.log
    return told.log


def give_to(
    fleet: ContainerFleet, image: str, mounted: tuple[str, ...], owner: str, folder: str
) -> None:
    """Give a folder to another user; with a file in it, since Docker gives empty ones to ours."""
    script = f"touch {folder}/by-hand && chown -R {owner}:{owner} {folder}"
    options = ("--user", "0", "--entrypoint", "sh", *mounted)
    assert run(fleet, image, options, "-c", script).code == 0


def test_an_update_and_the_way_back_keep_what_users_changed_and_their_keys(
    fleet: ContainerFleet, newer_image: str, volumes: tuple[str, ...]
) -> None:
    older_image = fleet.image_of("analytics")
    made = run(fleet, older_image, volumes, "camfleet", "key", "add", "dashboard")
    assert made.code == 0, made.log
    added = run(fleet, older_image, volumes, "camfleet", "camera", "add", "door", "demo:street")
    assert added.code == 0, added.log

    for image, has_release in ((newer_image, True), (older_image, False), (newer_image, True)):
        manifest = file_of(fleet, image, volumes, "demo-street/1/model.json")
        assert ('"release": 2' in manifest) is has_release
        assert "cameras.yaml was changed here and is left as it is" in manifest  # said in the log
        cameras = file_of(fleet, image, volumes, "cameras.yaml")
        assert "door" in cameras
        assert "# of release 2" not in cameras
        keys = run(fleet, image, volumes, "camfleet", "key", "list", "--json")
        assert "dashboard" in keys.log


def test_a_read_only_volume_is_left_as_it_is_and_the_doctor_names_it(
    fleet: ContainerFleet,
) -> None:
    image = fleet.image_of("analytics")
    with volume(fleet) as models:
        run(fleet, image, (*CONFINED, "--volume", f"{models}:/models"), "true")
        mounted = (*CONFINED, "--volume", f"{models}:/models:ro")
        told = run(fleet, image, mounted, "camfleet", "doctor")

    assert told.code == 1
    assert "seed: /models is read-only here and stays as it is" in told.log
    assert "folder model volume" in told.log


FULL = ("--driver", "local", "--opt", "type=tmpfs", "--opt", "device=tmpfs")


@pytest.mark.parametrize("service", ["analytics", "model-server"])
def test_a_full_volume_is_named_in_the_log(fleet: ContainerFleet, service: str) -> None:
    with volume(fleet, *FULL, "--opt", "o=size=200k,uid=10001,gid=10001") as models:
        options = (*CONFINED, "--volume", f"{models}:/models")
        told = run(fleet, fleet.image_of(service), options, "true")

    assert "seed: /models is full; make room" in told.log


def test_a_full_volume_is_named_by_the_doctor(fleet: ContainerFleet) -> None:
    fill_and_ask = "cat /dev/zero > /state/all 2>/dev/null; exec camfleet doctor --json"
    with volume(fleet, *FULL, "--opt", "o=size=200k,uid=10001,gid=10001") as state:
        options = (*CONFINED, "--volume", f"{state}:/state")
        told = run(fleet, fleet.image_of("analytics"), options, "sh", "-c", fill_and_ask)

    assert told.code == 1
    assert '"text": "/state is full; make room (old model versions, recordings)"' in told.log


def test_a_volume_of_another_owner_is_named_with_the_way_out(fleet: ContainerFleet) -> None:
    image = fleet.image_of("analytics")
    with volume(fleet) as models:
        mounted = ("--volume", f"{models}:/models")
        give_to(fleet, image, mounted, "0", "/models")
        told = run(fleet, image, (*CONFINED, *mounted), "camfleet", "doctor", "--json")
        assert "seed: /models cannot be written: /models belongs to uid 0" in told.log
        assert "give it to that uid with chown -R" in told.log
        assert told.code == 1

        give_to(fleet, image, mounted, "10001", "/models")
        mended = run(fleet, image, (*CONFINED, *mounted), "true")
    assert "files written to /models" in mended.log


@pytest.mark.parametrize("service", ["capture", "model-server", "analytics", "workbench"])
def test_a_state_folder_of_another_owner_ends_a_service_in_one_sentence(
    fleet: ContainerFleet, service: str
) -> None:
    image = fleet.image_of(service)
    exposed = ("--env", "BIND_ADDRESS=0.0.0.0", "--env", "ALLOW_CIDR=10.0.0.0/8")
    with volume(fleet) as state:
        mounted = ("--volume", f"{state}:/state")
        give_to(fleet, image, mounted, "0", "/state")
        command = {
            "capture": ("camfleet-capture", "--bind", "0.0.0.0"),
            "model-server": ("camfleet-server", "--grpc_bind_address", "0.0.0.0"),
        }.get(service, ())
        told = run(fleet, image, (*exposed, *mounted), *command)

    assert told.code != 0
    assert "/state cannot be written: /state belongs to uid 0" in told.log
    assert "Traceback" not in told.log


@pytest.mark.parametrize(
    ("service", "setting", "reason"),
    [
        ("capture", "RTSP_PORT", "Address already in use; stop what listens there"),
        ("capture", "CAPTURE_HTTP_PORT", "Address already in use; stop what listens there"),
        ("model-server", "GRPC_PORT", "taken, or not an address of this machine"),
        ("model-server", "REST_PORT", "Address already in use"),
        ("analytics", "STREAMER_PORT", "Address already in use"),
        ("workbench", "JUPYTER_PORT", "is not available"),
    ],
)
def test_a_port_that_is_taken_on_the_box_is_named_in_the_log(
    fleet: ContainerFleet, taken_port: int, service: str, setting: str, reason: str
) -> None:
    ports = free_ports(("RTSP_PORT", "CAPTURE_HTTP_PORT", "GRPC_PORT", "REST_PORT"))
    chosen = ports | {setting: taken_port}
    environment = [part for n, port in chosen.items() for part in ("--env", f"{n}={port}")]
    told = run(fleet, fleet.image_of(service), ("--network", "host", *environment))

    assert told.code != 0
    assert str(taken_port) in told.log
    assert reason in told.log
    assert "Traceback" not in told.log


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]
