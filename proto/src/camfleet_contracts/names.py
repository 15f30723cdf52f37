"""Names of models and cameras, as ids and as folders; texts of any origin that are sent."""

import re

CAMERA_NAME = re.compile(r"[a-z0-9-]{1,32}")
_MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def sendable(text: str) -> str:
    r"""Return a text as UTF-8 can carry it.

    Names of files that are not UTF-8, and "\ud800" in JSON, hold halves of characters: these are
    told as `\ud800`.
    """
    return text.encode(errors="backslashreplace").decode()


def stored_name(model_id: str) -> str:
    """Return the folder and served name of a model id: `user/name` becomes `user.name`.

    Raises:
        ValueError: the id holds what no folder name may hold.
    """
    name = model_id.strip().replace("/", ".", 1)
    if not _MODEL_NAME.fullmatch(name):
        raise ValueError(
            f"model id {model_id!r}: use letters, digits, '.', '_', '-' and at most one '/', "
            "128 in all and a letter or digit first"
        )
    return name


def split_version(model: str) -> tuple[str, int | None]:
    """Split `name:version` (the version is optional) into stored name and number.

    Raises:
        ValueError: the version is not a positive number, or the name is not one.
    """
    name, colon, version = model.partition(":")
    if not colon:
        return stored_name(name), None
    if not version.isdigit() or int(version) < 1:
        raise ValueError(f"model {model!r}: the version after ':' must be a number from 1")
    return stored_name(name), int(version)
