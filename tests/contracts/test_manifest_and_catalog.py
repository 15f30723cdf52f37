import json
import re
from pathlib import Path
from typing import Any

import pytest

from camfleet_contracts.catalog import BadCatalog, Catalog, CatalogEntry, CatalogFile, read_catalog
from camfleet_contracts.model_manifest import BadManifest, parse_manifest, read_manifest


def test_flat_and_nested_alwaysai_manifests_say_the_same() -> None:
    flat = {"id": "a/b", "purpose": "Classification", "swaprb": True, "size": [300, 300]}
    nested = {"id": "a/b", "model_parameters": {k: v for k, v in flat.items() if k != "id"}}
    assert parse_manifest(flat, where="f") == parse_manifest(nested, where="n")


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"preprocess": {"size": [0, 320]}}, "preprocess.size.0"),
        ({"preprocess": {"size": [320, 100_000]}}, "preprocess.size.1"),
        ({"preprocess": {"mean": [float("nan")]}}, "preprocess.mean.0"),
        ({"preprocess": {"scale": float("inf")}}, "preprocess.scale"),
        ({"size": [-1, 320]}, "size.0"),
        ({"scalefactor": float("nan")}, "scalefactor"),
        ({"label_colors": [[0, 300, 0]]}, "label_colors.0.1"),
    ],
)
def test_a_number_that_no_picture_can_have_is_named(document: dict[str, Any], field: str) -> None:
    with pytest.raises(BadManifest, match=rf"m: {field}"):
        parse_manifest(document, where="m")


def test_a_null_says_nothing() -> None:
    written = {"id": "user/name", "colors_file": None, "labels": None, "precision": None}
    assert parse_manifest(written, where="m") == parse_manifest({"id": "user/name"}, where="m")


def test_unknown_keys_are_kept() -> None:
    manifest = parse_manifest({"website_url": "https://example.org"}, where="m")
    assert json.loads(manifest.to_json())["website_url"] == "https://example.org"


def test_keys_of_its_parts_that_nobody_reads_are_named() -> None:
    document = {"preprocess": {"color": "BGR", "pad": 0}, "postprocess": {"decoder": "x", "q": 1}}
    manifest = parse_manifest(document, where="model.json")
    assert manifest.unread_keys == ("preprocess.color (colour?)", "postprocess.q")


def test_labels_come_from_the_label_file(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("person\ncar\n\n")
    (tmp_path / "alwaysai.model.json").write_text('{"label_file": "labels.txt"}')
    manifest = read_manifest(tmp_path)
    assert manifest is not None
    assert manifest.labels == ("person", "car")


def test_an_empty_line_in_a_label_file_keeps_the_numbers_of_the_classes_behind_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "labels.txt").write_text("\nperson\n\ncar\n \n")
    (tmp_path / "model.json").write_text('{"label_file": "labels.txt"}')
    manifest = read_manifest(tmp_path)
    assert manifest is not None
    assert manifest.labels == ("", "person", "", "car")


def test_files_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("person\ncar\n", encoding="utf-8-sig")
    (tmp_path / "model.json").write_text('{"label_file": "labels.txt"}', encoding="utf-8-sig")
    manifest = read_manifest(tmp_path)
    assert manifest is not None
    assert manifest.labels == ("person", "car")


def test_colours_come_from_the_colours_file(tmp_path: Path) -> None:
    (tmp_path / "colors.txt").write_text("0, 128,255\n\n10,20,30\n")
    (tmp_path / "model.json").write_text('{"colors_file": "colors.txt"}')
    manifest = read_manifest(tmp_path)
    assert manifest is not None
    assert manifest.label_colors == ((0, 128, 255), (10, 20, 30))


@pytest.mark.parametrize("line", ["0,0", "0,0,256", "red", "-1,0,0", "0,0,0,0", "1.5,0,0"])
def test_a_line_that_is_no_colour_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "colors.txt").write_text(f"0,0,0\n{line}\n")
    (tmp_path / "model.json").write_text('{"colors_file": "colors.txt"}')
    with pytest.raises(BadManifest, match=f"colors_file 'colors.txt': line '{line}' is not"):
        read_manifest(tmp_path)


def test_a_folder_without_manifest_has_none(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) is None


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "must be a JSON object"),
        ({"note": "\ud800"}, "holds half of a character"),
        ({"preprocess": {"resize": "squash"}}, r"preprocess\.resize"),
        ({"postprocess": {"decoder": "yolox", "iou": 2}}, r"postprocess\.iou"),
        ({"precision": "int4"}, "precision"),
        ({"labels": 5}, "labels: Input should be a list"),
    ],
)
def test_every_fault_names_file_and_field(document: Any, reason: str) -> None:
    with pytest.raises(BadManifest, match=f"m/model.json: .*{reason}"):
        parse_manifest(document, where="m/model.json")


def test_a_manifest_that_is_no_json_or_lacks_its_labels_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text("{")
    with pytest.raises(BadManifest, match="not readable as JSON"):
        read_manifest(tmp_path)
    (tmp_path / "model.json").write_text('{"label_file": "absent.txt"}')
    with pytest.raises(BadManifest, match=r"label_file .*absent\.txt"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("label_file", ["/etc/passwd", "../secret", "link", "a\\u0000b", "circle"])
def test_a_label_file_outside_the_version_is_refused(tmp_path: Path, label_file: str) -> None:
    folder = tmp_path / "1"
    folder.mkdir()
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "circle").symlink_to(folder / "circle")
    (folder / "model.json").write_text(f'{{"label_file": "{label_file}"}}')
    with pytest.raises(BadManifest, match="label_file"):
        read_manifest(folder)


def test_a_label_file_may_be_a_link_inside_the_version(tmp_path: Path) -> None:
    (tmp_path / "words").write_text("person")
    (tmp_path / "labels.txt").symlink_to("words")
    (tmp_path / "model.json").write_text('{"label_file": "labels.txt"}')
    manifest = read_manifest(tmp_path)
    assert manifest is not None
    assert manifest.labels == ("person",)


def test_catalogue_entries_are_found_by_name_alias_and_content(tmp_path: Path) -> None:
    file = CatalogFile(path="m.onnx", url="https://example.org/m", sha256="a" * 64, size=1)
    entry = CatalogEntry(
        name="net", purpose="p", licence="MIT", files=(file,), manifest={}, aliases=("user/net_v1",)
    )
    path = tmp_path / "catalog.json"
    path.write_text(Catalog(entries=(entry,)).model_dump_json())
    catalog = read_catalog(path)
    assert catalog.find("user.net_v1") == catalog.find("net") == entry
    assert catalog.find("other") is None
    assert catalog.find_by_sha256("a" * 64) == entry


@pytest.mark.parametrize("text", ["{", "[]", '{"entries": [{"name": "x"}]}'])
def test_a_bad_catalogue_names_the_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "catalog.json").write_text(text)
    with pytest.raises(BadCatalog, match=r"catalog\.json") as caught:
        read_catalog(tmp_path / "catalog.json")
    assert "argument" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"path": "../../evil"}, "entries.0.files.0.path: '../../evil' must be a path inside"),
        ({"path": "/etc/evil"}, "entries.0.files.0.path: '/etc/evil' must be a path inside"),
        ({"path": ""}, "entries.0.files.0.path: '' must be a path inside"),
    ],
)
def test_a_file_of_the_catalogue_stays_inside_its_version(
    tmp_path: Path, change: dict[str, str], said: str
) -> None:
    file = {"path": "m.onnx", "url": "https://example.org/m"} | change
    write_entry(tmp_path, files=[file])
    with pytest.raises(BadCatalog, match=re.escape(said)):
        read_catalog(tmp_path / "catalog.json")


@pytest.mark.parametrize(
    ("change", "field"), [({"name": "../net"}, "name"), ({"aliases": ["a/b/c"]}, "aliases")]
)
def test_a_name_of_the_catalogue_that_no_folder_can_have_is_named(
    tmp_path: Path, change: dict[str, object], field: str
) -> None:
    write_entry(tmp_path, **change)
    with pytest.raises(BadCatalog, match=rf"entries.0.{field}: model id"):
        read_catalog(tmp_path / "catalog.json")


def write_entry(folder: Path, **changes: object) -> None:
    file = {"path": "m.onnx", "url": "https://example.org/m"}
    entry = {"name": "net", "purpose": "p", "licence": "MIT", "files": [file], "manifest": {}}
    (folder / "catalog.json").write_text(json.dumps({"entries": [entry | changes]}))
