"""`camfleet model pull URL`: files of one model from their addresses; pins of first pulls."""

import io
import json
import threading
import zipfile
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from addressed_models import (
    GRAPH,
    OTHER,
    WEIGHTS,
    assert_nothing_was_published,
    manifest_of,
    sha256,
)
from camfleet.cli.packages import from_addresses
from camfleet.cli.packages.from_addresses import PullOptions, pull_from_addresses
from camfleet_contracts.serving_config import read_serving_config
from camfleet_contracts.settings import read_settings
from camfleet_contracts.trail import Trail
from camfleet_contracts.volume import versions_of
from cli_runs import CommandLine
from fakes_upstream import Upstream, serving
from processes import running


def test_a_file_with_its_sha256_becomes_a_served_version(
    puller: CommandLine, model_host: Upstream
) -> None:
    address = f"{model_host.url}/pets.onnx"
    outcome = puller.run("model", "pull", address, "--sha256", sha256(WEIGHTS).upper())
    assert outcome.code == 0
    assert "pinned" not in outcome.err
    assert (puller.models / "pets" / "1" / "pets.onnx").read_bytes() == WEIGHTS
    manifest = manifest_of(puller, "pets")
    assert manifest.pulled_from is not None
    assert manifest.pulled_from["pets.onnx"].pinned == "given"
    assert (manifest.trail or Trail()).source == address
    served = read_serving_config(puller.models / "config.json").models
    assert [model.name for model in served] == ["pets"]


def test_several_addresses_make_one_model(puller: CommandLine, model_host: Upstream) -> None:
    addresses = (f"{model_host.url}/net.xml", f"{model_host.url}/net.bin")
    sums = ("--sha256", sha256(GRAPH), "--sha256", sha256(WEIGHTS))
    outcome = puller.run("model", "pull", *addresses, *sums, "--id", "me/net", "--no-serve")
    assert outcome.code == 0
    assert manifest_of(puller, "me.net").files == {
        "net.bin": sha256(WEIGHTS),
        "net.xml": sha256(GRAPH),
    }
    assert not (puller.models / "config.json").exists()


def test_a_file_without_sha256_is_marked_as_pinned_on_first_pull(
    puller: CommandLine, model_host: Upstream
) -> None:
    outcome = puller.run("model", "pull", f"{model_host.url}/pets.onnx")
    assert "pets.onnx: no --sha256 was given; what came is pinned" in outcome.err
    assert manifest_of(puller, "pets").model_dump()["pulled_from"] == {
        "pets.onnx": {
            "url": f"{model_host.url}/pets.onnx",
            "sha256": sha256(WEIGHTS),
            "pinned": "first-pull",
        }
    }
    assert "on first pull: pets.onnx" in puller.run("model", "show", "pets").out


def test_the_same_again_leaves_the_volume_as_it_is(
    puller: CommandLine, model_host: Upstream
) -> None:
    address = f"{model_host.url}/pets.onnx"
    puller.run("model", "pull", address)
    for again in ((), ("--sha256", sha256(WEIGHTS))):
        outcome = puller.run("model", "pull", address, *again)
        assert "pets version 1 on the volume already" in outcome.err
    assert list(versions_of(puller.models / "pets")) == [1]


def test_two_pulls_of_one_address_at_once_bring_one_version(
    puller: CommandLine, model_host: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_look, look = threading.Barrier(2), from_addresses._present_version

    def look_together(*where: Path) -> int | None:
        found = look(*where)
        with suppress(threading.BrokenBarrierError):  # only one comes so far at a time
            both_look.wait(0.5)
        return found

    monkeypatch.setattr(from_addresses, "_present_version", look_together)
    settings = read_settings(models_dir=puller.models, cache_dir=puller.models.parent / "cache")
    pull = partial(pull_from_addresses, settings, [f"{model_host.url}/pets.onnx"], PullOptions())
    threads = [threading.Thread(target=pull, name=f"pull-{number}") for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert list(versions_of(puller.models / "pets")) == [1]


def test_other_content_than_was_pinned_is_refused_with_both_sums(
    puller: CommandLine, model_host: Upstream
) -> None:
    address = f"{model_host.url}/pets.onnx"
    puller.run("model", "pull", address)
    model_host.files["/pets.onnx"] = OTHER
    for name in ((), ("--id", "other")):
        outcome = puller.run("model", "pull", address, *name)
        assert outcome.code == 1
        assert f"sha256 {sha256(OTHER)}, pinned when pets:1 was pulled" in outcome.err
        assert sha256(WEIGHTS) in outcome.err
    assert list(versions_of(puller.models / "pets")) == [1]
    assert not (puller.models / "other").exists()


def test_the_new_content_is_taken_when_its_sha256_is_given_and_pinned_from_then_on(
    puller: CommandLine, model_host: Upstream
) -> None:
    address = f"{model_host.url}/pets.onnx"
    puller.run("model", "pull", address)
    model_host.files["/pets.onnx"] = OTHER
    assert puller.run("model", "pull", address, "--sha256", sha256(OTHER)).code == 0
    assert (puller.models / "pets" / "2" / "pets.onnx").read_bytes() == OTHER
    assert "version 2 on the volume" in puller.run("model", "pull", address).err
    model_host.files["/pets.onnx"] = WEIGHTS
    assert "pinned when pets:2" in puller.run("model", "pull", address).err


def test_a_wrong_sha256_publishes_nothing(puller: CommandLine, model_host: Upstream) -> None:
    wanted = ("--sha256", sha256(OTHER))
    outcome = puller.run("model", "pull", f"{model_host.url}/pets.onnx", *wanted)
    assert_nothing_was_published(puller, outcome)
    assert f"sha256 {sha256(WEIGHTS)}, wanted {sha256(OTHER)}" in outcome.err


def test_a_cut_file_of_one_content_is_continued(puller: CommandLine, model_host: Upstream) -> None:
    model_host.marks = {"/pets.onnx": '"v1"'}
    model_host.cut_after = [300_000, 200_000]
    assert puller.run("model", "pull", f"{model_host.url}/pets.onnx").code == 0
    assert [wanted for _, wanted in model_host.requests] == ["", "bytes=300000-", "bytes=500000-"]
    assert manifest_of(puller, "pets").files == {"pets.onnx": sha256(WEIGHTS)}


def test_a_cut_file_that_nobody_vouches_for_begins_anew(
    puller: CommandLine, model_host: Upstream
) -> None:
    model_host.cut_after = [300_000]
    assert puller.run("model", "pull", f"{model_host.url}/pets.onnx").code == 0
    assert [wanted for _, wanted in model_host.requests] == ["", ""]
    assert manifest_of(puller, "pets").files == {"pets.onnx": sha256(WEIGHTS)}


def test_an_answer_that_does_not_say_where_it_ends_needs_a_sha256(
    puller: CommandLine, model_host: Upstream
) -> None:
    model_host.says_length = False
    address = f"{model_host.url}/pets.onnx"
    outcome = puller.run("model", "pull", address)
    assert_nothing_was_published(puller, outcome)
    assert "does not say how long the file is" in outcome.err
    assert puller.run("model", "pull", address, "--sha256", sha256(WEIGHTS)).code == 0


def test_a_redirect_is_followed_and_the_address_that_was_asked_is_noted(
    puller: CommandLine, model_host: Upstream
) -> None:
    model_host.moved = {"/latest/pets.onnx": f"{model_host.url}/pets.onnx"}
    address = f"{model_host.url}/latest/pets.onnx"
    assert puller.run("model", "pull", address).code == 0
    assert (manifest_of(puller, "pets").trail or Trail()).source == address


def test_redirects_in_a_circle_end(puller: CommandLine, model_host: Upstream) -> None:
    model_host.moved = {"/pets.onnx": f"{model_host.url}/pets.onnx"}
    outcome = puller.run("model", "pull", f"{model_host.url}/pets.onnx")
    assert_nothing_was_published(puller, outcome)
    assert "redirects" in outcome.err


def test_secrets_of_an_address_are_written_nowhere(
    puller: CommandLine, model_host: Upstream, tmp_path: Path
) -> None:
    address = model_host.url.replace("//", "//ada:hunter2@") + "/pets.onnx?sig=s3cret"
    outcome = puller.run("model", "pull", address)
    missing = puller.run("model", "pull", address.replace("pets", "cows"))
    assert (outcome.code, missing.code) == (0, 1)
    assert f"{model_host.url}/cows.onnx answers 404" in missing.err
    kept = [p.read_text() for p in tmp_path.rglob("*.json")]
    for text in (*kept, outcome.err, missing.err):
        assert "hunter2" not in text
        assert "s3cret" not in text


def test_a_full_disk_is_named_and_leaves_nothing(puller: CommandLine, tmp_path: Path) -> None:
    digest = sha256(WEIGHTS)
    part = tmp_path / "cache" / "downloads" / f"{digest}.part"
    part.parent.mkdir(parents=True)
    part.symlink_to("/dev/full")
    with serving() as upstream:
        upstream.files = {"/pets.onnx": WEIGHTS}
        outcome = puller.run("model", "pull", f"{upstream.url}/pets.onnx", "--sha256", digest)
    assert_nothing_was_published(puller, outcome)
    assert f"pets.onnx: {part.parent} is full; make room" in outcome.err
    assert not part.is_symlink()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("ftp://host/pets.onnx",), "begins with http:// or https://"),
        (("http://host/pets",), "must end with the name of a file"),
        (("http://host/.onnx",), "must end with the name of a file"),
        (("http://a/net.bin", "http://b/net.bin"), "two addresses end with the same file name"),
        (("http://host/pets.onnx", "--sha256", "abc"), "must be 64 hexadecimal digits"),
        (("http://a/a.xml", "http://a/a.bin", "--sha256", "a" * 64), "1 times for 2 addresses"),
        (("http://host/pets.onnx", "yunet-n"), "names and addresses together"),
        (("yunet-n", "--sha256", "a" * 64), "go with addresses"),
        (("http://127.0.0.1:1/pets.onnx",), "cannot be reached"),
    ],
)
def test_what_cannot_be_pulled_is_said(
    puller: CommandLine, arguments: tuple[str, ...], reason: str
) -> None:
    outcome = puller.run("model", "pull", *arguments)
    assert_nothing_was_published(puller, outcome)
    assert reason in outcome.err


def test_files_that_are_no_model_are_refused(puller: CommandLine, model_host: Upstream) -> None:
    model_host.files["/readme.txt"] = b"hello"
    outcome = puller.run("model", "pull", f"{model_host.url}/readme.txt")
    assert_nothing_was_published(puller, outcome)


def test_a_manifest_of_this_machine_goes_with_it(
    puller: CommandLine, model_host: Upstream, tmp_path: Path
) -> None:
    path = tmp_path / "pets.json"
    path.write_text(json.dumps({"id": "me/pets", "labels": ["cat", "dog"]}))
    address = f"{model_host.url}/pets.onnx"
    assert puller.run("model", "pull", address, "--manifest", str(path)).code == 0
    assert manifest_of(puller, "me.pets").labels == ("cat", "dog")
    path.write_text("{")
    assert (
        f"{path}: not readable as JSON"
        in puller.run("model", "pull", address, "--manifest", str(path)).err
    )


def test_an_archive_is_unpacked(puller: CommandLine, model_host: Upstream) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("pets.onnx", WEIGHTS)
        archive.writestr("labels.txt", "cat\ndog\n")
        archive.writestr("model.json", json.dumps({"label_file": "labels.txt"}))
    model_host.files["/pets.zip"] = packed.getvalue()
    assert puller.run("model", "pull", f"{model_host.url}/pets.zip").code == 0
    manifest = manifest_of(puller, "pets")
    assert manifest.labels == ("cat", "dog")
    assert set(manifest.pulled_from or {}) == {"pets.zip"}


def test_a_real_model_is_available_after_its_pull(
    puller: CommandLine, model_host: Upstream, shared_data: Path
) -> None:
    dummy = shared_data / "models" / "ovms-test-models" / "dummy" / "1"
    model_host.files = {f"/{path.name}": path.read_bytes() for path in dummy.iterdir()}
    puller.models.mkdir()
    (puller.models / "config.json").write_text('{"model_config_list": []}')
    options = (f"--config_path={puller.models}/config.json", "--port=auto", "--rest_port=auto")
    with running("camfleet-server", *options) as service:
        found = service.logged(r"grpc=\S+:(\d+) rest=\S+:(\d+)")
        puller.set(GRPC_PORT=found.group(1), REST_PORT=found.group(2))
        addresses = [f"{model_host.url}/dummy.xml", f"{model_host.url}/dummy.bin"]
        outcome = puller.run("model", "pull", *addresses)
        assert "dummy version 1 is AVAILABLE" in outcome.err
        broken = puller.run("model", "pull", addresses[0], "--id", "broken")
        assert broken.code == 1
        assert "refused and taken back" in broken.err
    assert not (puller.models / "broken").exists()
