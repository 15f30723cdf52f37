"""Small programs that stand for services under a supervisor."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil

from camfleet.cli.fleet.child import ServiceSpec
from camfleet.cli.fleet.supervisor import Supervisor
from camfleet_contracts.settings import environment_of, read_settings
from free_ports import free_port
from waiting import wait_until

_PROGRAM = """
import http.server, os, signal, subprocess, sys, urllib.request
port, mode = int(sys.argv[1]), sys.argv[2]
print("pid", os.getpid(), flush=True)
if mode == "broken":
    print("cannot read my file", flush=True)
    sys.exit(3)
if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
elif mode.startswith("http:"):
    def look(*_):
        print("sees", urllib.request.urlopen(mode).status, flush=True)
        sys.exit(0)
    signal.signal(signal.SIGTERM, look)
elif mode == "parent":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print("child", child.pid, flush=True)
else:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Ready)
server.serve_forever()
"""


def service(name: str, mode: str = "good", *, essential: bool = True) -> ServiceSpec:
    """A service that answers on a free port, or misbehaves as `mode` says.

    With an address as `mode` it looks there when it ends.
    """
    port = free_port()
    command = (sys.executable, "-c", _PROGRAM, str(port), mode)
    url = f"http://127.0.0.1:{port}/readyz"
    return ServiceSpec(name, command, url, "green", essential=essential)


class Run:
    """What a supervised fleet has said so far."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.said: list[str] = []
        self.ready = threading.Event()

    def numbers(self, name: str, word: str = "pid", at_least: int = 1) -> list[int]:
        """The process ids that a service has written; waits until there are so many."""

        def found() -> list[int] | None:
            lines = [line for service, line in self.lines if service == name]
            numbers = [int(line.split()[1]) for line in lines if line.startswith(word)]
            return numbers if len(numbers) >= at_least else None

        return wait_until(found, 60, f"{name} writes {word}")

    def has_said(self, text: str) -> Callable[[], bool]:
        return lambda: any(text in line for line in self.said)


@contextmanager
def supervised(*specs: ServiceSpec) -> Iterator[Run]:
    """Run the services until the block ends; the supervisor has a thread that outlives them."""
    run = Run()
    fleet = Supervisor(
        specs,
        environment_of(read_settings()),
        lambda spec, line: run.lines.append((spec.name, line)),
        run.said.append,
    )
    thread = threading.Thread(target=fleet.run, args=(run.ready.set,), name="supervisor")
    thread.start()
    try:
        yield run
    finally:
        fleet.end()
        thread.join(60)
        assert not thread.is_alive()


def is_gone(pid: int) -> bool:
    """Whether the process has ended (a zombie has)."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
