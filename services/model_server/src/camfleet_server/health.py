"""Health probe of the image: `python -m camfleet_server.health` asks the server of this container.

Ports come from where the server has them: the command line of process 1, else the environment.
Started as `ovms` without --rest_port there is no REST; then it is well while gRPC accepts
connections.
"""

import os
import socket
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from camfleet_contracts.probe import fault

_COMMAND_LINE = Path("/proc/1/cmdline")
_GRPC_TIMEOUT_S = 2.0
_OFF = "0"


def main() -> int:
    """Print the fault to standard error and return 1 where there is one."""
    words = _COMMAND_LINE.read_bytes().decode(errors="replace").split("\0")
    environment = os.environ  # noqa: TID251 - what the server of this container was started with
    found = find_fault(words, environment.get("REST_PORT", ""), environment.get("GRPC_PORT", ""))
    if found:
        sys.stderr.write(found + "\n")
    return 1 if found else 0


def find_fault(words: Sequence[str], rest_port: str, grpc_port: str) -> str | None:
    """Return what is wrong with the server that these words started, None when it is well."""
    programs = [Path(word).name for word in words if Path(word).name in {"ovms", "camfleet-server"}]
    is_ovms = programs[:1] == ["ovms"]
    rest = _option(words, "rest_port") or (_OFF if is_ovms else rest_port or "8000")
    if rest != _OFF:
        return fault(f"http://127.0.0.1:{rest}/readyz")
    grpc = _option(words, "port") or (_OFF if is_ovms else grpc_port or "9000")
    try:
        socket.create_connection(("127.0.0.1", int(grpc)), timeout=_GRPC_TIMEOUT_S).close()
    except (OSError, ValueError) as error:
        return f"gRPC port {grpc}: {error}"
    return None


def _option(words: Sequence[str], name: str) -> str:
    """The value of `--name value` or `--name=value`, empty where it is not given."""
    values = [after for word, after in pairwise(words) if word == f"--{name}"]
    joined = [word.partition("=")[2] for word in words if word.startswith(f"--{name}=")]
    return ([*joined, *values] or [""])[-1]


if __name__ == "__main__":
    sys.exit(main())
