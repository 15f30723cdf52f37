"""The names that a package re-exports, read from the imports of its `__init__.pyi`."""

import ast
from functools import cache
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

_VERSION = "__version__"


def exported_names(package_file: str) -> list[str]:
    """All public names of a package, in the order of its stub."""
    return [*_modules(package_file), _VERSION]


def find_export(package_file: str, name: str) -> object:
    """Import what a public name stands for, or a module of the package such as `compat`.

    Raises:
        AttributeError: the stub does not name it, and no module is called so.
    """
    if name == _VERSION:
        return version("camfleet")
    module = _modules(package_file).get(name)
    if module is not None:
        return getattr(import_module(module), name)
    package = Path(package_file).parent.name
    if not name.startswith("__") and find_spec(f"{package}.{name}") is not None:
        return import_module(f"{package}.{name}")
    raise AttributeError(f"module {package!r} has no attribute {name!r}")


@cache
def _modules(package_file: str) -> dict[str, str]:
    """The module of each name."""
    stub = ast.parse(Path(package_file).with_suffix(".pyi").read_text(encoding="utf-8"))
    return {
        alias.name: node.module or ""
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    }
