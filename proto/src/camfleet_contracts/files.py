"""Files that other processes read while they are written."""

import errno
import fcntl
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FolderNotWritable(OSError):
    """A folder that a service cannot do without; the message says why and what to do."""

    def __init__(self, folder: Path, error: OSError) -> None:
        super().__init__(f"{folder} {why_not_written(folder, error)}")


def write_atomically(path: Path, content: str | bytes, *, mode: int = 0o644) -> None:
    """Replace `path` in one step: a reader sees the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    blob = content.encode() if isinstance(content, str) else content
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.tmp-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(blob)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = error.filename or str(path)  # a full disk is told without a name
        raise


def write_over(path: Path, content: str) -> None:
    """Replace a file as `write_atomically`; its mode stays, and a link to it stays a link."""
    target = Path(os.path.realpath(path))  # Path.resolve raises for links that go in circles
    mode = stat.S_IMODE(target.stat().st_mode) if target.is_file() else 0o644
    write_atomically(target, content, mode=mode)


@contextmanager
def needing(folder: Path) -> Iterator[None]:
    """Do what needs to write into a folder.

    Raises:
        FolderNotWritable: it cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise FolderNotWritable(folder, error) from error


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock of `path` among all processes of the fleet (flock on `.<name>.lock`).

    Raises:
        BlockingIOError: somebody else holds it and `wait` is False.
    """
    lock = path.parent / f".{path.name}.lock"
    is_held = False
    while not is_held:
        path.parent.mkdir(parents=True, exist_ok=True)
        with lock.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_held = _is_still(lock, file.fileno())  # not one that its holder removed meanwhile
            if is_held:
                yield


def _is_still(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False


def read_text(path: Path) -> str:
    """Read a text file, with or without a byte order mark.

    Raises:
        OSError: it cannot be read, or is a pipe or device, which might be waited for for ever.
        UnicodeDecodeError: it is not UTF-8.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "It is not a regular file", str(path))
    return path.read_text(encoding="utf-8-sig")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def why_not_written(folder: Path, error: OSError) -> str:
    """Say what is wrong with a folder that could not be written, and what to do.

    The end of a sentence about the folder: "is full; ...".
    """
    if error.errno == errno.EROFS:
        return "is read-only here; mount it writable"
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "is full; make room (old model versions, recordings)"
    if error.errno in {errno.EACCES, errno.EPERM}:
        named = Path(error.filename or folder).absolute()
        where = next(path for path in (named, *named.parents) if path.exists())
        status = where.stat()
        return (
            f"cannot be written: {where} belongs to uid {status.st_uid} with mode"
            f" {status.st_mode & 0o777:o}, and this runs as uid {os.getuid()};"
            f" give it to that uid with chown -R"
        )
    return f"cannot be written: {error.strerror or error}"
