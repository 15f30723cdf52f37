"""What must never get into an environment, and what the code relies on."""

from importlib import metadata

import cv2
import numpy as np
import pytest


def distributions() -> set[str]:
    return {(dist.metadata["Name"] or "").lower() for dist in metadata.distributions()}


def test_there_is_exactly_one_opencv_and_it_still_reads_caffe_and_darknet() -> None:
    assert {name for name in distributions() if name.startswith("opencv")} == {
        "opencv-contrib-python-headless"
    }
    assert cv2.__version__.startswith("4.")
    assert hasattr(cv2.dnn, "readNetFromCaffe")
    assert hasattr(cv2.dnn, "readNetFromDarknet")
    assert hasattr(cv2, "TrackerKCF")


@pytest.mark.parametrize("name", ["tensorflow", "torch", "openvino-telemetry"])
def test_no_training_framework_and_no_usage_reporting_is_installed(name: str) -> None:
    assert name not in distributions()


def test_numpy_is_of_the_second_series() -> None:
    assert int(np.__version__.split(".")[0]) >= 2
