"""Stages of a camera's pipeline in cameras.yaml that are off unless they are asked for."""

from pydantic import BaseModel, ConfigDict, Field


class _Stage(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Idle(_Stage):
    """When to decode key frames only."""

    after_s: float = Field(30, gt=0, le=86_400, description="nothing has moved for so long")
    wake_within_s: float = Field(
        4, gt=0, le=20, description="key frames must come so often; movement is seen as late"
    )
