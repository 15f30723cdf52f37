"""Commands in another folder than the fleet's: they say so, and how to name the fleet."""

import http.server
from collections.abc import Iterator
from pathlib import Path

import pytest

from camfleet.cli.fleet.plan import fleet_environment
from camfleet.cli.fleet.run_record import recorded_run
from camfleet.cli.settings import command_settings, new_fleet_settings
from camfleet_contracts.settings import read_settings
from cli_runs import CommandLine
from serving_thread import in_thread


@pytest.fixture
def elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    """A shell in an empty folder, whose environment names no fleet."""
    command_line = CommandLine(tmp_path, monkeypatch, capsys)
    for variable in ("MODELS_DIR", "CAMFLEET_STATE"):
        monkeypatch.delenv(variable)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return command_line


@pytest.fixture
def page_of_others() -> Iterator[int]:
    """The port of a page that knows no key."""
    with in_thread(http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Refusing)) as server:
        yield server.server_port


class _Refusing(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(401)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    "command",
    [
        "camera list",
        "camera remove door",
        "camera record door",
        "camera advise",
        "model remove cat",
        "model log",
        "model rollback",
        "url",
        "key add wall",
        "key list",
        "key revoke wall",
    ],
)
def test_a_folder_without_a_fleet_is_named_and_nothing_is_made_in_it(
    elsewhere: CommandLine, command: str
) -> None:
    outcome = elsewhere.run(*command.split())
    assert outcome.code == 1
    assert f"no fleet in {Path.cwd()}" in outcome.err
    assert "CAMFLEET_STATE=<folder>/var/state" in outcome.err
    assert list(Path.cwd().iterdir()) == []


def test_a_fleet_that_runs_is_found_by_its_state_folder_alone(
    elsewhere: CommandLine, tmp_path: Path
) -> None:
    models, state = tmp_path / "models", tmp_path / "state"
    elsewhere.set(CAMFLEET_STATE=state)
    with recorded_run(read_settings(models_dir=models, state_dir=state)):
        elsewhere.run("camera", "add", "door", "rtsp://10.0.0.5/live")
        assert "door" in elsewhere.run("camera", "list").out
    assert (models / "cameras.yaml").is_file()


def test_local_is_for_scripts_and_leaves_the_fleet_its_own_server(elsewhere: CommandLine) -> None:
    elsewhere.set(CAMFLEET_SERVER="local", GRPC_PORT=9001)
    assert command_settings().server == "127.0.0.1:9001"
    assert fleet_environment(new_fleet_settings())["CAMFLEET_SERVER"] == "127.0.0.1:9001"


def test_a_key_is_made_before_the_first_start_where_the_folder_is_named(
    elsewhere: CommandLine,
) -> None:
    assert "CAMFLEET_STATE=var/state prepares one before" in elsewhere.run("key", "add", "wall").err
    elsewhere.set(CAMFLEET_STATE="var/state")
    assert elsewhere.run("key", "add", "wall").code == 0
    assert "wall" in elsewhere.run("key", "list").out


@pytest.mark.parametrize("command", ["url", "key add wall", "camera advise"])
def test_keys_and_links_that_the_page_here_would_not_accept_are_refused(
    elsewhere: CommandLine, page_of_others: int, tmp_path: Path, command: str
) -> None:
    elsewhere.set(STREAMER_PORT=page_of_others, CAMFLEET_STATE=tmp_path / "state")
    outcome = elsewhere.run(*command.split())
    assert (outcome.code, outcome.out) == (1, "")
    assert f"knows no key of {tmp_path / 'state'}: it belongs to another fleet" in outcome.err


def test_cameras_that_capture_does_not_know_may_be_those_of_another_fleet(
    elsewhere: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere.set(MODELS_DIR=tmp_path / "models", CAMFLEET_STATE=tmp_path / "state")
    states = {"porch": {"name": "porch", "state": "LIVE"}}
    monkeypatch.setattr("camfleet.cli.camera_listing.camera_states", lambda _: states)
    told = elsewhere.run("camera", "list").err
    assert "has none of these cameras, but porch: it may belong to another fleet" in told
