"""One camera's pipeline: a loop over its newest frames, and a stage in a module of its own each.

source ─► rate ─► asking (model, or its last answer while nothing moves) ─► analysis ─► publishing
"""

from camfleet.service.pipeline.pipeline import Pipeline
from camfleet.service.pipeline.ports import Publisher, Source, SourceFactory, Surroundings

__all__ = ["Pipeline", "Publisher", "Source", "SourceFactory", "Surroundings"]
