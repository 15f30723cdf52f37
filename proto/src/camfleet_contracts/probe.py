"""Health probe of containers: `python -m camfleet_contracts.probe URL` exits 0 when it is well.

URL is where the service listens by default. It is also asked at BIND_ADDRESS, and by TLS where
there is a certificate, as services listen by TLS beyond loopback only.
"""

import os
import sys
import urllib.error
from collections.abc import Mapping
from urllib.parse import urlsplit

from camfleet_contracts.direct import read_service

TIMEOUT_S = 4.0
_LOOPBACK_OR_ALL = {"", "localhost", "127.0.0.1", "::1", "0.0.0.0", "::"}  # noqa: S104 - compared only


def fault(url: str, timeout_s: float = TIMEOUT_S) -> str | None:
    """Return what is wrong with the service at `url`, None when its answer is 2xx."""
    environment = os.environ  # noqa: TID251 - what the service of this container was started with
    reasons = []
    for address in addresses(url, environment):
        try:
            read_service(address, timeout_s, is_here=True)
        except urllib.error.HTTPError as error:
            body = error.read(300).decode(errors="replace").strip()
            return f"{address} answers {error.code}: {body}"
        except (OSError, ValueError) as error:
            reasons.append(f"{address}: {error}")
        else:
            return None
    return "; ".join(reasons)


def addresses(url: str, environment: Mapping[str, str]) -> list[str]:
    """Return where the service of `url` may listen with this environment, the likeliest first."""
    bind = environment.get("BIND_ADDRESS", "")
    parts = urlsplit(url)
    hosts = [parts.hostname or "127.0.0.1"]
    if bind not in _LOOPBACK_OR_ALL:
        hosts.insert(0, bind)
    schemes = [parts.scheme]
    if environment.get("CAMFLEET_TLS_CERT") and parts.scheme == "http":
        is_beyond = bind not in _LOOPBACK_OR_ALL - {"0.0.0.0", "::"}  # noqa: S104 - compared only
        schemes.insert(0 if is_beyond else 1, "https")
    names = [f"[{host}]" if ":" in host else host for host in hosts]
    rest = f":{parts.port}{parts.path}" if parts.port else parts.path
    return [f"{scheme}://{name}{rest}" for name in names for scheme in schemes]


def main() -> int:
    """Probe the one URL given; print the fault to standard error."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and its one argument
        sys.stderr.write("usage: python -m camfleet_contracts.probe URL\n")
        return 2
    found = fault(sys.argv[1])
    if found:
        sys.stderr.write(found + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
