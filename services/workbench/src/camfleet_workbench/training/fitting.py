"""Fits the last layer of a detector to labelled pictures and writes it as a package.

Everything below the last layer stays as it was trained, so what is fitted is a logistic regression
of objectness and classes on the features of each cell: minutes of one CPU, no framework. Boxes
stay as they are. It adapts a detector to a camera; it does not teach it to see what it never saw.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from camfleet.cli.errors import CommandError
from camfleet.cli.settings import command_settings
from camfleet_contracts.pictures import Resize
from camfleet_workbench.labelled.coco import LabelledPictures
from camfleet_workbench.plainly import plainly
from camfleet_workbench.plots import Plot
from camfleet_workbench.tools.asking import AskableModel, askable
from camfleet_workbench.tools.located import LocatedModel, locate
from camfleet_workbench.tools.packages import write_package
from camfleet_workbench.training.last_layer import Floats, LastLayer, Layer
from camfleet_workbench.training.targets import NONE, Grid, grids_of, overlaps

Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]
Switches = NDArray[np.bool_]

OBJECTNESS = 4  # the output of `box` behind its four sides
_DECODER = "yolox"
_BETAS, _EPSILON = (0.9, 0.99), 1e-8


@dataclass(frozen=True, slots=True)
class Task:
    """The rows of one layer that are fitted: wanted = sigmoid(features @ weight.T + bias)."""

    features: Floats  # (cells, channels)
    wanted: Floats  # (cells, outputs)
    weights: Floats  # (cells, 1): how much each cell counts


@dataclass(frozen=True, slots=True)
class FineTuned:
    """A package with new weights; publish `folder`."""

    folder: Path
    losses: tuple[float, ...]  # mean over the layers, before each step and after the last
    pictures: int
    seconds: float

    def plot(self) -> Plot:
        """The loss, step by step."""
        figure = Figure(figsize=(6, 2.5), layout="constrained")
        axes = figure.add_subplot()
        axes.plot(self.losses)
        axes.set(xlabel="step", ylabel="loss", ylim=(0, None))
        return Plot(figure)

    def __repr__(self) -> str:
        """One line."""
        return (
            f"{self.folder}: loss {self.losses[0]:.4f} became {self.losses[-1]:.4f} on "
            f"{self.pictures} pictures in {self.seconds:.0f} s"
        )


@plainly
def fine_tune(
    model: str,
    labelled: LabelledPictures,
    folder: str | Path,
    *,
    steps: int = 150,
    rate: float = 0.01,
    reset: bool = False,
) -> FineTuned:
    """Fit the last layer of a model of the volume to labelled pictures, and write a package.

    `reset` forgets what the layer had learned first, to see what the pictures alone teach.

    Raises:
        CellError: the model has no such layer, a label is unknown to it, or the folder is there.
    """
    began_s = time.monotonic()
    source = locate(command_settings(), model)
    layer = LastLayer(source.path)
    asked = _checked(source, labelled)
    tasks = _tasks(layer, asked, labelled)
    losses: list[tuple[float, ...]] = []
    for (grid, part), task in tasks.items():
        whole = layer.layer(grid, part)
        rows = slice(OBJECTNESS, OBJECTNESS + 1) if part == "box" else slice(None)
        start = Layer(whole.weight[rows], whole.bias[rows])
        with threadpool_limits(1):  # threads of so small products wait for each other
            fitted, course = fit(task, _forgotten(start) if reset else start, steps, rate)
        whole.weight[rows], whole.bias[rows] = fitted.weight, fitted.bias
        layer.replace(grid, part, whole)
        losses.append(course)
    course = tuple(float(np.mean(step)) for step in zip(*losses, strict=True))
    trail = {"parent": source.reference, "metrics": {"pictures": float(len(labelled))}}
    made = write_package(source, Path(folder), layer.model, {"trail": trail})
    return FineTuned(made, course, len(labelled), time.monotonic() - began_s)


def fit(task: Task, start: Layer, steps: int, rate: float) -> tuple[Layer, tuple[float, ...]]:
    """Weighted logistic regression by Adam over all cells at once; the layer and its losses.

    Adam: Kingma and Ba, https://arxiv.org/abs/1412.6980.
    """
    values = np.concatenate([start.weight, start.bias[:, None]], axis=1).astype(np.float64)
    first, second = np.zeros_like(values), np.zeros_like(values)
    losses = []
    for step in range(1, steps + 1):
        loss, slope = _loss(task, values)
        losses.append(loss)
        first = _BETAS[0] * first + (1 - _BETAS[0]) * slope
        second = _BETAS[1] * second + (1 - _BETAS[1]) * slope**2
        ahead = first / (1 - _BETAS[0] ** step)
        spread = np.sqrt(second / (1 - _BETAS[1] ** step))
        values -= rate * ahead / (spread + _EPSILON)
    losses.append(_loss(task, values)[0])
    fitted = values.astype(np.float32)
    return Layer(fitted[:, :-1], fitted[:, -1]), tuple(losses)


def _loss(task: Task, values: Doubles) -> tuple[float, Doubles]:
    raw = task.features @ values[:, :-1].T.astype(np.float32) + values[:, -1].astype(np.float32)
    loss = np.maximum(raw, 0) - raw * task.wanted + np.log1p(np.exp(-np.abs(raw)))
    error = (1 / (1 + np.exp(-raw)) - task.wanted) * task.weights
    slope = np.concatenate([error.T @ task.features, error.sum(axis=0)[:, None]], axis=1)
    return float((loss * task.weights).sum()), slope


def _checked(source: LocatedModel, labelled: LabelledPictures) -> AskableModel:
    manifest = source.manifest
    if manifest.postprocess is None or manifest.postprocess.decoder != _DECODER:
        raise CommandError(f"{source.name}: only detectors of the family {_DECODER} can be trained")
    unknown = set(labelled.counts) - set(manifest.labels)
    if unknown:
        raise CommandError(
            f"{source.name} does not know {', '.join(sorted(unknown))}; its labels are "
            f"{', '.join(manifest.labels)}"
        )
    if not labelled.counts:
        raise CommandError("the pictures have no labelled objects; there is nothing to learn")
    return askable(source.path, manifest)


def _tasks(
    layer: LastLayer, asked: AskableModel, labelled: LabelledPictures
) -> dict[tuple[int, str], Task]:
    """What each layer has to say of all cells of all pictures."""
    fitted = [asked.tensor_of(picture) for picture in labelled.pictures]
    features = layer.features([tensor for tensor, _ in fitted])
    width, height = fitted[0][1].input_size
    parameters = asked.manifest.postprocess.parameters if asked.manifest.postprocess else {}
    grids = grids_of((width, height), parameters.get("strides", (8, 16, 32)))
    labels = asked.manifest.labels
    tasks: dict[tuple[int, str], Task] = {}
    for number, grid in enumerate(grids):
        boxes = layer.layer(number, "box")
        rows = []
        for found, objects, (_, resize) in zip(features, labelled.objects, fitted, strict=True):
            true = _in_input(objects.xyxy, resize)
            numbers = np.array([labels.index(label) for label in objects.labels], np.int64)
            rows.append(_wanted(grid, found[number][0], boxes, (true, numbers), len(labels)))
        shape = np.concatenate([found[number][0] for found in features])
        kind = np.concatenate([found[number][1] for found in features])
        objectness, classes, chosen = (np.concatenate(part) for part in zip(*rows, strict=True))
        tasks[number, "box"] = Task(shape, objectness, _for_each(np.ones(len(shape)), chosen))
        tasks[number, "classes"] = Task(kind, classes, _for_each(chosen.astype(np.float64), chosen))
    return tasks


def _wanted(
    grid: Grid, features: Floats, layer: Layer, objects: tuple[Floats, Integers], classes: int
) -> tuple[Floats, Floats, Switches]:
    """Objectness (cells, 1), classes (cells, classes), and which cells have an object."""
    boxes, numbers = objects
    chosen = grid.assigned(boxes) if len(boxes) else np.full(len(grid.corners), NONE)
    cells = np.flatnonzero(chosen != NONE)
    objectness = np.zeros((len(features), 1), np.float32)
    kinds = np.zeros((len(features), classes), np.float32)
    if len(cells):
        predicted = grid.boxes(features[cells] @ layer.weight.T + layer.bias, cells)
        objectness[cells, 0] = overlaps(predicted[:, :4], boxes[chosen[cells]])
        kinds[cells, numbers[chosen[cells]]] = 1
    return objectness, kinds, chosen != NONE


def _in_input(xyxy: Floats, resize: Resize) -> Floats:
    """Boxes of the picture in pixels of the model's input."""
    placed = xyxy * np.tile(resize.scale, 2) + np.tile(resize.offset, 2)
    return np.asarray(placed, np.float32)


def _for_each(weights: Doubles, chosen: Switches) -> Floats:
    """Weights of the cells, for each cell that has an object."""
    return np.asarray(weights / max(int(chosen.sum()), 1), np.float32)[:, None]


def _forgotten(layer: Layer) -> Layer:
    return Layer(np.zeros_like(layer.weight), np.full_like(layer.bias, -3.0))
