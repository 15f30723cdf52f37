"""Our hand-written messages against those of the installed clients, field by field."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, FileDescriptor

import tensorflow_stubs
from camfleet_contracts.protocols import inference_pb2, serving_pb2, tensorflow_pb2

pytestmark = pytest.mark.interop

OURS = (tensorflow_pb2.DESCRIPTOR, serving_pb2.DESCRIPTOR, inference_pb2.DESCRIPTOR)
ENUMS_WE_READ_AS_NUMBERS = {"tensorflow.serving.StatusProto.error_code"}


class Field(NamedTuple):
    """What the wire and the generated classes of a field depend on."""

    number: int
    type: int
    label: str
    type_name: str
    oneof: str


@pytest.fixture(scope="module", autouse=True)
def clients() -> None:
    """Register the messages of all three clients in the default pool."""
    tensorflow_stubs.install()
    import ovmsclient  # noqa: F401, PLC0415 - registers its messages
    from tensorflow_serving.apis import (  # noqa: PLC0415 - needs the stubs made above
        model_service_pb2_grpc,  # noqa: F401
        prediction_service_pb2_grpc,  # noqa: F401
    )
    from tritonclient.grpc import service_pb2  # noqa: F401, PLC0415 - registers its messages


def messages_of(file: FileDescriptor) -> Iterator[Descriptor]:
    for message in file.message_types_by_name.values():
        yield from with_nested(message)


def with_nested(message: Descriptor) -> Iterator[Descriptor]:
    yield message
    for nested in message.nested_types:
        yield from with_nested(nested)


def enums_of(file: FileDescriptor) -> Iterator[EnumDescriptor]:
    yield from file.enum_types_by_name.values()
    for message in messages_of(file):
        yield from message.enum_types


def renamed_by_ovmsclient(name: str) -> str:
    return name.replace("tensorflow.", "ovmsclient.", 1)


def described(field: FieldDescriptor) -> Field:
    typed = field.message_type or field.enum_type
    type_name = typed.full_name.replace("ovmsclient.", "tensorflow.", 1) if typed else ""
    oneof = field.containing_oneof.name if field.containing_oneof else ""
    return Field(
        number=field.number,
        type=FieldDescriptor.TYPE_INT32 if is_read_as_number(field) else field.type,
        label="repeated" if field.is_repeated else "single",
        type_name="" if is_read_as_number(field) else type_name,
        oneof=oneof,
    )


def is_read_as_number(field: FieldDescriptor) -> bool:
    return field.full_name.replace("ovmsclient.", "tensorflow.", 1) in ENUMS_WE_READ_AS_NUMBERS


def assert_same_fields(ours: Descriptor, their_name: str) -> None:
    theirs = descriptor_pool.Default().FindMessageTypeByName(their_name)
    expected = {name: described(theirs.fields_by_name[name]) for name in ours.fields_by_name}
    assert {field.name: described(field) for field in ours.fields} == expected


MESSAGES = [message for file in OURS for message in messages_of(file)]
TENSORFLOW_MESSAGES = [m for m in MESSAGES if m.full_name.startswith("tensorflow.")]
ENUMS = [enum for file in OURS for enum in enums_of(file)]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: m.full_name)
def test_fields_are_those_of_tritonclient_and_tensorflow_serving_api(message: Descriptor) -> None:
    assert_same_fields(message, message.full_name)


@pytest.mark.parametrize("message", TENSORFLOW_MESSAGES, ids=lambda m: m.full_name)
def test_fields_are_those_of_ovmsclient(message: Descriptor) -> None:
    assert_same_fields(message, renamed_by_ovmsclient(message.full_name))


@pytest.mark.parametrize("enum", ENUMS, ids=lambda e: e.full_name)
def test_enum_values_are_those_of_the_clients(enum: EnumDescriptor) -> None:
    theirs = descriptor_pool.Default().FindEnumTypeByName(enum.full_name)
    ours = {value.name: value.number for value in enum.values}
    assert ours == {name: theirs.values_by_name[name].number for name in ours}


def test_every_field_number_we_leave_out_is_ignored_when_a_camera_sends_it() -> None:
    stream_id_of_axis = bytes([10 << 3, 5])
    request = serving_pb2.PredictRequest(model_spec=serving_pb2.ModelSpec(name="m"))
    received = serving_pb2.PredictRequest.FromString(
        request.SerializeToString() + stream_id_of_axis
    )
    assert received.model_spec.name == "m"
