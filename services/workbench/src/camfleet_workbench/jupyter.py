"""JupyterLab as the fleet runs it: keys of the fleet, no browser, no calls to the outside."""

import secrets
from pathlib import Path
from typing import Any

from jupyterlab.labapp import LabApp
from tornado.web import RequestHandler
from traitlets.config import Config

from camfleet_contracts.access import check_exposure, is_loopback, speaks_tls
from camfleet_contracts.keys import KeyStore
from camfleet_contracts.settings import FleetSettings
from camfleet_workbench.identity import FleetIdentity
from camfleet_workbench.kernels.jupyter_side import FleetKernels, FleetKernelSpecs


class _Health(RequestHandler):
    def get(self) -> None:
        """Answer without a key, as every service of the fleet does."""
        self.write({"status": "ok"})


def build_server(settings: FleetSettings, keys: KeyStore, notebooks: Path) -> Any:
    """The Jupyter server; `start()` binds its port and runs it until SIGTERM.

    Raises:
        RefusedToListen: it would be reachable beyond loopback without protection.
    """
    server = LabApp.initialize_server(argv=[], config=_config(settings, keys, notebooks))
    health = [(path, _Health) for path in ("/healthz", "/readyz")]
    server.web_app.add_handlers(".*$", health)
    return server


def _config(settings: FleetSettings, keys: KeyStore, notebooks: Path) -> Config:
    networks = check_exposure(settings.bind_address, settings)
    config = Config()
    config.ServerApp.ip = _jupyter_address(settings.bind_address)
    config.ServerApp.port = settings.jupyter_port
    config.ServerApp.port_retries = 0
    config.ServerApp.base_url = settings.jupyter_base_url
    config.ServerApp.root_dir = str(notebooks.absolute())
    config.ServerApp.open_browser = False
    config.ServerApp.allow_root = True
    is_encrypted = speaks_tls(settings.bind_address, settings)
    # Beside loopback: those who come by a gateway that other machines reach at the public address.
    is_reached = bool(networks) or is_encrypted or bool(settings.public_url)
    config.ServerApp.allow_remote_access = is_reached
    # On loopback a gateway alone says who comes and by which scheme; from elsewhere anybody could.
    config.ServerApp.trust_xheaders = is_loopback(settings.bind_address)
    config.ServerApp.answer_yes = True
    config.ServerApp.log_level = "WARN"
    config.ServerApp.certfile = str(settings.tls_cert) if is_encrypted else ""
    config.ServerApp.keyfile = str(settings.tls_key) if is_encrypted else ""
    config.ServerApp.identity_provider_class = FleetIdentity
    config.FleetIdentity.keys = keys
    config.FleetIdentity.token = secrets.token_urlsafe(24)  # given, so that it is not printed
    config.FleetIdentity.networks = networks
    config.ServerApp.kernel_spec_manager_class = FleetKernelSpecs
    config.ServerApp.kernel_manager_class = FleetKernels
    config.FleetKernelSpecs.notebooks = str(notebooks.absolute())
    config.LabApp = _lab_config(notebooks.absolute())
    return config


def _jupyter_address(bind_address: str) -> str:
    """`::` is IPv4 too in every other service, but Jupyter takes it for IPv6 alone."""
    return "*" if bind_address == "::" else bind_address


def _lab_config(notebooks: Path) -> Config:
    """What the user's interface asks of nobody outside, and keeps on the volume."""
    config = Config()
    config.log_level = "WARN"
    config.news_url = None
    config.app_settings_dir = str(Path(__file__).with_name("lab_settings"))
    config.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
    config.extension_manager = "readonly"
    config.user_settings_dir = str(notebooks / ".jupyter" / "user-settings")
    config.workspaces_dir = str(notebooks / ".jupyter" / "workspaces")
    return config
