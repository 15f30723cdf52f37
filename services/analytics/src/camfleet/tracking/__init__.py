"""Trackers: they give detections an identity that lasts over frames."""
