"""Second models: each is asked about single objects, beside detection and never in its way.

objects ─► views (whom to ask about now) ─► worker (asks) ─► votes (what is known) ─► attributes
"""

from camfleet.service.pipeline.cascades.stage import Cascades, RunningCascade

__all__ = ["Cascades", "RunningCascade"]
