"""Health probe of containers: `python -m camfleet_contracts.probe URL` exits 0 when it is well."""

import sys
import urllib.error

from camfleet_contracts.direct import read_service

TIMEOUT_S = 4.0


def fault(url: str, timeout_s: float = TIMEOUT_S) -> str | None:
    """Return what is wrong with the answer of `url`, None when it is 2xx."""
    try:
        read_service(url, timeout_s)
    except urllib.error.HTTPError as error:
        body = error.read(300).decode(errors="replace").strip()
        return f"{url} answers {error.code}: {body}"
    except (OSError, ValueError) as error:
        return f"{url}: {error}"
    return None


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
