"""IPython's extension of our kernels: what a failing `import tensorflow` says."""

import warnings

from camfleet.compat import explain_missing_tensorflow


def load_ipython_extension(_shell: object) -> None:
    """Called once, when a kernel starts."""
    explain_missing_tensorflow()
    for missing in ("IProgress not found", 'install "ipywidgets"'):  # bars of text do as well
        warnings.filterwarnings("ignore", message=missing)
