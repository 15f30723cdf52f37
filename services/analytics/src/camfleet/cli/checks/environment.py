"""Python, packages, and what the packages can do on this machine."""

import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distributions, version

from camfleet.cli.checks.finding import Finding

_PARTS = {
    "camfleet-contracts": "make setup",
    "camfleet": "make setup",
    "camfleet-server": "a container of its own, or make setup",
    "camfleet-capture": "a container of its own, or make setup",
    "camfleet-workbench": "a container of its own, or make setup, if JupyterLab is wanted here",
}
STAND_IN = "camfleet"  # installer of what only says that it is there, in kernels of notebooks
_OLDEST, _TOO_NEW = (3, 11), (3, 13)


def check_python() -> Iterator[Finding]:
    """The interpreter is one the packages are made for."""
    text = f"{platform.python_version()} on {platform.machine()} {platform.system()}"
    fits = _OLDEST <= sys.version_info[:2] < _TOO_NEW
    yield Finding("Python", "ok" if fits else "bad", text if fits else f"{text}; use 3.11 or 3.12")


def check_packages() -> Iterator[Finding]:
    """Which parts of the fleet are installed here."""
    for name, way in _PARTS.items():
        try:
            yield Finding(name, "ok", version(name))
        except PackageNotFoundError:
            yield Finding(name, "note", f"not installed here ({way})")


def check_opencv() -> Iterator[Finding]:
    """One OpenCV distribution, older than 5, which lost Caffe and Darknet; no TensorFlow."""
    found = _installed("opencv")
    listed = ", ".join(f"{name} {number}" for name, number in found) or "none"
    if len(found) != 1:
        yield Finding("OpenCV", "bad", f"{listed}; exactly one must be installed: make setup")
    elif int(found[0][1].split(".")[0]) >= 5:  # noqa: PLR2004 - the major version
        yield Finding("OpenCV", "bad", f"{listed}; 5 cannot read Caffe and Darknet: make setup")
    else:
        yield Finding("OpenCV", "ok", listed)
    tensorflow = [name for name, _ in _installed("tensorflow") if name in _TENSORFLOW]
    text = f"{', '.join(tensorflow)}: it brings other protobuf files; uninstall it here"
    yield Finding("no TensorFlow", "bad" if tensorflow else "ok", text if tensorflow else "right")


_TENSORFLOW = {"tensorflow", "tensorflow-cpu", "tensorflow-intel", "tensorflow-gpu"}


def check_video() -> Iterator[Finding]:
    """PyAV's FFmpeg reads and writes H.264."""
    try:
        import av  # noqa: PLC0415 - a broken one is what is looked for
    except ImportError as error:
        yield Finding("PyAV", "bad", f"{error}; make setup")
        return
    wanted = {"h264", "hevc", "mjpeg", "libx264"}
    missing = sorted(wanted - av.codecs_available)
    text = f"{av.__version__}, FFmpeg with h264, hevc, mjpeg, libx264"
    yield Finding(
        "PyAV", "bad" if missing else "ok", f"without {', '.join(missing)}" if missing else text
    )


def _installed(prefix: str) -> list[tuple[str, str]]:
    real = (one for one in distributions() if (one.read_text("INSTALLER") or "") != STAND_IN)
    names = {d.metadata["Name"].lower(): d.version for d in real if d.metadata["Name"]}
    return sorted((name, number) for name, number in names.items() if name.startswith(prefix))
