"""The signals that end a server: the first is waited for, the second ends it at once."""

import signal
import subprocess
import sys

import pytest

SCRIPT = """
import os, signal
from camfleet_server import end_signals

end_signals.time.sleep = lambda _: os.kill(os.getpid(), signal.{echo})
signals = end_signals.EndSignals()
os.kill(os.getpid(), signal.SIGTERM)
print(signals.wait().name, flush=True)
os.kill(os.getpid(), signal.SIGINT)
print("not reached")
"""


def run(echo: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", SCRIPT.format(echo=echo)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("echo", ["SIGTERM", "SIGINT"])
def test_the_echo_of_a_signal_is_no_second_one(echo: str) -> None:
    ended = run(echo)
    assert (ended.stdout, ended.stderr) == ("SIGTERM\n", "")


def test_a_second_signal_ends_the_process_at_once() -> None:
    assert run("SIGTERM").returncode == -signal.SIGINT
