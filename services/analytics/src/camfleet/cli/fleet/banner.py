"""What `camfleet up` says when the fleet is ready."""

import shutil
import sys
from pathlib import Path

from rich.text import Text

from camfleet.cli.links import login_link
from camfleet_contracts.settings import FleetSettings

_LABEL_WIDTH = 9
_RULE = "─" * 30


def banner(settings: FleetSettings, *, workbench: bool) -> Text:
    """Login links, the files to edit, the addresses of others, and how to stop.

    Plain lines, not a table: a link that a narrow terminal wraps can still be followed.
    """
    rows = [
        ("Page", login_link(settings)),
        *(_jupyter_rows(settings) if workbench else []),
        ("", "links work once; `camfleet url [--jupyter]` makes new ones"),
        ("Cameras", f"edit {_short(settings.cameras_file)} while it runs"),
        ("Models", f"edit {_short(settings.models_dir / 'config.json')}"),
        ("", "or: camfleet model pull yunet-n"),
        ("Clients", f"gRPC 127.0.0.1:{settings.grpc_port} (TFS and KServe v2)"),
        ("", f"REST 127.0.0.1:{settings.rest_port}"),
        ("", f"RTSP 127.0.0.1:{settings.rtsp_port}/<camera>"),
        *_command_row(),
        ("Stop", "Ctrl-C"),
    ]
    text = Text.assemble((f"{_RULE} camfleet is ready {_RULE}\n", "green"))
    for label, value in rows:
        text.append(f"{label:<{_LABEL_WIDTH}}", style="bold").append(f"{value}\n")
    return text.append(_RULE * 2 + "─" * 19, style="green")


def _jupyter_rows(settings: FleetSettings) -> list[tuple[str, str]]:
    return [("Jupyter", login_link(settings, jupyter=True)), ("", "it starts now: in a moment")]


def _command_row() -> list[tuple[str, str]]:
    """Where `camfleet` is, for people whose terminal does not find it by its name."""
    if shutil.which("camfleet"):
        return []
    scripts = Path(sys.executable).parent
    activate = f"`. {_short(scripts / 'activate')}` puts it on PATH"
    return [("Command", f"{_short(scripts / 'camfleet')}; {activate}")]


def _short(path: Path) -> str:
    """The path as seen from the working folder, where it is below it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
