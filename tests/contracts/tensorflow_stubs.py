"""`tensorflow.core` message modules made from ovmsclient's, so that no TensorFlow is installed.

tensorflow-serving-api's stubs import them; ovmsclient carries the same messages under other names.
"""

import importlib
import importlib.util
import sys
from types import ModuleType

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.internal import builder

_THEIRS = "ovmsclient/tfs_compat/protos/"
_MODULES = (
    "tensorflow.core.framework.tensor_pb2",
    "tensorflow.core.framework.tensor_shape_pb2",
    "tensorflow.core.framework.types_pb2",
    "tensorflow.core.example.example_pb2",
    "tensorflow.core.protobuf.error_codes_pb2",
    "tensorflow.core.protobuf.meta_graph_pb2",
)


def install() -> None:
    """Make the modules importable, unless TensorFlow is there or they are made already."""
    if "tensorflow.core" in sys.modules or importlib.util.find_spec("tensorflow"):
        return
    for package in ("tensorflow", "tensorflow.core"):
        _add_package(package)
    for name in _MODULES:
        _add_package(name.rpartition(".")[0])
        module = ModuleType(name)
        file = _add_file(_their_file(name))
        builder.BuildMessageAndEnumDescriptors(file, vars(module))
        builder.BuildTopDescriptorsAndMessages(file, name, vars(module))
        vars(module)["DESCRIPTOR"] = file
        sys.modules[name] = module
    _add_name_of_newer_gencode()


def _add_name_of_newer_gencode() -> None:
    """TensorFlow moved the error codes to another file that its old one imports publicly."""
    module = sys.modules["tensorflow.core.protobuf.error_codes_pb2"]
    vars(module)["xla_dot_tsl_dot_protobuf_dot_error__codes__pb2"] = module


def _their_file(name: str) -> FileDescriptor:
    module = importlib.import_module(f"ovmsclient.tfs_compat.protos.{name}")
    descriptor: FileDescriptor = module.DESCRIPTOR
    return descriptor


def _add_file(theirs: FileDescriptor) -> FileDescriptor:
    pool = descriptor_pool.Default()
    for dependency in theirs.dependencies:
        if dependency.name.startswith(_THEIRS):
            _add_file(dependency)
    proto = descriptor_pb2.FileDescriptorProto()
    theirs.CopyToProto(proto)
    return pool.AddSerializedFile(_renamed(proto).SerializeToString())


def _renamed(proto: descriptor_pb2.FileDescriptorProto) -> descriptor_pb2.FileDescriptorProto:
    proto.name = proto.name.removeprefix(_THEIRS)
    proto.package = _renamed_type(f".{proto.package}").removeprefix(".")
    for index, dependency in enumerate(proto.dependency):
        proto.dependency[index] = dependency.removeprefix(_THEIRS)
    for message in proto.message_type:
        _rename_types(message)
    return proto


def _rename_types(message: descriptor_pb2.DescriptorProto) -> None:
    for field in message.field:
        if field.type_name:
            field.type_name = _renamed_type(field.type_name)
    for nested in message.nested_type:
        _rename_types(nested)


def _renamed_type(name: str) -> str:
    if name == ".ovmsclient" or name.startswith(".ovmsclient."):
        return ".tensorflow" + name.removeprefix(".ovmsclient")
    return name


def _add_package(name: str) -> None:
    if name in sys.modules:
        return
    package = ModuleType(name)
    package.__path__ = []
    sys.modules[name] = package
