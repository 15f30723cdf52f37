"""Stages of a camera's pipeline in cameras.yaml that are off unless they are asked for."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from camfleet_contracts.faults import written_as
from camfleet_contracts.names import split_version

_NAME = r"^[a-z0-9][a-z0-9_-]{0,31}$"


class _Stage(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Idle(_Stage):
    """When to decode key frames only."""

    after_s: float = Field(30, gt=0, le=86_400, description="nothing has moved for so long")
    wake_within_s: float = Field(
        4, gt=0, le=20, description="key frames must come so often; movement is seen as late"
    )


class Cascade(_Stage):
    """A second model that is asked about the tracked objects, each in a picture of its own."""

    name: Annotated[str, written_as(_NAME, "a-z, 0-9, _ and -, at most 32 of them")] = Field(
        pattern=_NAME, description="of the attribute"
    )
    model: str
    labels: tuple[str, ...] = Field((), description="objects it is asked about; empty: all")
    confidence: float = Field(0.3, ge=0, le=1)
    min_size: int = Field(32, ge=1, description="pixels; of the shorter side of the box")
    margin: float = Field(0.1, ge=0, le=1, description="share of the box that is added around it")
    refresh_s: float = Field(10, gt=0, description="asked again after it, or in a better view")
    per_frame: int = Field(2, ge=1, le=16, description="objects asked about at most")

    @field_validator("model")
    @classmethod
    def _model_name(cls, model: str) -> str:
        split_version(model)
        return model


def checked_cascades(
    cascades: tuple[Cascade, ...], detected: tuple[str, ...]
) -> tuple[Cascade, ...]:
    """The cascades where they fit each other and the labels that are detected (empty: all).

    Raises:
        ValueError: two have one name, or one waits for what is never detected.
    """
    names = [cascade.name for cascade in cascades]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"cascade: the name {min(twice)!r} is there twice")
    for cascade in cascades:
        unseen = set(cascade.labels) - set(detected)
        if detected and unseen:
            raise ValueError(
                f"cascade {cascade.name}: label {min(unseen)!r} is not among the pipeline's labels"
            )
    return cascades


class Tiles(_Stage):
    """The parts of a picture that the model sees one by one, so that small things are larger."""

    grid: tuple[Annotated[int, Field(ge=1, le=4)], Annotated[int, Field(ge=1, le=4)]] = Field(
        (2, 2), description="columns and rows"
    )
    overlap: float = Field(0.2, ge=0, le=0.5, description="share of a tile that its neighbour has")
    full: bool = Field(True, description="also the picture as a whole, for what is large")

    @field_validator("grid")
    @classmethod
    def _more_than_one(cls, grid: tuple[int, int]) -> tuple[int, int]:
        if grid == (1, 1):
            raise ValueError("one tile is the picture itself; leave `tiles` out")
        return grid
