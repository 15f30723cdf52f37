"""Commands that add, list, record and remove cameras."""

import pytest

from camfleet.cli import console
from camfleet_contracts.cameras_file import read_cameras
from camfleet_contracts.secret_references import resolve_credentials
from cli_runs import CommandLine


def test_a_camera_is_added_with_comments_kept_and_removed(camfleet: CommandLine) -> None:
    camfleet.make_volume()
    arguments = ("camera", "add", "desk", "/dev/video0", "--model", "pets", "--fps", "3")
    assert camfleet.run(*arguments).code == 0
    path = camfleet.models / "cameras.yaml"
    desk = read_cameras(path).find("desk")
    assert desk is not None
    assert (desk.pipeline.model, desk.pipeline.fps) == ("pets", 3)
    assert "# a-z, 0-9 and '-'; also its RTSP path" in path.read_text()
    assert "already" in camfleet.run(*arguments).err
    assert camfleet.run("camera", "remove", "desk").code == 0
    assert "not in" in camfleet.run("camera", "remove", "desk").err


def test_a_login_in_the_address_of_a_new_camera_goes_into_a_file_of_its_own(
    camfleet: CommandLine,
) -> None:
    outcome = camfleet.run("camera", "add", "door", "rtsp://me:p%3Aw@10.0.0.5:554/live?x=1")
    assert outcome.code == 0
    path = camfleet.models / "cameras.yaml"
    door = read_cameras(path).find("door")
    assert door is not None
    assert door.source == "rtsp://10.0.0.5:554/live?x=1"
    assert resolve_credentials(door.credentials, {}) == ("me", "p:w")
    [kept] = camfleet.models.parent.rglob("secrets/door")
    assert door.credentials == f"${{file:{kept}}}"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert str(kept) in outcome.err
    assert "p%3Aw" not in path.read_text() + outcome.err
    camfleet.run("camera", "add", "door", "rtsp://me:other@10.0.0.6/live")
    assert kept.read_text() == "me:p:w\n"


def test_a_removed_camera_takes_the_file_with_its_login_unless_another_one_needs_it(
    camfleet: CommandLine,
) -> None:
    for name in ("door", "yard"):
        camfleet.run("camera", "add", name, f"rtsp://me:{name}@10.0.0.5/live")
    [door] = camfleet.models.parent.rglob("secrets/door")
    camfleet.run(
        "camera", "add", "door-2", "rtsp://10.0.0.5/sub", "--credentials", f"${{file:{door}}}"
    )
    for name in ("door", "yard"):
        assert camfleet.run("camera", "remove", name).code == 0
    assert [kept.name for kept in door.parent.iterdir()] == ["door"]
    assert camfleet.run("camera", "remove", "door-2").code == 0
    assert door.read_text() == "me:door\n"


def test_a_login_no_file_can_hold_stays_in_the_address(camfleet: CommandLine) -> None:
    camfleet.run("camera", "add", "door", "rtsp://a%3Ab:secret@10.0.0.5/live")
    door = read_cameras(camfleet.models / "cameras.yaml").find("door")
    assert door is not None
    assert (door.source, door.credentials) == ("rtsp://a%3Ab:secret@10.0.0.5/live", None)


def test_a_camera_is_recorded_until_it_is_not(camfleet: CommandLine) -> None:
    camfleet.run("camera", "add", "desk", "/dev/video0")
    path = camfleet.models / "cameras.yaml"
    outcome = camfleet.run("camera", "record", "desk", "--size-gb", "5")
    assert (outcome.code, "keeps its newest 5 GB" in outcome.err) == (0, True)
    desk = read_cameras(path).find("desk")
    assert desk is not None
    assert desk.recording is not None
    assert desk.recording.size_bytes == 5_000_000_000
    assert camfleet.run("camera", "record", "desk", "--off").code == 0
    assert read_cameras(path).find("desk") == desk.model_copy(update={"recording": None})
    assert camfleet.run("camera", "record", "nobody").code == 1


def test_a_camera_that_would_break_the_file_is_refused(camfleet: CommandLine) -> None:
    camfleet.make_volume()
    before = (camfleet.models / "cameras.yaml").read_text()
    outcome = camfleet.run("camera", "add", "Front Door", "/dev/video0")
    assert outcome.code == 1
    assert "camera 'Front Door': name: use 1 to 32 of a-z, 0-9 and '-'" in outcome.err
    assert (camfleet.models / "cameras.yaml").read_text() == before


def test_cameras_are_listed_without_passwords(camfleet: CommandLine) -> None:
    camfleet.make_volume()
    camfleet.run("camera", "add", "door", "rtsp://user:secret@10.0.0.5/live")
    outcome = camfleet.run("camera", "list")
    assert "secret" not in outcome.out + camfleet.run("camera", "list", "--json").out
    assert "capture does not answer" in outcome.err


REASON = "rtsp://10.0.0.5/live: the camera refuses the user or password; check credentials"


@pytest.fixture
def refused_camera(camfleet: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Camera door, whose source capture reports as refused."""
    camfleet.make_volume()
    camfleet.run("camera", "add", "door", "rtsp://10.0.0.5/live")
    states = {"door": {"name": "door", "state": "FAILED", "reason": REASON}}
    monkeypatch.setattr("camfleet.cli.camera_listing.camera_states", lambda _: states)
    return camfleet


def test_reasons_of_cameras_end_their_lines_between_words(
    refused_camera: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console.out, "width", 80)
    lines = refused_camera.run("camera", "list").out.splitlines()
    assert all(len(line.rstrip()) <= 80 for line in lines)
    told = lines.index("") + 1
    assert [line.strip() for line in lines[told:]] == [
        "door: rtsp://10.0.0.5/live: the camera refuses the user or password; check",
        "credentials",
    ]


def test_a_pipe_gets_each_camera_and_each_reason_as_one_line(refused_camera: CommandLine) -> None:
    lines = refused_camera.run("camera", "list").out.splitlines()
    assert f"door: {REASON}" in lines
    [door] = [line.split() for line in lines if line.startswith("door ")]
    assert (door[1], door[-1]) == ("rtsp://10.0.0.5/live", "FAILED")


def test_a_file_without_cameras_says_how_to_add_one(camfleet: CommandLine) -> None:
    camfleet.make_volume()
    (camfleet.models / "cameras.yaml").write_text("version: 1\n")
    assert "has no cameras; `camfleet camera add" in camfleet.run("camera", "list").err


@pytest.mark.parametrize("verb", [("add", "door"), ("test",)], ids=["add", "test"])
def test_a_raw_password_in_an_address_is_pointed_out_and_not_shown(
    camfleet: CommandLine, verb: tuple[str, ...]
) -> None:
    camfleet.make_volume()
    told = camfleet.run("camera", *verb, "rtsp://me:se#cret@10.0.0.5/live").err
    assert "write %2F, %3F or %23" in told
    assert "cret" not in told
