"""What all trackers do with a frame; own trackers begin here."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic

import numpy as np

from camfleet.errors import BadArgument
from camfleet.object_trackers.errors import CallbackFailed
from camfleet.object_trackers.matching import Distance, Distances, Pairs, match_greedy
from camfleet.object_trackers.results import TrackableT, TrackingResults
from camfleet.object_trackers.trackable import TrackablePrediction, TrackerCallback
from camfleet.results.detection import ObjectDetectionPrediction


class TrackerAlgorithm(Generic[TrackableT]):
    """Follows objects over the frames of one stream. Not thread-safe.

    A new object is believed, gets its id and is announced by `enter_cb` once it was found in
    `min_inertia` frames more than it was missing in. An object that was not found for more than
    `deregister_frames` frames is dropped and announced by `exit_cb`. Ids are not used twice.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - edgeIQ's signature
        self,
        deregister_frames: int,
        min_inertia: int,
        history_length: int,
        enter_cb: TrackerCallback | None,
        exit_cb: TrackerCallback | None,
        trackable: type[TrackableT],
        distance_function: Distance,
        match_optimizer: Callable[[Distances], Pairs] = match_greedy,
        confidence_threshold: float | None = None,
    ) -> None:
        """Nothing is followed yet.

        Args:
            deregister_frames: frames after which an object that is not found is dropped.
            min_inertia: frames in which an object must be found to be believed.
            history_length: predictions that each object remembers.
            enter_cb: called as `enter_cb(object_id, trackable)`.
            exit_cb: called as `exit_cb(object_id, trackable)`.
            trackable: the class of the objects.
            distance_function: from an object to a prediction, infinite where it cannot be that.
            match_optimizer: chooses pairs (row, column) of the distances.
            confidence_threshold: predictions below it are left out; None: none are.

        Raises:
            BadArgument: a number of frames is negative.
        """
        for name, count in (("deregister_frames", deregister_frames), ("min_inertia", min_inertia)):
            if count < 0:
                raise BadArgument(f"{name} is {count}, expected 0 or more frames")
        self._make = trackable
        self._arguments = (deregister_frames, min_inertia, history_length, enter_cb, exit_cb)
        self._distance, self._match = distance_function, match_optimizer
        self._threshold = confidence_threshold
        self._followed: list[TrackableT] = []
        self._next_id = 0

    def update(
        self, predictions: Sequence[ObjectDetectionPrediction], **trackable_kwargs: Any
    ) -> TrackingResults[TrackableT]:
        """Take the predictions of the next frame and return all objects that are followed.

        Args:
            predictions: what was found in the frame; empty when nothing was.
            trackable_kwargs: handed on to the objects, e.g. the image.

        Raises:
            CallbackFailed: a callback raised; the frame was taken nevertheless.
            TypeError: these are no predictions; the frame was not taken.
        """
        found = [one for one in _checked(predictions) if self._is_wanted(one)]
        for one in self._followed:
            one.step(**trackable_kwargs)
        pairs = self._match(self._distances(found)) if self._followed and found else []
        for row, column in pairs:
            self._followed[row].handle_found(found[column], **trackable_kwargs)
        matched = {row for row, _ in pairs}
        for row, one in enumerate(self._followed):
            if row not in matched:
                one.handle_disappeared(**trackable_kwargs)
        taken = {column for _, column in pairs}
        fresh = [one for column, one in enumerate(found) if column not in taken]
        return self._settle(fresh)

    def remove_id(self, id: int) -> None:  # noqa: A002 - edgeIQ's name
        """Drop an object at once; exit_cb is called.

        Raises:
            KeyError: no object has this id.
            CallbackFailed: exit_cb raised.
        """
        gone = [one for one in self._followed if one.tid == id and one.is_initialized]
        if not gone:
            known = ", ".join(str(one.tid) for one in self._followed if one.is_initialized)
            raise KeyError(f"no object {id} is followed; there are: {known or 'none'}")
        self._followed = [one for one in self._followed if one is not gone[0]]
        gone[0].handle_removed()

    def _is_wanted(self, prediction: ObjectDetectionPrediction) -> bool:
        return self._threshold is None or prediction.confidence >= self._threshold

    def _distances(self, found: Sequence[ObjectDetectionPrediction]) -> Distances:
        rows = [[self._distance(one, other) for other in found] for one in self._followed]
        return np.array(rows, np.float64)

    def _settle(self, fresh: Iterable[ObjectDetectionPrediction]) -> TrackingResults[TrackableT]:
        """Drop, add and believe; then tell who came and went."""
        gone = [one for one in self._followed if one.is_lost]
        self._followed = [one for one in self._followed if not one.is_lost]
        self._followed += [self._make(one, *self._arguments) for one in fresh]
        entered = [one for one in self._followed if one.is_ready]
        tasks: list[Callable[[], None]] = [one.handle_removed for one in gone]
        for one in entered:
            tasks.append(_entering(one, self._next_id))
            self._next_id += 1
        failed = _run_all(tasks)
        known = {one.tid: one for one in self._followed if one.is_initialized}
        results = TrackingResults(known, type(self).__name__)
        if failed is not None:
            failed.results = results
            raise failed
        return results


def _checked(
    predictions: Sequence[ObjectDetectionPrediction],
) -> Sequence[ObjectDetectionPrediction]:
    if isinstance(predictions, Iterable):
        odd = next((one for one in predictions if not hasattr(one, "box")), None)
        if odd is None:
            return predictions
        got = f"{odd!r} in it"
    else:
        hint = "; give its `predictions`" if hasattr(predictions, "predictions") else ""
        got = f"{type(predictions).__name__}{hint}"
    raise TypeError(f"a tracker takes a list of predictions, got {got}")


def _entering(one: TrackablePrediction, object_id: int) -> Callable[[], None]:
    return lambda: one.handle_entered(object_id)


def _run_all(tasks: list[Callable[[], None]]) -> CallbackFailed | None:
    """Run every one; the first failure, which mentions the others."""
    failures = []
    for task in tasks:
        try:
            task()
        except CallbackFailed as error:
            failures.append(error)
    for other in failures[1:]:
        failures[0].add_note(f"also: {other} ({other.__cause__!r})")
    return failures[0] if failures else None
