"""Reads the files of each format into a net, from memory and never from a mapped file."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from camfleet_contracts.model_files import ModelFiles
from camfleet_server.runtimes.base import LoadError
from camfleet_server.runtimes.wishes import read_bytes

_PLACES = re.compile(r"OpenCV\([\w.-]+\) \S*/(?=[\w.]+:\d+)")


def read_net(files: ModelFiles) -> Any:
    """Return a new net; each call reads the files again.

    Raises:
        LoadError: OpenCV cannot read them; says why.
    """
    try:
        net = _IMPORTERS[files.framework.name](files)
    except cv2.error as error:
        raise LoadError(f"{files.model.name} on opencv: {told(error)}") from error
    if net.empty():
        raise LoadError(f"{files.model.name} on opencv: it holds no layers")
    return net


def told(error: Exception) -> str:
    """Shorten OpenCV's text: its folders say nothing to a user."""
    lines = [line.strip("> \t") for line in _PLACES.sub("", str(error)).splitlines()]
    return " ".join(filter(None, lines))[:400]


def _bytes(files: ModelFiles) -> NDArray[np.uint8]:
    return np.frombuffer(read_bytes(files.model), np.uint8)


def _config(files: ModelFiles) -> NDArray[np.uint8]:
    assert files.config is not None  # noqa: S101 - these formats are not found without
    return np.frombuffer(read_bytes(files.config), np.uint8)


def _tensorflow(files: ModelFiles) -> Any:
    if files.config is None:
        return cv2.dnn.readNetFromTensorflow(_bytes(files))
    return cv2.dnn.readNetFromTensorflow(_bytes(files), _config(files))


_IMPORTERS: Mapping[str, Callable[[ModelFiles], Any]] = {
    "onnx": lambda files: cv2.dnn.readNetFromONNX(_bytes(files)),
    "tflite": lambda files: cv2.dnn.readNetFromTFLite(_bytes(files)),
    "tensorflow": _tensorflow,
    "caffe": lambda files: cv2.dnn.readNetFromCaffe(_config(files), _bytes(files)),
    "darknet": lambda files: cv2.dnn.readNetFromDarknet(_config(files), _bytes(files)),
    "torch": lambda files: cv2.dnn.readNetFromTorch(str(files.model)),  # it reads, it does not map
}
