"""Kernels as the Jupyter server sees them: those of the volume first, each with its user."""

from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_server.base.call_context import CallContext
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from traitlets import Unicode

from camfleet_workbench.kernels.environment import FOLDER, SPECS


class FleetKernelSpecs(KernelSpecManager):  # type: ignore[misc]  # no types in the vendor
    """Finds the kernels on the volume of the notebooks before those of this environment."""

    notebooks = Unicode(config=True)

    def _kernel_dirs_default(self) -> list[str]:
        own = str(Path(self.notebooks).absolute() / FOLDER / SPECS)
        return [own, *super()._kernel_dirs_default()]


class FleetKernels(AsyncMappingKernelManager):  # type: ignore[misc]  # no types in the vendor
    """Tells each kernel whose it is, so that what it publishes bears a name."""

    async def start_kernel(self, **options: Any) -> str:
        """Start a kernel for the user who asked for it."""
        handler = CallContext.get(CallContext.JUPYTER_HANDLER)
        user = getattr(getattr(handler, "current_user", None), "username", "")
        if user:
            options["env"] = {**(options.get("env") or {}), "CAMFLEET_USER": user}
        started: str = await super().start_kernel(**options)
        return started
