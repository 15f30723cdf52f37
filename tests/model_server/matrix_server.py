"""One running server with every model file of the shared data on every runtime that reads it."""

import json
import re
import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tritonclient import grpc

from camfleet.decoders import get_decoder
from camfleet.detections import Detections
from camfleet_contracts.catalog import Catalog, read_catalog
from camfleet_contracts.datatypes import get_datatype
from camfleet_contracts.model_manifest import ModelManifest, parse_manifest
from camfleet_contracts.pictures import Resize, fit, normalise
from camfleet_contracts.volume import publish_version
from matrix_files import REFUSED, SERVED, ModelFile, Refused
from processes import running
from waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
LOAD_LIMIT_S = 600  # some eighty versions on a machine that may be busy
_OF_FILES = {
    "files",
    "model_file",
    "config_file",
    "framework_type",
    "inputs",
    "outputs",
    "runtimes",
}


@dataclass
class Matrix:
    """The server and the data behind it."""

    data: Path
    client: grpc.InferenceServerClient
    rest: str

    @cached_property
    def catalog(self) -> Catalog:
        return read_catalog(ROOT / "models" / "catalog.json")

    def manifest(self, file: ModelFile) -> ModelManifest:
        return manifest_of(file, self.catalog, self.data)

    def infer(self, name: str, *tensors: NDArray[Any]) -> dict[str, NDArray[Any]]:
        metadata = self.client.get_model_metadata(name)
        given = []
        for spec, tensor in zip(metadata.inputs, tensors, strict=True):
            given.append(grpc.InferInput(spec.name, list(tensor.shape), spec.datatype))
            given[-1].set_data_from_numpy(tensor)
        answer = self.client.infer(name, given)
        return {output.name: answer.as_numpy(output.name) for output in metadata.outputs}

    def prepare(self, name: str, file: ModelFile, image: str) -> tuple[NDArray[Any], Resize]:
        """The tensor of an image, scaled as the reference was."""
        spec = self.client.get_model_metadata(name).inputs[0]
        preprocess = self.manifest(file).preprocess
        assert preprocess is not None
        pixels = cv2.imread(str(self.data / "media" / "images" / image))
        assert pixels is not None
        height, width = spec.shape[2:4] if preprocess.layout == "NCHW" else spec.shape[1:3]
        size = (width, height) if width > 0 else (preprocess.size or (0, 0))
        resize = fit(preprocess.resize, (pixels.shape[1], pixels.shape[0]), size)
        method = cv2.INTER_AREA if file.is_by_area else cv2.INTER_LINEAR
        scaled = np.asarray(cv2.resize(pixels, resize.scaled_size, interpolation=method), np.uint8)
        placed = resize.place(scaled, preprocess.pad)
        if preprocess.colour == "GRAY":
            placed = np.asarray(cv2.cvtColor(placed, cv2.COLOR_BGR2GRAY), np.uint8)[..., None]
        elif preprocess.colour == "RGB":
            placed = placed[..., ::-1]
        dtype = get_datatype(spec.datatype, spec.name).dtype
        return normalise(placed, preprocess, dtype)[None], resize

    def detect(self, name: str, file: ModelFile, image: str, confidence: float) -> Detections:
        manifest = self.manifest(file)
        tensor, resize = self.prepare(name, file, image)
        postprocess = manifest.postprocess
        assert postprocess is not None
        decode = get_decoder(postprocess.decoder)
        return decode(self.infer(name, tensor), manifest, resize, confidence, postprocess.iou)

    def expected(self, file: ModelFile) -> dict[str, Any]:
        path = self.data / "expected" / f"{file.expected}.json"
        document: dict[str, Any] = json.loads(path.read_text())
        return document

    def reason(self, name: str) -> str:
        """Why the server refuses a model; "" while it does not (yet)."""
        with urllib.request.urlopen(f"{self.rest}/v1/config", timeout=60) as answer:
            status = json.load(answer)[name]["model_version_status"]
        return "; ".join(str(version["status"]["error_message"]) for version in status)


@contextmanager
def running_matrix(data: Path, folder: Path) -> Iterator[Matrix]:
    """Publish all files and serve them until the block ends."""
    catalog = read_catalog(ROOT / "models" / "catalog.json")
    names = [
        _publish(folder, data, file, runtime, manifest_of(file, catalog, data))
        for file in SERVED
        for runtime in file.runtimes
    ]
    refused = [_publish_refused(folder, data, file) for file in REFUSED]
    entries = [{"config": {"name": n, "base_path": n}} for n in (*names, *refused)]
    (folder / "config.json").write_text(json.dumps({"model_config_list": entries}))
    options = [
        "--config_path",
        str(folder / "config.json"),
        "--port",
        "auto",
        "--rest_port",
        "auto",
    ]
    env = {"CAMFLEET_CACHE": str(folder / "cache"), "CAMFLEET_STATE": str(folder / "state")}
    with running("camfleet-server", *options, env=env) as server:
        grpc_address = server.logged(r"grpc=(\S+)", LOAD_LIMIT_S)[1]
        rest = server.logged(r"rest=(\S+)", LOAD_LIMIT_S)[1]
        client = grpc.InferenceServerClient(grpc_address)
        waiting = set(names)

        def all_ready() -> bool:
            waiting.difference_update({name for name in waiting if client.is_model_ready(name)})
            return not waiting

        wait_until(all_ready, LOAD_LIMIT_S, "every model of the matrix to be served")
        yield Matrix(data, client, re.sub(r"^(?!http)", "http://", rest))


def manifest_of(file: ModelFile, catalog: Catalog, data: Path) -> ModelManifest:
    """The catalogue's manifest without what it says of files, changed as the table says."""
    if not file.catalogue:
        return ModelManifest()
    entry = catalog.find(file.catalogue)
    assert entry is not None, file.catalogue
    document = {key: value for key, value in entry.manifest.items() if key not in _OF_FILES}
    layout = file.changes.get("layout")
    changes = (
        {"preprocess": document["preprocess"] | {"layout": layout}} if layout else file.changes
    )
    document |= json.loads(json.dumps(changes))
    source = data / "models" / Path(file.path).parts[0]
    if label_file := document.pop("label_file", ""):
        document["labels"] = (source / label_file).read_text().splitlines()
    if document["postprocess"]["decoder"] == "ssd-anchors":
        anchors = np.load(source / "ssd_mnv1_raw.anchors.npy").tolist()
        document["postprocess"]["parameters"]["anchors"] = anchors
    return parse_manifest(document, where=file.path)


def _publish(
    folder: Path, data: Path, file: ModelFile, runtime: str, manifest: ModelManifest
) -> str:
    name = f"{file.name}.{runtime}"
    told = manifest.model_dump(mode="json", exclude_none=True) | {"runtimes": [runtime]}
    _publish_files(folder, name, data / "models" / file.path, file.beside, told)
    return name


def _publish_refused(folder: Path, data: Path, file: Refused) -> str:
    told = {"runtimes": [file.runtime], "size": [300, 300]}
    _publish_files(folder, file.name, data / "models" / file.path, file.beside, told)
    return file.name


def _publish_files(
    folder: Path, name: str, source: Path, beside: tuple[str, ...], told: dict[str, Any]
) -> None:
    def fill(version: Path) -> None:
        if source.is_dir():
            shutil.copytree(source, version, dirs_exist_ok=True)
        else:
            weights = [source.with_suffix(".bin").name] if source.suffix == ".xml" else []
            for file in (source.name, *weights, *beside):
                shutil.copy(source.parent / file, version)
        version.joinpath("model.json").write_text(json.dumps(told))

    publish_version(folder, name, 1, fill)
