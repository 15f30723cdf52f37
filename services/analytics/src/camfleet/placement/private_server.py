"""A model server that belongs to this process: on a unix socket, with shared memory."""

import atexit
import os
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from camfleet.inference.channels import Access, Channels
from camfleet.inference.errors import InferenceError
from camfleet.inference.kserve import SERVER_LIVE
from camfleet.placement.errors import NoPrivateServer
from camfleet_contracts.settings import FleetSettings, environment_of

CATALOG = "catalog.json"
START_LIMIT_S = 90.0  # a loaded machine, a cold disk
_END_LIMIT_S = 10.0
_KEEPER = str(Path(__file__).with_name("keeper.py"))
_LAST_BYTES = 2000


class PrivateServer:
    """Ends with this process, also when that is killed; then its folder, socket and all, goes too.

    It serves nothing by itself: `put` adds an entry to its config.json.
    """

    def __init__(self, settings: FleetSettings) -> None:
        """Start it and wait until it answers.

        Raises:
            NoPrivateServer: it is not installed, or it does not start; its last words follow.
        """
        if find_spec("camfleet_server") is None:
            raise NoPrivateServer(
                "no model server answers, and none is installed to start; `pip install "
                "'camfleet[local]'`, or name a server with server= or CAMFLEET_SERVER"
            )
        self.folder = Path(tempfile.mkdtemp(prefix="camfleet-"))
        self.address = f"unix:{self.folder / 'socket'}"
        self._log = (self.folder / "server.log").open("a+b")  # read by us after it was removed
        self.config.write_text('{"model_config_list": []}')
        catalog = settings.models_dir.absolute() / CATALOG
        if catalog.is_file():  # it knows models that have no model.json
            (self.folder / CATALOG).symlink_to(catalog)
        self._process = self._start(settings)
        os.register_at_fork(after_in_child=partial(_leave_to_parent, weakref.ref(self)))
        atexit.register(self.close)
        self._wait_until_live()

    @property
    def config(self) -> Path:
        """Its config.json."""
        return self.folder / "config.json"

    def has_ended(self, within_s: float = 0.0) -> bool:
        """Whether it is there no more, or will be soon."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(within_s)
        return self._process.returncode is not None

    def last_words(self) -> str:
        """The end of its log; empty where it said nothing."""
        if self._log.closed:
            return ""
        log = self._log.fileno()  # whose position is the server's too
        last = os.pread(log, _LAST_BYTES, max(0, os.fstat(log).st_size - _LAST_BYTES))
        return last.decode(errors="replace").strip()

    def close(self) -> None:
        """End it and wait for that."""
        atexit.unregister(self.close)
        assert self._process.stdin is not None  # noqa: S101 - it was given a pipe
        if not self._process.stdin.closed:
            self._process.stdin.close()
            self.has_ended(_END_LIMIT_S)  # the keeper kills it by itself
        self._log.close()

    def _start(self, settings: FleetSettings) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "camfleet_server"]
        command += ["--config_path", str(self.config), "--port", "0", "--rest_port", "0"]
        command += ["--grpc_socket_path", str(self.folder / "socket"), "--allow-client-shm"]
        command += ["--model-control", "explicit", "--log_level", "WARNING"]
        command += ["--cache_dir", str(settings.cache_dir.absolute())]
        return subprocess.Popen(
            [sys.executable, "-I", "-S", _KEEPER, str(self.folder), *command],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            env=self._environment(settings),
            start_new_session=True,
        )

    def _environment(self, settings: FleetSettings) -> Mapping[str, str]:
        """A state folder of its own: the fleet's keys are not for it."""
        return environment_of(settings) | {"CAMFLEET_STATE": str(self.folder / "state")}

    def _wait_until_live(self) -> None:
        deadline_s = time.monotonic() + START_LIMIT_S
        channels = Channels(self.address, Access())
        try:
            while not _is_live(channels):
                if self.has_ended() or time.monotonic() > deadline_s:
                    words = self.last_words()
                    self.close()
                    raise NoPrivateServer(f"the private model server does not start: {words}")
                time.sleep(0.02)
        finally:
            channels.close()

    def leave_to_parent(self) -> None:
        """In a forked child: let go of the pipe, or the server would wait for the child's end."""
        atexit.unregister(self.close)
        if self._process.stdin is not None:
            self._process.stdin.close()  # its number alone may soon be that of a file of the child


def _leave_to_parent(server: "weakref.ref[PrivateServer]") -> None:
    """The hook stays for as long as the process, the server may be gone."""
    if (kept := server()) is not None:
        kept.leave_to_parent()


def _is_live(channels: Channels) -> bool:
    try:
        return channels.call(SERVER_LIVE, b"", timeout_s=1.0).live
    except InferenceError:
        return False
