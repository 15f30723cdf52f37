"""`camfleet app start`: scripts as real processes that end with all they started."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from camfleet.apps.application import BadApplication, read_application
from camfleet.cli.app.starting import start
from camfleet.cli.app.surroundings import surroundings
from camfleet.cli.errors import CommandError
from fakes_upstream import serving
from processes import Service, running
from waiting import wait_until

SAYS_AND_STAYS = """
import signal, sys
print(" ".join(["says", *sys.argv[1:]]), flush=True)  # in one piece: another one says, too
try:
    signal.pause()
finally:
    print("closed", flush=True)
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    write(tmp_path, SAYS_AND_STAYS)
    return tmp_path


def write(folder: Path, code: str, start: str = "python app.py") -> None:
    (folder / "app.py").write_text(code)
    (folder / "camfleet.app.json").write_text(json.dumps({"scripts": {"start": start}}))


@contextmanager
def started(folder: Path, *options: str) -> Iterator[Service]:
    with running("camfleet", "app", "start", "--app", str(folder), *options) as service:
        yield service


def exit_code_of(service: Service) -> Callable[[], bool]:
    return lambda: service.process.poll() is not None


def test_arguments_reach_the_script_and_its_exit_code_comes_back(app: Path) -> None:
    write(app, "import sys; sys.exit(int(sys.argv[1]) + len(sys.argv))")
    assert start(read_application(app), ["7", "--fast"]) == 10


def test_script_is_interrupted_so_that_it_can_close_what_it_has_open(app: Path) -> None:
    with started(app, "--", "--fast", "clip.mp4") as service:
        service.logged("says --fast clip.mp4")
        service.process.send_signal(signal.SIGTERM)
        service.logged("closed")
        wait_until(exit_code_of(service), 60, "the end of the command")


@pytest.mark.parametrize(("options", "code"), [([], 130), (["--watch"], 0)], ids=["once", "watch"])
def test_a_script_is_interrupted_without_a_traceback(
    app: Path, options: list[str], code: int
) -> None:
    with started(app, *options) as service:
        service.logged("says")
        service.process.send_signal(signal.SIGINT)
        service.logged("closed")
        wait_until(exit_code_of(service), 60, "the end of the command")
        assert service.stop() == code
        assert "Traceback" not in service.log()
        assert "KeyboardInterrupt" not in service.log()


def test_faults_of_a_watched_script_and_the_users_sitecustomize_stay(
    app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (app / "own").mkdir()
    (app / "own" / "sitecustomize.py").write_text("print('customized', flush=True)")
    monkeypatch.setenv("PYTHONPATH", str(app / "own"))
    write(app, "print('says', flush=True); raise ValueError('mine')")
    with started(app, "--watch") as service:
        service.logged("customized")
        service.logged("ValueError: mine")
        service.logged("the script ended with 1")


def test_whole_family_of_a_shell_command_ends_by_ctrl_c(app: Path) -> None:
    write(app, SAYS_AND_STAYS, "python app.py one & python app.py two; wait")
    with started(app) as service:
        service.logged("says one")
        service.logged("says two")
        family = psutil.Process(service.process.pid).children(recursive=True)
        service.process.send_signal(signal.SIGINT)
        wait_until(exit_code_of(service), 60, "the end of the command")
        wait_until(lambda: not any(map(is_alive, family)), 60, "the end of all it started")


def test_script_does_not_outlive_a_command_that_is_killed(app: Path) -> None:
    with started(app) as service:
        service.logged("says")
        (script,) = psutil.Process(service.process.pid).children()
        service.process.kill()
        wait_until(lambda: not is_alive(script), 60, "the end of the script")


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_changed_file_starts_the_script_again_and_its_output_does_not(app: Path) -> None:
    write(app, "import os; os.makedirs('var', exist_ok=True); open('var/x.json', 'w'); 1/0")
    with started(app, "--watch") as service:
        service.logged("watching for changes")
        service.logged("the script ended with 1")
        (app / "camfleet.app.json").write_text("{")
        service.logged("line 1, column 2")
        write(app, SAYS_AND_STAYS)
        service.logged("says")
        (app / "app.py").write_text(SAYS_AND_STAYS.replace('"says"', '"says more"'))
        service.logged("says more")
        service.logged(r"app\.py changed: started again \(\d+\.\d s\)")
        assert service.log().count("the script ended with 1") == 1


def test_missing_script_and_missing_program_are_said(app: Path) -> None:
    (app / "camfleet.app.json").write_text("{}")
    with pytest.raises(BadApplication, match=r"`scripts.start` is missing"):
        _ = read_application(app).start_script
    write(app, "", "no-such-program app.py")
    with pytest.raises(CommandError, match="there is no program 'no-such-program' on PATH"):
        start(read_application(app), [])


def test_script_finds_the_applications_own_python_and_models(
    app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REST_PORT", "1")
    (app / ".venv" / "bin").mkdir(parents=True)
    (app / ".venv" / "bin" / "python").symlink_to("/bin/sh")
    found = surroundings(read_application(app))
    assert found["PATH"].split(os.pathsep)[0] == str(app / ".venv" / "bin")
    assert found["MODELS_DIR"] == str(app / "var" / "models")
    assert found["CAMFLEET_SERVER"] == "local"


def test_fleet_is_used_when_it_serves_all_models(
    app: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving() as fleet:
        fleet.files = {"/v1/config": b'{"pets": {"model_version_status": []}}'}
        monkeypatch.setenv("REST_PORT", fleet.url.rpartition(":")[2])
        application = read_application(app).save_models({"pets": 1})
        assert "CAMFLEET_SERVER" not in surroundings(application)
        application = application.save_models({"pets": 1, "vendor/animals": None})
        assert surroundings(application)["CAMFLEET_SERVER"] == "local"
        assert "does not serve vendor.animals" in capsys.readouterr().err
        monkeypatch.setenv("CAMFLEET_SERVER", "box:9000")
        assert surroundings(application)["CAMFLEET_SERVER"] == "box:9000"
