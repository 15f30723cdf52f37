"""Labels of the configuration that a camera's model does not have, and so would never count."""

from collections.abc import Iterator

from camfleet.inference.served_model import ServedModel
from camfleet_contracts.cameras import Pipeline

SHOWN = 10


class LabelCheck:
    """Remembers its answer until settings or model change. Not thread-safe."""

    def __init__(self) -> None:
        self._checked: tuple[Pipeline, ServedModel] | None = None
        self._fault: str | None = None

    def fault(self, wanted: Pipeline, model: ServedModel) -> str | None:
        """What is wrong with the labels now."""
        last = self._checked
        if last is None or last[0] is not wanted or last[1] is not model:
            self._checked, self._fault = (wanted, model), label_fault(wanted, model)
        return self._fault


def label_fault(wanted: Pipeline, model: ServedModel) -> str | None:
    """What is wrong with the labels and which there are; None where all are known."""
    known = model.manifest.labels
    if not known:
        return None
    unknown = [f"'{label}'{where}" for label, where in _labels(wanted) if label not in known]
    if not unknown:
        return None
    more = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
    return (
        f"labels: {model.name} has no {', '.join(unknown)}; it has {', '.join(known[:SHOWN])}{more}"
    )


def _labels(wanted: Pipeline) -> Iterator[tuple[str, str]]:
    yield from ((label, "") for label in wanted.labels)
    for line in wanted.lines:
        yield from ((label, f" (line '{line.name}')") for label in line.labels)
    for zone in wanted.zones:
        yield from ((label, f" (zone '{zone.name}')") for label in zone.labels)
