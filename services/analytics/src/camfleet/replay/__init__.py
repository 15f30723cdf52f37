"""Recorded or annotated results in place of a model, and how well a tracker does on them."""
