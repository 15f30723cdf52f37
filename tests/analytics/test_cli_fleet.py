import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, replace

import pytest

from camfleet.cli.fleet import supervisor as supervising
from camfleet.cli.fleet.supervisor import ServiceFailedToStart, Supervisor
from camfleet_contracts.settings import environment_of, read_settings
from fakes_fleet import is_gone, service, supervised
from waiting import wait_until

PARENT = """
import json, os, signal, sys
from camfleet.cli.fleet.child import Child, ServiceSpec
child = Child(ServiceSpec(**json.loads(sys.argv[1])), os.environ, lambda *_: None)
print(child.pid, flush=True)
signal.pause()
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "_POLL_S", 0.02)
    monkeypatch.setattr(supervising, "_FIRST_BACK_OFF_S", 0.05)


def test_the_fleet_is_ready_when_all_services_answer() -> None:
    with supervised(service("one"), service("two")) as run:
        assert run.ready.wait(60)
        assert all(run.numbers(name) for name in ("one", "two"))


def test_the_end_of_the_fleet_leaves_no_process() -> None:
    with supervised(service("one"), service("two")) as run:
        assert run.ready.wait(60)
        pids = [*run.numbers("one"), *run.numbers("two")]
    assert all(is_gone(pid) for pid in pids)


def test_a_service_that_watches_the_others_ends_before_them() -> None:
    watched = service("watched")
    watcher = replace(service("watcher", watched.ready_url), ends_first=True)
    with supervised(watched, watcher) as run:
        assert run.ready.wait(60)
    assert ("watcher", "sees 200") in run.lines


def test_a_service_that_ignores_the_signal_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "_STOP_LIMIT_S", 0.3)
    with supervised(service("deaf", "stubborn")) as run:
        assert run.ready.wait(60)
        pid = run.numbers("deaf")[0]
    assert is_gone(pid)
    assert run.has_said("deaf did not end within 0.3 s: killed")()


def test_children_of_a_service_end_with_it() -> None:
    with supervised(service("family", "parent")) as run:
        assert run.ready.wait(60)
        child = run.numbers("family", "child")[0]
    wait_until(lambda: is_gone(child), 60, "the grandchild is gone")


def test_a_crashed_service_is_started_again_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with supervised(service("one"), service("two")) as run:
        assert run.ready.wait(60)
        os.kill(run.numbers("one")[0], signal.SIGKILL)
        wait_until(run.has_said("one ended with code -9; started again in"), 60, "the end is said")
        wait_until(run.has_said("one is back"), 60, "it answers again")
        assert len(run.numbers("one", at_least=2)) == 2
        assert len(run.numbers("two")) == 1


def test_a_service_that_cannot_start_ends_the_fleet_with_its_last_line() -> None:
    fleet = Supervisor(
        (service("good"), service("bad", "broken")),
        environment_of(read_settings()),
        lambda *_: None,
        lambda _: None,
    )
    with pytest.raises(ServiceFailedToStart, match=r"bad ended with code 3 .*cannot read my file"):
        fleet.run(lambda: None)


def test_a_service_that_is_not_essential_may_fail() -> None:
    with supervised(service("good"), service("extra", "broken", essential=False)) as run:
        assert run.ready.wait(60)
        wait_until(run.has_said("extra ended with code 3"), 60, "its end is said")


def test_a_child_does_not_outlive_a_killed_parent() -> None:
    command = [sys.executable, "-c", PARENT, json.dumps(asdict(service("one")))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    wait_until(lambda: is_gone(pid), 60, "the service is gone")
