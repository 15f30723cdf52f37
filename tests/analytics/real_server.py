"""A real model server with real models, pulled from the shared data."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from camfleet.catalog.pull import pull_model
from camfleet.catalog.serving import serve_model
from camfleet_contracts.settings import read_settings
from free_ports import free_port
from processes import Service, running
from seeded_volume import seed_models

DEMO = "demo-street"
LOAD_LIMIT_S = 120  # this machine may be busy


def volume_of(folder: Path, repository: Path, shared_data: Path, names: Sequence[str]) -> Path:
    """A volume that serves these models of the catalogue; returns its config.json."""
    settings = read_settings(
        models_dir=folder / "models", cache_dir=folder / "cache", mirror=str(shared_data)
    )
    seed_models(repository, settings.models_dir)
    for name in names:
        pull_model(settings, name, lambda *_: None)
        serve_model(settings.models_dir, name)
    return settings.models_dir / "config.json"


@contextmanager
def model_server(
    config: Path, names: Sequence[str], port: int | None = None
) -> Iterator[tuple[Service, str]]:
    """A process that serves the volume; yields it and its address."""
    port = port or free_port()
    options = (f"--config_path={config}", f"--port={port}", "--rest_port=0")
    state = {"CAMFLEET_STATE": str(config.parent.parent / "state")}
    with running("camfleet-server", *options, env=state) as service:
        for name in names:
            service.logged(f"version available model={name}", LOAD_LIMIT_S)
        yield service, f"127.0.0.1:{port}"


@contextmanager
def demo_server(folder: Path, port: int) -> Iterator[Service]:
    """A process that serves the demo's model, from the volume that is this folder."""
    options = (f"--config_path={folder / 'config.json'}", f"--port={port}", "--rest_port=0")
    with running("camfleet-server", *options, env={"CAMFLEET_STATE": str(folder)}) as service:
        service.logged(f"version available model={DEMO}", LOAD_LIMIT_S)
        yield service
