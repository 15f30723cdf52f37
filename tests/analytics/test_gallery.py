"""The gallery of re-identification."""

import numpy as np
import pytest
from numpy.typing import NDArray

from camfleet import BadArgument
from camfleet.vision.gallery import Gallery


def vector(angle: float) -> NDArray[np.float32]:
    return np.array([np.cos(angle), np.sin(angle)], np.float32)


def test_the_nearest_picture_of_an_identity_counts() -> None:
    gallery = Gallery()
    for angle in (0.0, 1.0):
        gallery.add("a", vector(angle))
    gallery.add("b", vector(0.6))

    first, second = gallery.nearest(vector(0.9))

    assert (first.id, second.id) == ("a", "b")
    assert first.confidence == pytest.approx(np.cos(0.1), abs=1e-4)
    assert first.distance == pytest.approx(1 - np.cos(0.1), abs=1e-4)


@pytest.mark.parametrize("method", ["drop_random", "drop_oldest"])
def test_limit_drops_older_pictures_of_that_identity_only(method: str) -> None:
    gallery = Gallery()
    gallery.set_limit(2, method)
    for angle in (0.0, 0.1, 0.2, 3.0):
        gallery.add("a", vector(angle))
    gallery.add("b", vector(0))

    assert gallery.counts() == {"a": 2, "b": 1}
    nearest = next(one for one in gallery.nearest(vector(3.0)) if one.id == "a")
    assert nearest.confidence == pytest.approx(1, abs=1e-4)


def test_limit_set_later_drops_at_once_and_removed_is_forgotten() -> None:
    gallery = Gallery()
    for angle in (0.0, 0.1, 0.2):
        gallery.add("a", vector(angle))
    gallery.set_limit(1, "drop_oldest")
    assert gallery.counts() == {"a": 1}

    gallery.remove("a")

    assert gallery.nearest(vector(0)) == []


@pytest.mark.parametrize(("count", "method"), [(0, "drop_random"), (1, "drop_best")])
def test_limits_that_cannot_be_are_refused(count: int, method: str) -> None:
    with pytest.raises(BadArgument, match=r"limit|drop_method"):
        Gallery().set_limit(count, method)
