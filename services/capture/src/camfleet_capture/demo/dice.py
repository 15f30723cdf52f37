"""Chances, drawn from a generator that a seed decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def falls(chance: np.random.Generator, probability: float) -> bool:
    """Whether something of this probability happens."""
    return bool(chance.random() < probability)
