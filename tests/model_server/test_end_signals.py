"""The signals that end a server: the first is waited for, the second ends it at once."""

import signal
import subprocess
import sys
from signal import SIGHUP, SIGINT, SIGTERM, Signals

import pytest

SCRIPT = """
import os, signal
from camfleet_server import end_signals

end_signals.time.sleep = lambda _: os.kill(os.getpid(), {echo:d})
ending = end_signals.EndSignals()
for number in {sent}:
    os.kill(os.getpid(), number)
print(ending.wait().name, flush=True)
os.kill(os.getpid(), signal.SIGINT)
print("not reached")
"""


def run(
    *sent: Signals, echo: Signals = SIGTERM, under: tuple[str, ...] = ()
) -> "subprocess.CompletedProcess[str]":
    script = SCRIPT.format(echo=echo, sent=list(map(int, sent)))
    return subprocess.run(
        [*under, sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("echo", [SIGTERM, SIGINT, SIGHUP])
def test_the_echo_of_a_signal_is_no_second_one(echo: Signals) -> None:
    ended = run(SIGTERM, echo=echo)
    assert (ended.stdout, ended.stderr) == ("SIGTERM\n", "")


def test_a_second_signal_ends_the_process_at_once() -> None:
    assert run(SIGTERM).returncode == -signal.SIGINT


def test_a_terminal_that_closes_ends_the_server_unless_nohup_is_in_front() -> None:
    in_a_terminal = ("env", "--default-signal=HUP")  # the tests themselves may run under nohup
    assert run(SIGHUP, under=in_a_terminal).stdout == "SIGHUP\n"
    assert run(SIGHUP, SIGTERM, under=(*in_a_terminal, "nohup")).stdout == "SIGTERM\n"
