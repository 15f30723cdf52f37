"""Kernels of JupyterLab whose packages live on the volume of the notebooks."""
