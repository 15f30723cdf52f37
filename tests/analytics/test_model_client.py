"""Asking a model server: versions that change, servers that are away, models nobody knows."""

import itertools
import threading
from collections.abc import Iterator

import grpc
import numpy as np
import pytest

from camfleet.inference.channels import Channels
from camfleet.inference.detector import ServerDetector
from camfleet.inference.errors import (
    InferenceError,
    InferenceRefused,
    ModelMissing,
    ModelNotReady,
    NoDecoder,
    ServerAbsent,
    ServerBusy,
)
from camfleet.inference.known_models import MAX_KNOWN, KnownModels, _Known
from camfleet.inference.model_client import Access, ModelClient
from camfleet_contracts.protocols import inference_pb2 as pb
from fakes_analytics import picture
from fakes_kserve import FakeServer, one_box, one_face, serving
from waiting import wait_until


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with serving(FakeServer({1: one_box("car", 0.0)})) as running:
        yield running


@pytest.fixture
def detector(server: FakeServer) -> Iterator[ServerDetector]:
    client = ModelClient(server.address, Access(key="secret"))
    yield ServerDetector(client)
    client.close()


def found(detector: ServerDetector, reference: str = "m") -> tuple[int, str, float]:
    """(version, label, left edge) of the one box in a picture 640 wide."""
    detected = detector.detect(picture(), reference, 0.5)
    [label], [box] = detected.detections.labels, detected.detections.xyxy.tolist()
    return detected.model.version, label, round(box[0])


def test_answer_is_decoded_into_frame_pixels(detector: ServerDetector) -> None:
    assert found(detector) == (1, "car", 0)


def test_a_client_that_was_closed_says_so(server: FakeServer) -> None:
    client = ModelClient(server.address)
    client.close()
    with pytest.raises(InferenceError, match=r"was closed; load\(\) makes another one"):
        client.current("m")


def test_pictures_are_sent_as_bytes_where_the_server_prepares_them(
    detector: ServerDetector, server: FakeServer
) -> None:
    server.extensions = ("camfleet_images",)
    assert found(detector) == (1, "car", 0)
    server.versions[2], server.newest = one_face("face", (64, 48)), 2
    assert found(detector) == (2, "face", 320)
    first, *_, last = server.received
    assert (first, last) == (("UINT8", [1, 32, 32, 3]), ("UINT8", [1, 48, 64, 3]))


def test_answers_with_typed_contents_are_read_too(
    detector: ServerDetector, server: FakeServer
) -> None:
    def write_typed(response: pb.ModelInferResponse) -> None:
        values = np.frombuffer(response.raw_output_contents.pop(), np.float32)
        response.outputs[0].contents.fp32_contents.extend(values)

    server.after_infer = write_typed
    assert found(detector) == (1, "car", 0)


def test_an_answer_that_is_cut_off_is_refused_with_the_tensor_s_name(
    detector: ServerDetector, server: FakeServer
) -> None:
    def cut(response: pb.ModelInferResponse) -> None:
        response.raw_output_contents[0] = response.raw_output_contents[0][:-1]

    server.after_infer = cut
    with pytest.raises(InferenceRefused, match=r"its answer cannot be read: .*28 bytes.*out"):
        found(detector)


def test_an_answer_without_the_contents_of_an_output_is_refused(
    detector: ServerDetector, server: FakeServer
) -> None:
    server.after_infer = lambda response: response.outputs.extend(response.outputs[:1])
    with pytest.raises(InferenceRefused, match="cannot be read: 1 contents for 2 outputs"):
        found(detector)


def test_own_tensors_are_sent_to_other_servers(
    detector: ServerDetector, server: FakeServer
) -> None:
    found(detector)
    assert server.received == [("FP32", [1, 3, 32, 32])]


def test_a_server_without_pictures_in_place_of_one_with_gets_own_tensors(
    detector: ServerDetector, server: FakeServer
) -> None:
    server.extensions = ("camfleet_images",)
    found(detector)
    server.extensions = ()
    assert found(detector) == (1, "car", 0)
    assert server.received[-1] == ("FP32", [1, 3, 32, 32])


def test_key_is_presented(detector: ServerDetector, server: FakeServer) -> None:
    found(detector)
    assert set(server.keys) == {"Bearer secret"}


def test_proxy_of_the_environment_is_not_asked(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("grpc_proxy", "http://127.0.0.1:1")
    for name in ("no_proxy", "no_grpc_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    client = ModelClient(server.address)
    assert found(ServerDetector(client)) == (1, "car", 0)
    client.close()


def test_new_version_is_decoded_with_its_own_manifest(
    detector: ServerDetector, server: FakeServer
) -> None:
    found(detector)
    server.versions[2], server.newest = one_box("truck", 0.5), 2
    assert found(detector) == (2, "truck", 320)


@pytest.mark.parametrize("size", [(32, 32), (64, 48)], ids=["same size", "other size"])
def test_swap_to_another_family_in_the_middle_of_a_request_gives_no_wrong_frame(
    detector: ServerDetector, server: FakeServer, size: tuple[int, int]
) -> None:
    found(detector)
    server.versions[2] = one_face("face", size)

    def swap() -> None:
        server.newest = 2

    server.before_infer = swap
    assert found(detector) == (2, "face", 320)


def test_swap_back_and_forth_under_load_gives_no_wrong_frame(
    detector: ServerDetector, server: FakeServer
) -> None:
    face, asked = one_face("face", (64, 48)), iter(range(10_000))

    def swap() -> None:
        server.newest = 2 if next(asked) % 7 > 3 else 1
        server.versions = {1: server.versions[1]} | ({2: face} if server.newest == 2 else {})

    server.before_infer = swap
    assert {found(detector) for _ in range(60)} == {(1, "car", 0), (2, "face", 320)}


def test_version_that_goes_while_it_is_asked_about_makes_room_for_its_successor(
    detector: ServerDetector, server: FakeServer
) -> None:
    def swap(version: str) -> None:
        if version == "1":
            server.versions, server.newest = {2: one_face("face", (64, 48))}, 2

    server.before_metadata = swap
    assert found(detector) == (2, "face", 320)


def test_versions_that_go_whenever_they_are_asked_about_are_not_asked_about_for_ever(
    detector: ServerDetector, server: FakeServer
) -> None:
    def swap(version: str) -> None:
        if version:
            server.newest = int(version) + 1
            server.versions = {server.newest: one_box("car", 0.0)}

    server.before_metadata = swap
    with pytest.raises(InferenceRefused, match="its version changes with every request"):
        found(detector)


def test_pinned_version_stays(detector: ServerDetector, server: FakeServer) -> None:
    server.versions[2], server.newest = one_box("truck", 0.5), 2
    assert found(detector, "m:1") == (1, "car", 0)


def test_version_rewritten_in_place_is_decoded_with_the_new_manifest(
    detector: ServerDetector, server: FakeServer
) -> None:
    found(detector)
    server.versions[1] = one_face("face", (32, 32))
    wait_until(lambda: found(detector) == (1, "face", 320), 60, "the new manifest is used")


def test_unknown_model_says_how_to_get_it(detector: ServerDetector, server: FakeServer) -> None:
    with pytest.raises(ModelMissing, match=r"model 'x' is not served by .*camfleet model pull x"):
        detector.detect(picture(), "x", 0.5)


def test_unknown_version_is_no_unknown_model(detector: ServerDetector, server: FakeServer) -> None:
    with pytest.raises(ModelMissing, match=r"model 'm:7' is not served by .*camfleet model list"):
        detector.detect(picture(), "m:7", 0.5)


@pytest.mark.parametrize(
    ("status", "text", "error"),
    [
        (
            grpc.StatusCode.UNAVAILABLE,
            "Model with requested version is not loaded yet",
            ModelNotReady,
        ),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "queue full", ServerBusy),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "too late", ServerBusy),
        (grpc.StatusCode.INTERNAL, "broken", InferenceRefused),
    ],
    ids=["loading", "full", "late", "broken"],
)
def test_refusals_are_told_apart(
    detector: ServerDetector,
    server: FakeServer,
    status: grpc.StatusCode,
    text: str,
    error: type[Exception],
) -> None:
    server.refusal = (status, text)
    with pytest.raises(error, match=text):
        detector.detect(picture(), "m", 0.5)


def test_model_without_manifest_says_what_to_add(
    detector: ServerDetector, server: FakeServer
) -> None:
    server.versions[1].manifest = None
    with pytest.raises(NoDecoder, match=r"no decoder known for m; add model\.json"):
        detector.detect(picture(), "m", 0.5)


def test_manifest_without_postprocess_says_what_to_add(
    detector: ServerDetector, server: FakeServer
) -> None:
    server.versions[1].manifest = {"id": "m"}
    with pytest.raises(NoDecoder, match=r"no decoder known for m; add model\.json"):
        detector.detect(picture(), "m", 0.5)


def test_wrong_decoder_in_the_manifest_is_explained(
    detector: ServerDetector, server: FakeServer
) -> None:
    manifest = server.versions[1].manifest
    assert manifest is not None
    manifest["postprocess"] = {"decoder": "yolox"}
    with pytest.raises(InferenceRefused, match="decoder 'yolox' expects one output"):
        detector.detect(picture(), "m", 0.5)


def test_absent_server_is_named_and_heals() -> None:
    with serving(FakeServer({1: one_box("car", 0.0)})) as gone:
        port = int(gone.address.rpartition(":")[2])
    client = ModelClient(f"127.0.0.1:{port}")
    detector = ServerDetector(client)
    with pytest.raises(ServerAbsent, match=f"no model server answers at 127.0.0.1:{port}; start"):
        detector.detect(picture(), "m", 0.5)
    with serving(FakeServer({1: one_box("car", 0.0)}), port):
        wait_until(lambda: answers(detector), 60, "the server is found again")
    client.close()


def answers(detector: ServerDetector) -> bool:
    try:
        return found(detector) == (1, "car", 0)
    except ServerAbsent:
        return False


def test_second_server_of_a_list_takes_over(server: FakeServer) -> None:
    with serving(FakeServer({1: one_box("car", 0.0)})) as other:
        client = ModelClient(f"{other.address},{server.address}")
        detector = ServerDetector(client)
        found(detector)
    assert [found(detector) for _ in range(4)] == [(1, "car", 0)] * 4
    client.close()


def test_model_is_forgotten_while_other_threads_learn_of_versions(server: FakeServer) -> None:
    known = KnownModels(Channels(server.address, Access()))
    found, is_over = known.refetch("m"), threading.Event()

    def learn() -> None:
        for number in itertools.cycle(range(MAX_KNOWN)):
            known._versions.pop(("m", number), None)
            known._versions["m", number] = _Known(found, 0.0)
            if is_over.is_set():
                return

    learning = threading.Thread(target=learn, name="another-camera")
    learning.start()
    try:
        for _ in range(20_000):
            known.forget("other")
    finally:
        is_over.set()
        learning.join(60)
