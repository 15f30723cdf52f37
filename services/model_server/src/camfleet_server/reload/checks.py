"""What is known of a version to go wrong before it is loaded, and what its manifest got wrong."""

import logging
from collections.abc import Mapping, Sequence

from camfleet_contracts.model_files import NoModelFiles, find_model_files
from camfleet_contracts.model_manifest import Tensor
from camfleet_server.memory_share import free_memory_bytes
from camfleet_server.runtimes.base import LoadError, ModelSource, Servable
from camfleet_server.types import TensorSpec

logger = logging.getLogger(__name__)

_MEGABYTE = 1_000_000
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_CHANGING = ("shape", "layout", "batch_size", "color_format")


def check_room(source: ModelSource, free_bytes: int | None = None) -> None:
    """Refuse files that do not fit into memory; every runtime needs at least their size.

    Raises:
        LoadError: says how much is missing.
    """
    free = free_memory_bytes() if free_bytes is None else free_bytes
    try:
        files = find_model_files(source.folder, source.manifest)
        size = sum(path.stat().st_size for path in files.paths)
    except NoModelFiles:
        return  # the runtimes say what they miss
    if free is not None and size > free:
        raise LoadError(
            f"{files.name} takes {size / _MEGABYTE:.0f} MB and {free / _MEGABYTE:.0f} MB of memory "
            "are free; serve fewer models, give the server more memory, or quantise this one"
        )


def check_pulled(source: ModelSource) -> None:
    """Refuse the pointers that Git leaves in place of files it did not pull.

    Raises:
        LoadError: names the file and what to do.
    """
    try:
        paths = find_model_files(source.folder, source.manifest).paths
    except NoModelFiles:
        return  # the runtimes say what they miss
    for path in paths:
        with path.open("rb") as file:
            if file.read(len(_LFS_POINTER)) == _LFS_POINTER:
                raise LoadError(
                    f"{path.name} is a pointer of Git LFS and not the file itself; run `git lfs "
                    "pull` in the checkout it was copied from, and copy it again"
                )


def check_declared(source: ModelSource, servable: Servable) -> None:
    """Compare the tensors that model.json declares with those of the file, by name.

    A file of the same name with other classes or another size is another model: its labels and
    decoder would not fit. Names that the file does not have may be those of another runtime; they
    are told in the log, as are keys that nobody reads.

    Raises:
        LoadError: names tensor and sizes.
    """
    if unread := source.manifest.unread_keys:
        logger.warning(
            "model.json has keys that nobody reads model=%s version=%s keys=%s",
            source.name,
            source.version,
            ", ".join(unread),
        )
    is_changed = any(getattr(source.config, key) for key in _CHANGING)
    for side, declared, actual, aliases in (
        ("input", source.manifest.inputs, servable.inputs, servable.input_aliases),
        ("output", source.manifest.outputs, servable.outputs, servable.output_aliases),
    ):
        _tell_of_unknown(source, side, declared, [*aliases, *(spec.name for spec in actual)])
        if not is_changed:
            _compare(side, declared, actual, aliases)


def _tell_of_unknown(
    source: ModelSource, side: str, declared: Sequence[Tensor], known: Sequence[str]
) -> None:
    if unknown := [tensor.name for tensor in declared if tensor.name not in known]:
        logger.warning(
            "model.json names tensors that are not there model=%s version=%s %ss=%s known=%s",
            source.name,
            source.version,
            side,
            ", ".join(unknown),
            ", ".join(known),
        )


def _compare(
    side: str,
    declared: Sequence[Tensor],
    actual: Sequence[TensorSpec],
    aliases: Mapping[str, str],
) -> None:
    specs = {spec.name: spec for spec in actual}
    known = specs | {alias: specs[name] for alias, name in aliases.items() if name in specs}
    for tensor in declared:
        spec = known.get(tensor.name)
        if spec and not _agree(tensor.shape, spec.shape):
            raise LoadError(
                f"model.json says {side} {tensor.name!r} is {list(tensor.shape)}, the file has "
                f"{list(spec.shape)}: it is another model; correct `{side}s`, labels and "
                "`postprocess`, or publish the right file"
            )


def _agree(declared: Sequence[int], actual: Sequence[int]) -> bool:
    """Tell whether all sizes that both know are equal; the batch may be any."""
    if len(declared) != len(actual):
        return False
    return all(
        -1 in pair or pair[0] == pair[1] for pair in zip(declared[1:], actual[1:], strict=True)
    )
