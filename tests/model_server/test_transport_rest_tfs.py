"""TensorFlow Serving over REST, seen from the wire."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from camfleet_server.transports.rest.tfs import metadata_json
from camfleet_server.types import ModelMetadata, TensorSpec
from transport_callers import RestCaller, serving_rest

PAIR = "/v1/models/pair:predict"


@pytest.fixture(scope="module")
def caller() -> Iterator[RestCaller]:
    with serving_rest() as caller:
        yield caller


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (
            {"inputs": {"left": [[3, 4]], "right": [[1, 1]]}},
            {"outputs": {"total": [[4, 5]], "difference": [[2, 3]]}},
        ),
        (
            {"instances": [{"left": [3, 4], "right": [1, 1]}, {"right": [1, 2], "left": [0, 0]}]},
            {
                "predictions": [
                    {"total": [4, 5], "difference": [2, 3]},
                    {"total": [1, 2], "difference": [-1, -2]},
                ]
            },
        ),
    ],
    ids=["columns", "rows"],
)
def test_predict_in_columns_and_rows(caller: RestCaller, body: Any, answer: Any) -> None:
    response = caller.post(PAIR, json=body)
    assert (response.status_code, response.json()) == (200, answer)


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"inputs": {"image": [[[[1, 2, 3, 4]]] * 3]}}, "outputs"),
        ({"inputs": [[[[1, 2, 3, 4]]] * 3]}, "outputs"),
        ({"instances": [[[[1, 2, 3, 4]]] * 3]}, "predictions"),
    ],
    ids=["named", "bare column", "bare rows"],
)
def test_a_single_output_is_answered_bare(caller: RestCaller, body: Any, answer: str) -> None:
    response = caller.post("/v1/models/increment/versions/1:predict", json=body)
    assert response.json() == {answer: [[[[2, 3, 4, 5]]] * 3]}


def test_a_label_stands_for_its_version(caller: RestCaller) -> None:
    stable = "/v1/models/increment/labels/stable"
    caller.post(f"{stable}:predict", json={"inputs": [[[[1, 2, 3, 4]]] * 3]})
    assert caller.plane.requests[-1].version == 1
    assert caller.get(f"{stable}/metadata").json()["modelSpec"]["version"] == "1"
    assert len(caller.get(stable).json()["model_version_status"]) == 1


def test_an_unknown_label_is_refused(caller: RestCaller) -> None:
    response = caller.get("/v1/models/increment/labels/canary")
    assert response.status_code == 400
    assert "Unrecognized servable version label: canary" in response.json()["error"]


@pytest.mark.parametrize("method", ["classify", "regress"])
def test_methods_not_offered_say_so(caller: RestCaller, method: str) -> None:
    response = caller.post(f"/v1/models/increment:{method}", json={"examples": []})
    assert response.status_code == 501
    assert response.json() == {"error": f"{method} is not offered; use :predict"}


def test_numbers_have_as_many_digits_as_they_need(caller: RestCaller) -> None:
    caller.plane.answer = {"n": np.array([0.2, 1, 1 / 3, 2e10, -1e-7, 0, np.inf], np.float32)}
    text = caller.post("/v1/models/echo:predict", json={"inputs": ["x"]}).text
    caller.plane.answer = None
    assert text == '{"outputs":[0.2,1.0,0.333333343,20000000000.0,-1e-07,0.0,Infinity]}'


def test_large_numbers_may_be_written_as_javascript_does(caller: RestCaller) -> None:
    body = '{"inputs": [[[[18446744073709551616, 1.5, -3, 0]]]]}'
    response = caller.post("/v1/models/increment:predict", content=body)
    assert response.json() == {"outputs": [[[[2.0**64, 2.5, -2.0, 1.0]]]]}


def test_rows_need_one_value_of_every_output(caller: RestCaller) -> None:
    caller.plane.answer = {"a": np.zeros((2, 1)), "b": np.zeros(3)}
    response = caller.post(PAIR, json={"instances": [{"left": [1, 1], "right": [1, 1]}]})
    columns = caller.post(PAIR, json={"inputs": {"left": [[1, 1]], "right": [[1, 1]]}})
    caller.plane.answer = None
    assert response.status_code == 400
    assert "batch sizes: a: 2, b: 3; ask in columns" in response.json()["error"]
    assert columns.json()["outputs"]["b"] == [0, 0, 0]


def test_texts_are_b64_where_they_are_no_text_or_named_so(caller: RestCaller) -> None:
    values = np.array([b"one", b"\xff"], object)
    caller.plane.answer = {"text": values, "raw_bytes": values}
    answer = caller.post("/v1/models/echo:predict", json={"inputs": ["x"]}).json()["outputs"]
    caller.plane.answer = None
    assert answer == {
        "text": ["one", {"b64": "/w=="}],
        "raw_bytes": [{"b64": "b25l"}, {"b64": "/w=="}],
    }


def test_values_without_dimensions_come_as_rows_of_them(caller: RestCaller) -> None:
    caller.plane.answer = {"n": np.array(2.5)}
    response = caller.post("/v1/models/echo:predict", json={"inputs": "x", "signature_name": "s"})
    caller.plane.answer = None
    assert response.json() == {"outputs": 2.5}
    assert caller.plane.requests[-1].inputs["text"].shape == ()


def test_without_a_version_whatever_is_the_latest_answers(caller: RestCaller) -> None:
    caller.post("/v1/models/increment:predict", json={"inputs": [[[[1, 2, 3, 4]]] * 3]})
    assert caller.plane.requests[-1].version is None


def test_not_a_number_passes_as_tensorflow_serving_writes_it(caller: RestCaller) -> None:
    body = '{"inputs": [[[[NaN, 2, 3, 4]], [[1, 2, 3, 4]], [[1, 2, 3, 4]]]]}'
    response = caller.post("/v1/models/increment:predict", content=body)
    assert (response.status_code, response.text[:17]) == (200, '{"outputs":[[[[Na')


def test_base64_becomes_bytes_also_where_the_model_takes_numbers(caller: RestCaller) -> None:
    caller.post("/v1/models/echo:predict", json={"instances": [{"b64": "/9g="}]})
    assert caller.plane.requests[-1].inputs["text"].tolist() == [b"\xff\xd8"]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "Could not detect row or column format"),
        ({"inputs": [], "instances": []}, "Could not detect row or column format"),
        ({"instances": []}, "Could not parse instance content. Not valid ndarray detected"),
        ({"instances": [{"left": [1]}, {"right": [1]}]}, "every instance needs the inputs left"),
        ({"inputs": [[1, 2]]}, "Inputs must be named - Expected: left, right"),
        (
            {"inputs": {"left": [[1], [2, 3]]}},
            "Could not parse input content. Not valid ndarray detected",
        ),
        ({"inputs": {"left": [{"b64": "###"}]}}, "b64"),
        ({"inputs": {"left": [{"x": 1}, {"y": 1}]}}, "text or b64 expected"),
        ({"inputs": {"left": [["a"], ["a", "b"]]}}, "the lists differ in length"),
    ],
    ids=range(9),
)
def test_malformed_predictions_are_refused(caller: RestCaller, body: Any, text: str) -> None:
    response = caller.post(PAIR, json=body)
    assert response.status_code == 400
    assert text in response.json()["error"]


def test_predict_on_an_unknown_model(caller: RestCaller) -> None:
    response = caller.post("/v1/models/nope:predict", json={"inputs": [1]})
    assert response.status_code == 404
    assert "Model with requested name is not found" in response.json()["error"]


def test_status_of_all_versions_and_of_one(caller: RestCaller) -> None:
    good = {"error_code": "OK", "error_message": "OK"}
    available = {"version": "1", "state": "AVAILABLE", "status": good}
    every = caller.get("/v1/models/increment").json()["model_version_status"]
    one = caller.get("/v1/models/increment/versions/1").json()["model_version_status"]
    assert [entry["version"] for entry in every] == ["3", "2", "1"]
    assert one == [available]
    assert caller.get("/v1/models/increment/versions/9").status_code == 404


def test_metadata_has_the_form_of_tensorflow_serving(caller: RestCaller) -> None:
    metadata = caller.get("/v1/models/increment/metadata").json()
    signatures = metadata["metadata"]["signature_def"]["signatureDef"]
    image = signatures["serving_default"]["inputs"]["image"]
    assert metadata["modelSpec"] == {"name": "increment", "version": "2", "signatureName": ""}
    assert image["dtype"] == "DT_FLOAT"
    assert [dim["size"] for dim in image["tensorShape"]["dim"]] == ["1", "3", "-1", "4"]
    assert image["tensorShape"]["unknownRank"] is False


def test_metadata_tells_a_scalar_by_a_shape_without_dimensions() -> None:
    scalar = TensorSpec("x", "FP32", ())
    metadata = metadata_json(ModelMetadata("scalar", 1, (1,), (scalar,), (scalar,)))
    signatures = metadata["metadata"]["signature_def"]["signatureDef"]
    shape = signatures["serving_default"]["inputs"]["x"]["tensorShape"]
    assert shape == {"dim": [], "unknownRank": False}
