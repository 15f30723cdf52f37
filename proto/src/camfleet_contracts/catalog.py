"""catalog.json: the models that can be pulled."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from camfleet_contracts.faults import fault_text
from camfleet_contracts.json_text import read_json
from camfleet_contracts.names import stored_name


class BadCatalog(Exception):
    """catalog.json cannot be read or used."""


class CatalogFile(BaseModel):
    """One file of an entry: where it goes in the version folder and what it must be.

    Without a sha256 it is pinned on first pull: what came first is what later pulls must give.
    """

    model_config = ConfigDict(frozen=True)

    path: str
    url: str
    sha256: str = Field("", pattern="^([0-9a-f]{64})?$")
    sha384: str = Field("", pattern="^([0-9a-f]{96})?$")  # where that is what the origin states
    size: int | None = Field(None, ge=0)
    licence: str = ""

    @field_validator("path")
    @classmethod
    def _stays_in_the_version(cls, path: str) -> str:
        if not path or "\0" in path or Path(path).is_absolute() or ".." in Path(path).parts:
            raise ValueError(f"{path!r} must be a path inside the version's folder")
        return path


class CatalogEntry(BaseModel):
    """A model to pull; `manifest` is the model.json it is published with."""

    model_config = ConfigDict(frozen=True)

    name: str
    purpose: str
    description: str = ""
    licence: str
    files: tuple[CatalogFile, ...] = Field(min_length=1)
    manifest: dict[str, Any]
    aliases: tuple[str, ...] = ()

    @field_validator("name", "aliases")
    @classmethod
    def _can_be_stored(cls, given: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for name in (given,) if isinstance(given, str) else given:
            stored_name(name)
        return given

    @property
    def size_bytes(self) -> int:
        """Size of all files whose size is known."""
        return sum(file.size or 0 for file in self.files)


class Catalog(BaseModel):
    """All entries."""

    model_config = ConfigDict(frozen=True)

    version: int = 1
    entries: tuple[CatalogEntry, ...] = ()

    def find(self, model_id: str) -> CatalogEntry | None:
        """Return the entry of a name, id or alias (`user/name` and `user.name` are the same)."""
        wanted = stored_name(model_id)
        for entry in self.entries:
            if wanted in {stored_name(name) for name in (entry.name, *entry.aliases)}:
                return entry
        return None

    def find_by_sha256(self, digest: str) -> CatalogEntry | None:
        """Return the entry that has a file of this content."""
        return next((e for e in self.entries if any(f.sha256 == digest for f in e.files)), None)


def read_catalog(path: Path) -> Catalog:
    """Read catalog.json.

    Raises:
        BadCatalog: names the file and the field at fault.
    """
    try:
        return Catalog.model_validate(read_json(path))
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        raise BadCatalog(f"{path}: {fault_text(fault)}") from error
    except (OSError, ValueError, TypeError) as error:
        raise BadCatalog(f"{path}: {error}") from error
