"""Where a model version comes from: who published it, when, from what, and how good it was."""

from pydantic import BaseModel, ConfigDict, Field


class Trail(BaseModel):
    """The part `trail` of a version's model.json; unknown keys are kept."""

    model_config = ConfigDict(frozen=True, extra="allow")

    by: str = ""  # the name of a key of the fleet, or of the machine's user
    at: str = ""  # RFC 3339, UTC
    source: str = ""  # the notebook, file, command or address that it was published from
    parent: str = ""  # name:version it was made from, else the one it followed
    metrics: dict[str, float] = Field(default_factory=dict)
    calibration_sha256: str = ""  # of the pictures it was quantised with
    note: str = ""
