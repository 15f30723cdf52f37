"""Trackers of predictions, in edgeIQ's names: they give objects ids that last over frames.

`camfleet.tracking` has those of the fleet's service, which know the time of every frame. These
count frames, as edgeIQ's do.
"""
