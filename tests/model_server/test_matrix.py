"""Every model file of the shared data, on every runtime that reads it, served by one server."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matrix_files import (
    AGREEING,
    DETECTORS,
    DUMMIES,
    LITE,
    OTHERS,
    REFUSED,
    SUMS,
    ModelFile,
    Refused,
)
from matrix_server import Matrix, running_matrix
from waiting import wait_until

pytestmark = pytest.mark.long

SCORE, BOX = 0.05, 0.02
SURE = 0.3  # score from which a key point lies where it should
# Shares of the range. LiteRT computes quantised models in integers, the others do not; what movenet
# makes of the last bit depends on the instructions of the CPU (0.03 without AVX-512).
EXACT, ROUNDED, COARSE = 0.003, 0.012, 0.04
POSITION = 0.035  # of the image, in integers; a cell of the model's grid is 0.021
REFUSAL_LIMIT_S = 120
ALIKE = 0.995  # cosine


@pytest.fixture(scope="module")
def matrix(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    with running_matrix(shared_data, tmp_path_factory.mktemp("matrix")) as served:
        yield served


def cases(files: tuple[ModelFile, ...]) -> list[Any]:
    return [
        pytest.param(file, runtime, id=f"{file.name}-{runtime}")
        for file in files
        for runtime in file.runtimes
    ]


@pytest.mark.parametrize(("file", "runtime"), cases(DETECTORS))
def test_detectors_find_what_the_reference_found(
    matrix: Matrix, file: ModelFile, runtime: str
) -> None:
    expected = matrix.expected(file)
    for image, told in expected["images"].items():
        found = matrix.detect(f"{file.name}.{runtime}", file, image, expected["threshold"] - SCORE)
        rows = zip(found.labels, found.confidence.tolist(), found.xyxy.tolist(), strict=True)
        by_score = sorted(rows, key=lambda row: -row[1])
        lost = _compare(by_score, told, expected["threshold"], image)
        # In integers neighbouring anchors have equal scores, and either may be kept.
        assert lost <= ("mnv1_raw" in file.path and runtime == LITE), (image, by_score)


def _compare(found: list[Any], told: dict[str, Any], threshold: float, image: str) -> int:
    """Same labels in the same order, scores within 0.05, boxes within 2 % of the image.

    What lies within 0.05 of the threshold may be there or not; equal scores have no order.
    Returns how many are not where they should be.
    """
    width, height = told["size"]
    left = list(found)
    matched: list[float] = []
    lost: int = 0
    for row in told["results"]:
        box = np.array(row["box"])
        fitting = [
            seen
            for seen in left
            if seen[0] == row["label"]
            and abs(seen[1] - row["score"]) <= SCORE
            and (np.abs(np.array(seen[2]) - box) <= BOX * np.array([width, height] * 2)).all()
        ]
        if not fitting:
            lost += int(row["score"] >= threshold + SCORE)
            continue
        left.remove(fitting[0])
        matched.append(fitting[0][1])
    assert all(second <= first + SCORE for first, second in pairwise(matched)), image
    surplus = [seen for seen in left if seen[1] >= threshold + SCORE]
    return max(lost, len(surplus))


@pytest.mark.parametrize(("file", "runtime"), cases(OTHERS))
def test_other_models_answer_what_the_reference_answered(
    matrix: Matrix, file: ModelFile, runtime: str
) -> None:
    name = f"{file.name}.{runtime}"
    for image, told in matrix.expected(file)["images"].items():
        tensor, _ = matrix.prepare(name, file, image)
        answers = list(matrix.infer(name, tensor).values())
        for answer, raw in zip(answers, told["raw_outputs"].values(), strict=True):
            assert list(answer.shape) == raw["shape"]
            span = raw["max"] - raw["min"]
            share = _allowed(file, runtime) * span
            assert abs(float(answer.mean()) - raw["mean"]) <= share, (image, answer.mean(), raw)
            _check_results(answer, told, image)


def _allowed(file: ModelFile, runtime: str) -> float:
    if "movenet" in file.path:
        return COARSE
    return ROUNDED if runtime == LITE else EXACT


def _check_results(answer: Any, told: dict[str, Any], image: str) -> None:
    rows = told.get("results", [])
    if rows and "index" in rows[0]:
        _check_best(answer.ravel(), rows, image)
    elif rows and "keypoint" in rows[0]:
        width, height = told["size"]
        places = np.array([[row["y"] / height, row["x"] / width] for row in rows])
        sure = [row["score"] >= SURE for row in rows]
        assert np.abs(answer.reshape(-1, 3)[:, :2] - places)[sure].max() <= POSITION, image


def _check_best(answer: Any, results: list[dict[str, Any]], image: str) -> None:
    """The class with the highest score is the reference's, or as good as it."""
    best, wanted = int(answer.argmax()), max(results, key=lambda row: row["score"])["index"]
    assert best == wanted or answer[wanted] >= 0.9 * answer[best] > 0, image


@pytest.mark.parametrize(("file", "runtime"), cases(DUMMIES))
def test_the_dummy_adds_one(matrix: Matrix, file: ModelFile, runtime: str) -> None:
    given = np.arange(10, dtype=np.float32)[None]
    (answer,) = matrix.infer(f"{file.name}.{runtime}", given).values()
    np.testing.assert_array_equal(answer, given + 1)


@pytest.mark.parametrize(("file", "runtime"), cases(SUMS))
def test_triton_s_simple_model_adds_and_subtracts(
    matrix: Matrix, file: ModelFile, runtime: str
) -> None:
    one, other = np.arange(16, dtype=np.int32)[None], np.full((1, 16), 7, np.int32)
    sums, differences = matrix.infer(f"{file.name}.{runtime}", one, other).values()
    np.testing.assert_array_equal(sums, one + other)
    np.testing.assert_array_equal(differences, one - other)


@pytest.mark.parametrize("file", AGREEING, ids=lambda file: file.name)
def test_runtimes_agree_on_what_has_no_reference(matrix: Matrix, file: ModelFile) -> None:
    names = file.served_names
    tensor, _ = matrix.prepare(names[0], file, "people-3-faces.jpeg")
    reference, *others = (matrix.infer(name, tensor) for name in names)
    for answers in others:
        for output, wanted in reference.items():
            a, b = (array.astype(np.float64).ravel() for array in (answers[output], wanted))
            assert a @ b >= ALIKE * np.linalg.norm(a) * np.linalg.norm(b), output


@pytest.mark.parametrize("refused", REFUSED, ids=lambda refused: refused.name)
def test_what_a_runtime_cannot_read_is_refused_with_its_reason(
    matrix: Matrix, refused: Refused
) -> None:
    def reason() -> str:
        return matrix.reason(refused.name)

    told = wait_until(reason, REFUSAL_LIMIT_S, f"{refused.name} to be refused")
    assert refused.reason in told
