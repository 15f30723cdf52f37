"""Entry point of `camfleet-workbench`: seeds the notebooks and runs JupyterLab until a signal."""

import argparse
import logging
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from camfleet.cli.volume_seed import find_seed
from camfleet_contracts.access import RefusedToListen
from camfleet_contracts.files import FolderNotWritable, needing
from camfleet_contracts.key_entries import BadKeyFile
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.logs import configure_logs
from camfleet_contracts.seed import seed_folder
from camfleet_contracts.settings import BadSettings, FleetSettings, read_settings
from camfleet_workbench.jupyter import build_server
from camfleet_workbench.kernels.command import kernel_main
from camfleet_workbench.kernels.environment import ensure_environment

logger = logging.getLogger(__name__)


def main() -> None:
    """Run JupyterLab; ends with 0 on SIGTERM and SIGINT, with 1 when it cannot start."""
    if sys.argv[1:2] == ["kernel"]:
        sys.exit(kernel_main(sys.argv[2:]))
    options = _parse(sys.argv[1:])
    settings = _settings_of(options)
    configure_logs("workbench", settings.log_level)
    keys = KeyStore(settings.state_dir / "keys.json")
    try:
        keys.ensure(settings.api_key, settings.service_key)
        _seed_notebooks(settings, options.seed)
        _ensure_kernel(settings)
        server = build_server(settings, keys, settings.notebooks_dir)
    except (RefusedToListen, FolderNotWritable, BadKeyFile) as error:
        sys.exit(f"camfleet-workbench: {error}")
    settings = settings.model_copy(update={"jupyter_port": server.port})
    server.io_loop.add_callback(_announce, settings)  # after the server's own callback that binds
    server.start()


def _announce(settings: FleetSettings) -> None:
    logger.info(
        "listening jupyter=%s:%s next=`camfleet url --jupyter` makes a login link",
        *(settings.bind_address, settings.jupyter_port),
    )


def _settings_of(options: argparse.Namespace) -> FleetSettings:
    try:
        return read_settings(
            jupyter_port=options.port, bind_address=options.bind, notebooks_dir=options.notebooks
        )
    except BadSettings as error:
        sys.exit(f"camfleet-workbench: {error}")


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="camfleet-workbench",
        description="JupyterLab beside the fleet; `camfleet url --jupyter` makes a login link.",
        epilog="`camfleet-workbench kernel --help`: environments for notebooks, e.g. with PyTorch.",
    )
    told = f"camfleet-workbench {version('camfleet-workbench')}"
    parser.add_argument("--version", action="version", version=told, help="print it and end")
    parser.add_argument("--notebooks", type=Path, help="folder it shows (var/notebooks)")
    parser.add_argument("--seed", type=Path, help="notebooks to put there first (./notebooks)")
    parser.add_argument("--port", type=int, help="port to listen on (8888)")
    parser.add_argument("--bind", help="address to listen on (127.0.0.1)")
    return parser.parse_args(arguments)


def _seed_notebooks(settings: FleetSettings, seed: Path | None) -> None:
    """Copy the project's notebooks; those a user changed stay as they are."""
    source = seed or find_seed("notebooks")
    if source is None:
        settings.notebooks_dir.mkdir(parents=True, exist_ok=True)
        return
    with needing(settings.notebooks_dir):
        report = seed_folder(source, settings.notebooks_dir)
    for name in report.kept:
        logger.info("notebook %s was changed here and is left as it is", name)


def _ensure_kernel(settings: FleetSettings) -> None:
    """Have the notebooks' own kernel; without it they run in the kernel of the image."""
    try:
        told = ensure_environment(settings.notebooks_dir)
    except (OSError, subprocess.SubprocessError) as error:
        logger.warning("no kernel on the volume: %s; packages installed now will not last", error)
        return
    if told:
        logger.warning("%s", told)


if __name__ == "__main__":
    main()
