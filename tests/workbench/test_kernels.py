"""Kernels on the volume of the notebooks: what users install lasts and breaks nothing."""

import json
import subprocess
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
from jupyter_client.manager import KernelManager

from camfleet_contracts.settings import read_settings
from camfleet_workbench.kernels.check import check_kernels
from camfleet_workbench.kernels.command import kernel_main
from camfleet_workbench.kernels.environment import (
    KernelEnvironment,
    ensure_environment,
    installed_environments,
)
from camfleet_workbench.kernels.jupyter_side import FleetKernelSpecs
from cli_runs import CommandLine


def wheel(folder: Path, name: str, *needs: str) -> Path:
    """A package of one module, as an index would give it."""
    folder.mkdir(exist_ok=True)
    info = f"{name}-1.0.dist-info"
    requires = "".join(f"Requires-Dist: {need}\n" for need in needs)
    files = {
        f"{name}.py": "import cv2\nanswer = cv2.__version__\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{requires}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as packed:
        for name_in, text in (files | {f"{info}/RECORD": record}).items():
            packed.writestr(name_in, text)
    return path


def pip_install(
    kernel: KernelEnvironment, wheels: Path, name: str
) -> subprocess.CompletedProcess[str]:
    """`pip install NAME` as a cell of this kernel runs it, with a folder for an index."""
    environment = json.loads(kernel.spec.read_text())["env"]
    offline = ["--no-index", "--find-links", str(wheels)]
    return subprocess.run(
        [str(kernel.folder / "bin" / "pip"), "install", *offline, name],
        env={"PIP_CONSTRAINT": environment["PIP_CONSTRAINT"], "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def run(kernel: KernelEnvironment, code: str) -> str:
    return subprocess.run(
        [str(kernel.python), "-c", code], capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


@pytest.fixture
def kernel(tmp_path: Path) -> KernelEnvironment:
    ensure_environment(tmp_path)
    return KernelEnvironment(tmp_path, "python3")


def findings(kernel: KernelEnvironment) -> dict[str, str]:
    found = check_kernels(read_settings(notebooks_dir=kernel.notebooks))
    return {one.check: f"{one.verdict}: {one.text}" for one in found}


def test_a_package_that_wants_opencv_python_is_installed_beside_the_one_that_is_there(
    kernel: KernelEnvironment, tmp_path: Path
) -> None:
    wheel(tmp_path / "index", "wants_cv", "opencv-python>=4.6", "numpy>=1.23")
    outcome = pip_install(kernel, tmp_path / "index", "wants_cv")
    assert outcome.returncode == 0, outcome.stderr
    assert run(kernel, "import wants_cv; print(wants_cv.answer)").startswith("4.")
    assert kernel.installed() == ["wants_cv==1.0"]
    assert findings(kernel) == {"kernel python3": "ok: 1 packages of its own"}
    ensure_environment(tmp_path)  # as after the image was updated
    assert kernel.installed() == ["wants_cv==1.0"]


def test_a_package_that_wants_another_numpy_is_refused_and_nothing_breaks(
    kernel: KernelEnvironment, tmp_path: Path
) -> None:
    wheel(tmp_path / "index", "wants_old", "numpy<2")
    outcome = pip_install(kernel, tmp_path / "index", "wants_old")
    assert outcome.returncode != 0
    assert "numpy" in outcome.stdout + outcome.stderr
    assert run(kernel, "import numpy; print(numpy.__version__)") == version("numpy")
    assert kernel.installed() == []


def test_the_doctor_finds_a_broken_kernel_and_repair_mends_it(
    kernel: KernelEnvironment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (kernel.packages / "numpy.py").write_text("raise ImportError('half a numpy')\n")
    assert "bad: ImportError: half a numpy" in findings(kernel)["kernel python3"]
    assert "camfleet-workbench kernel repair python3" in findings(kernel)["kernel python3"]
    assert kernel_main(["--notebooks", str(tmp_path), "repair"]) == 0
    assert "starts again" in capsys.readouterr().out
    assert findings(kernel)["kernel python3"].startswith("ok")
    kernel.python.unlink()
    assert "is not there" in findings(kernel)["kernel python3"]


@pytest.mark.notebooks
def test_the_doctor_tells_of_kernels_beside_its_other_checks(
    kernel: KernelEnvironment,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    camfleet = CommandLine(tmp_path / "fleet", monkeypatch, capsys)
    camfleet.set(CAMFLEET_NOTEBOOKS=tmp_path)
    checks = {
        one["check"]: one["verdict"] for one in json.loads(camfleet.run("doctor", "--json").out)
    }
    assert checks["kernel python3"] == "ok"


@pytest.mark.notebooks
def test_an_environment_of_another_python_is_put_aside_with_its_list(
    kernel: KernelEnvironment, tmp_path: Path
) -> None:
    wheel(tmp_path / "index", "wants_cv", "opencv-python")
    pip_install(kernel, tmp_path / "index", "wants_cv")
    (kernel.folder / "lib").rename(kernel.folder / "lib-moved")
    old = kernel.folder / "lib" / "python3.9"
    old.parent.mkdir()
    (kernel.folder / "lib-moved" / kernel.packages.parent.name).rename(old)
    told = ensure_environment(tmp_path)
    assert "was made by another Python" in told
    aside = kernel.folder.with_name("python3.old-1")
    assert (aside / "packages.txt").read_text() == "wants_cv==1.0\n"
    assert findings(kernel)["kernel python3"].startswith("ok")


@pytest.mark.notebooks
def test_a_kernel_whose_packages_cannot_be_had_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel(tmp_path / "index", "own").parent))
    assert kernel_main(["--notebooks", str(tmp_path), "add", "torch"]) == 1
    assert "nothing was kept" in capsys.readouterr().err
    assert installed_environments(tmp_path) == []
    assert kernel_main(["--notebooks", str(tmp_path), "add", "own"]) == 0
    assert [one.name for one in installed_environments(tmp_path)] == ["own"]
    assert kernel_main(["--notebooks", str(tmp_path), "remove", "own"]) == 0
    assert installed_environments(tmp_path) == []


def test_jupyter_runs_notebooks_in_it_and_tensorflow_is_explained(
    kernel: KernelEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    specs = FleetKernelSpecs(notebooks=str(tmp_path))
    manager = KernelManager(kernel_name="python3", kernel_spec_manager=specs)
    manager.start_kernel()
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        outputs: list[str] = []

        def note(message: dict[str, object]) -> None:
            outputs.append(str(message["content"]))

        code = "import sys; print(sys.prefix)\nimport tensorflow"
        client.execute_interactive(code, timeout=60, output_hook=note, allow_stdin=False)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert str(kernel.folder) in "".join(outputs)
    assert "camfleet.compat" in "".join(outputs)
