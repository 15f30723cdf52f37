#!/usr/bin/env python
"""Writes the message classes of proto/*.proto into src/camfleet_contracts/_generated.

Run by ``make proto``. The result is committed and equal byte for byte in every run;
another folder may be named as the only argument.
"""

import re
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

HERE = Path(__file__).resolve().parent
TARGET = HERE / "src" / "camfleet_contracts" / "_generated"
PACKAGE = "camfleet_contracts._generated"


def main(target: Path = TARGET) -> int:
    """Generate all modules into `target` and return the exit code."""
    with tempfile.TemporaryDirectory() as scratch:
        compile_protos(Path(scratch))
        for source in sorted(Path(scratch).glob("*_pb2.py*")):
            target.joinpath(source.name).write_text(into_private_pool(source.read_text()))
    return 0


def compile_protos(out: Path) -> None:
    """Run protoc for messages only; services are data in the transports."""
    well_known = Path(str(protoc.__file__)).parent / "_proto"
    protos = sorted(path.name for path in HERE.glob("*.proto"))
    arguments = ["protoc", f"-I{HERE}", f"-I{well_known}", f"--python_out={out}"]
    arguments += [f"--pyi_out={out}", *protos]
    if protoc.main(arguments) != 0:
        sys.exit("protoc failed; its message is above")


def into_private_pool(text: str) -> str:
    """Move one generated module into our package and our descriptor pool."""
    text = re.sub(
        r"^import (\w+)_pb2 as", rf"from {PACKAGE} import \1_pb2 as", text, flags=re.MULTILINE
    )
    text = text.replace("_descriptor_pool.Default()", "_POOL")
    text = text.replace(
        "# @@protoc_insertion_point(imports)",
        "from camfleet_contracts._pool import POOL as _POOL",
    )
    return re.sub(
        r"(BuildTopDescriptorsAndMessages\(DESCRIPTOR, ')(\w+')", rf"\1{PACKAGE}.\2", text
    )


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:2])))
