"""Helpers for notebooks: pictures, versions side by side, config.json, publishing, labels, mAP.

The public names are the imports of `__init__.pyi`; each is imported here on first use, so that
`import camfleet_workbench` costs nothing. docs/workbench.md explains them.
"""

from camfleet._exports import exported_names, find_export

__all__ = exported_names(__file__)  # noqa: PLE0605 - the stub beside this file has the list


def __getattr__(name: str) -> object:
    value = find_export(__file__, name)
    globals()[name] = value  # the next look at it does not come here
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
