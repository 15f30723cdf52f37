"""`camfleet hailo`: the vendor's driver for Hailo accelerators on a PCIe or M.2 card."""

# ruff: noqa: PLC0415 - commands import what they need, so that --help answers at once

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="The driver of Hailo accelerators (root or sudo).")


@app.command("install-pcie-driver")
def install_pcie_driver(
    packages: Annotated[
        list[Path], typer.Argument(help="The vendor's .deb files, the driver's among them.")
    ],
) -> None:
    """Install the vendor's packages and check that the driver works.

    Download them from the vendor's developer zone: the PCIe driver, and HailoRT
    for models.

    \b
    Examples:
      camfleet hailo install-pcie-driver hailort-pcie-driver_4.23.0_all.deb
      camfleet hailo install-pcie-driver hailort-pcie-driver_*.deb hailort_*.deb
    """
    from camfleet.cli.hailo_driver import install

    install(packages)


@app.command("uninstall-pcie-driver")
def uninstall_pcie_driver() -> None:
    """Take the driver off this machine again; HailoRT stays.

    \b
    Example:
      camfleet hailo uninstall-pcie-driver
    """
    from camfleet.cli.hailo_driver import uninstall

    uninstall()
