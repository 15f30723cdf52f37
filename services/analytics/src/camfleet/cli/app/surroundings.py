"""What a script of an application finds around it: programs, folders, a model server."""

import os
import sys
from pathlib import Path

from camfleet.app_config import AppConfig
from camfleet.apps.application import Application
from camfleet.cli.app.folders import python_folder, volume_of
from camfleet.cli.console import note
from camfleet.cli.server_status import served_models
from camfleet.fleet_access import page_address
from camfleet.publishing.file_log import RESULTS_FILE
from camfleet_contracts.names import stored_name
from camfleet_contracts.settings import environment_of, read_settings


def surroundings(application: Application) -> dict[str, str]:
    """The environment of the application's scripts; where its models run is said in a line.

    A fleet on this machine is used when it serves all models that are named; else a model server
    of the script's own serves them from the application's folder.
    """
    settings = volume_of(application).settings
    environment = environment_of(read_settings())
    environment |= {
        "PATH": os.pathsep.join([str(_programs(application)), environment.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
        "MODELS_DIR": str(settings.models_dir.absolute()),
        "CAMFLEET_STATE": str(settings.state_dir.absolute()),
        "CAMFLEET_CACHE": str(settings.cache_dir.absolute()),
    }
    if "CAMFLEET_SERVER" not in environment:
        _choose_server(application, environment)
    _tell_analytics(application)
    return environment


def _programs(application: Application) -> Path:
    own = python_folder(application) / "bin"
    return own if (own / "python").exists() else Path(sys.executable).parent


def _choose_server(application: Application, environment: dict[str, str]) -> None:
    wanted = {stored_name(model_id) for model_id in application.models}
    served = served_models(read_settings())
    if served is not None and wanted <= served.keys():
        note("models: the fleet on this machine serves them")
        return
    environment["CAMFLEET_SERVER"] = "local"
    if served is not None:
        missing = ", ".join(sorted(wanted - served.keys()))
        note(
            f"models: the fleet on this machine does not serve {missing}; a model server of the "
            f"script's own serves {environment['MODELS_DIR']}"
        )


def _tell_analytics(application: Application) -> None:
    """Say what the switches of the section `analytics` mean here."""
    switches = AppConfig(application.folder).analytics
    if switches.enable_cloud_publish:
        settings = read_settings()
        page = settings.analytics or page_address(settings, settings.streamer_port)
        note(f"analytics: enable_cloud_publish publishes to the fleet at {page}")
    if switches.enable_file_publish:
        size_mb = switches.file_size_bytes / 1e6
        place = application.folder / RESULTS_FILE
        note(f"analytics: enable_file_publish writes {place}, at most {size_mb:g} MB twice")
