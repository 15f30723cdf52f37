"""The process in which new files are tried."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

import fakes_runtimes
from camfleet_contracts.model_manifest import ModelManifest
from camfleet_contracts.serving_config import ModelConfig
from camfleet_server.reload.probe import Prober, ProbeStopped
from camfleet_server.runtimes.base import LoadError, ModelSource
from model_volume import save_adder
from waiting import wait_until


@pytest.fixture
def prober(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Prober]:
    monkeypatch.setenv("PYTHONPATH", str(Path(fakes_runtimes.__file__).parent))
    prober = Prober(fakes_runtimes.TABLE, tmp_path / "cache", limit_s=60)
    yield prober
    prober.stop()


@pytest.fixture
def adder(tmp_path: Path) -> ModelSource:
    folder = tmp_path / "adder"
    save_adder(folder, 1)
    config = ModelConfig(name="adder", base_path=folder)
    return ModelSource("adder", 1, folder, config, ModelManifest())


def _with_runtime(source: ModelSource, runtime: str) -> ModelSource:
    manifest = ModelManifest(runtimes=(runtime,))
    return ModelSource(source.name, 1, source.folder, source.config, manifest)


def test_good_files_pass_also_after_bad_ones(prober: Prober, adder: ModelSource) -> None:
    for runtime, reason in (
        ("crashing", "SIGSEGV"),
        ("aborting", "SIGABRT"),
        ("killed", "SIGKILL, which the kernel sends when memory runs out"),
        ("failing", "taste"),
    ):
        with pytest.raises(LoadError, match=reason):
            prober.try_out(_with_runtime(adder, runtime), runtime)
    prober.try_out(adder, "good")


@pytest.mark.usefixtures("prober")  # the path of the runtimes
def test_files_that_hang_are_given_up(adder: ModelSource, tmp_path: Path) -> None:
    hasty = Prober(fakes_runtimes.TABLE, tmp_path / "cache", limit_s=0.5)
    with pytest.raises(LoadError, match=r"hung: no answer within 0\.5 s"):
        hasty.try_out(_with_runtime(adder, "hanging"), "hanging")
    hasty.stop()


def test_content_that_passed_is_not_tried_again_even_by_the_next_server(
    prober: Prober, adder: ModelSource, tmp_path: Path
) -> None:
    prober.try_out(adder, "content")
    prober.remember("content")
    next_prober = Prober(fakes_runtimes.TABLE, tmp_path / "cache", limit_s=2)
    next_prober.try_out(_with_runtime(adder, "crashing"), "content")
    next_prober.stop()


def test_content_that_changed_while_it_was_tried_is_tried_again(
    prober: Prober, adder: ModelSource
) -> None:
    prober.try_out(adder, "content")
    with pytest.raises(LoadError, match="taste"):
        prober.try_out(_with_runtime(adder, "failing"), "content")


def test_process_that_ended_while_it_waited_is_not_blamed_on_the_files(
    prober: Prober, adder: ModelSource
) -> None:
    others = psutil.Process().children()
    prober.prepare()
    (waiting,) = (child for child in psutil.Process().children() if child not in others)
    waiting.kill()
    wait_until(lambda: waiting.status() == psutil.STATUS_ZOMBIE, 60, "the end of the process")
    prober.try_out(adder, "content")


def test_process_that_waited_in_vain_is_ended(tmp_path: Path) -> None:
    now = [0.0]
    prober = Prober(fakes_runtimes.TABLE, tmp_path / "cache", limit_s=2, clock=lambda: now[0])
    others = psutil.Process().children()
    prober.prepare()
    (waiting,) = (child for child in psutil.Process().children() if child not in others)
    now[0] = 5.0
    assert prober.rest() == 5.0
    now[0] = 11.0
    assert prober.rest() is None
    assert not waiting.is_running()


def test_missing_vendor_library_is_named(prober: Prober, adder: ModelSource) -> None:
    with pytest.raises(LoadError, match="a_vendor_library_that_is_not_here"):
        prober.try_out(_with_runtime(adder, "missing"), "missing")


def test_stopped_prober_tries_nothing(prober: Prober, adder: ModelSource) -> None:
    prober.prepare()
    prober.stop()
    with pytest.raises(ProbeStopped):
        prober.try_out(adder, "content")
