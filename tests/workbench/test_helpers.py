"""What notebooks import: results a person can look at, and errors in one line."""

import errno
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from av.video.frame import VideoFrame
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import camfleet_workbench
from camfleet._exports import exported_names
from camfleet.cli.errors import CommandError
from camfleet.cli.packages.verdict import Verdict
from camfleet.detections import Detections
from camfleet.inference.detector import Detected
from camfleet.inference.errors import ServerAbsent
from camfleet.inference.served_model import ServedModel, TensorSpec
from camfleet_contracts.model_manifest import ModelManifest
from camfleet_contracts.volume import versions_of
from camfleet_workbench import (
    CellError,
    LabelledPictures,
    NoPicture,
    Versions,
    edit_config,
    grab_frame,
    grab_frames,
    live,
    publish,
    read_coco,
    undo_config,
    write_coco,
)
from camfleet_workbench.comparing import Pair
from camfleet_workbench.labelled.coco import objects_of
from camfleet_workbench.labelled.scoring import score
from camfleet_workbench.plainly import plainly
from cli_runs import CommandLine
from model_volume import save_adder

LABELS = ("cat", "dog")


@pytest.fixture
def fleet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    """A volume that serves one model, and no service that runs."""
    monkeypatch.chdir(tmp_path)
    camfleet = CommandLine(tmp_path / "fleet", monkeypatch, capsys)
    camfleet.models.mkdir(parents=True)
    entries = [{"config": {"name": "pets", "base_path": "pets"}}]
    (camfleet.models / "config.json").write_text(json.dumps({"model_config_list": entries}))
    return camfleet


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def picture(grey: int = 90) -> VideoFrame:
    return VideoFrame.from_ndarray(np.full((60, 80, 3), grey, np.uint8), format="bgr24")


def boxes(*corners: tuple[float, ...], label: str = "cat") -> Detections:
    return objects_of(corners, [label] * len(corners), LABELS)


def detected(found: Detections, ms: float = 5) -> Detected:
    model = ServedModel("pets", 1, ModelManifest(), TensorSpec("x", "FP32", (1, 3, 8, 8)))
    return Detected(found, model, ms / 1000)


def test_every_name_that_is_promised_can_be_imported() -> None:
    for name in exported_names(camfleet_workbench.__file__):
        assert getattr(camfleet_workbench, name)


def test_versions_that_differ_are_shown_with_the_least_alike_picture_first() -> None:
    both, other = boxes((0, 0, 20, 20)), boxes((40, 20, 70, 50))
    alike = Pair(picture(), detected(both), detected(both, 9))
    apart = Pair(picture(), detected(both), detected(other))
    versions = Versions(("pets:1", "pets:2"), (alike, apart))
    assert versions.agreement == 0.5
    assert versions.most_different(1) == [apart]
    assert "agree on 50.0% of the objects in 2 pictures" in repr(versions)
    assert versions._repr_html_().count("<img") == 2
    assert versions.plot()._repr_png_().startswith(b"\x89PNG")
    blue, green, red = (int(value) for value in apart.drawn()[0, 5])
    assert red > green
    assert red > blue


def test_nothing_found_by_both_is_agreement() -> None:
    pair = Pair(picture(), detected(boxes()), detected(boxes()))
    assert Versions(("a", "b"), (pair,)).agreement == 1.0


def test_labels_survive_the_way_through_a_coco_file(tmp_path: Path) -> None:
    labelled = LabelledPictures(
        LABELS, (picture(20), picture(200)), (boxes((1, 2, 30, 40), label="dog"), boxes())
    )
    folder = write_coco(labelled, tmp_path / "set")
    again = read_coco(folder)
    assert (again.labels, again.counts) == (LABELS, {"dog": 1})
    assert again.objects[0].xyxy.tolist() == [[1, 2, 30, 40]]
    assert [int(one.to_ndarray(format="gray").mean()) for one in again.pictures] == [20, 200]
    assert "2 pictures: 1 dog" in again._repr_html_()
    with pytest.raises(CellError, match="is there already"):
        write_coco(labelled, folder)
    with pytest.raises(CellError, match="is not a COCO data set"):
        read_coco(tmp_path)


def test_average_precision_is_one_for_the_truth_and_falls_with_what_is_missed() -> None:
    truth = LabelledPictures(
        LABELS,
        (picture(), picture()),
        (boxes((0, 0, 40, 40)), boxes((20, 20, 60, 60), label="dog")),
    )
    perfect = score("m", list(truth.objects), truth)
    assert (perfect.map50, perfect.by_label) == (1.0, {"cat": 1.0, "dog": 1.0})
    half = score("m", [truth.objects[0], boxes()], truth)
    assert half.by_label["cat"] == 1.0
    assert half.map50 == pytest.approx(0.5, abs=0.01)
    assert half.metrics["mAP50"] == pytest.approx(0.5, abs=0.01)


def test_an_edit_of_the_config_is_shown_and_can_be_undone(
    fleet: CommandLine, shell: InteractiveShell
) -> None:
    with capture_output() as shown, edit_config() as config:
        config["pets"]["nireq"] = 2
    difference = shown.outputs[0].data["text/html"]
    assert "+" in difference
    assert "nireq" in difference
    assert '"nireq": 2' in (fleet.models / "config.json").read_text()
    assert "as it was before change 1" in undo_config()
    assert "nireq" not in (fleet.models / "config.json").read_text()


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (lambda config: config["nobody"], "no model 'nobody'; it has pets"),
        (lambda config: config["pets"].update(nireq="many"), "nireq"),
        (lambda config: config["pets"].pop("base_path"), "base_path"),
    ],
)
def test_an_edit_that_the_server_would_not_take_changes_nothing(
    fleet: CommandLine, wrong: object, reason: str
) -> None:
    before = (fleet.models / "config.json").read_text()
    assert callable(wrong)

    def edit() -> None:
        with edit_config() as config:
            wrong(config)

    with pytest.raises(CellError, match=reason):
        edit()
    assert (fleet.models / "config.json").read_text() == before


@pytest.mark.parametrize("text", ["{ nonsense", '{"model_config_list": 7}'])
def test_nonsense_that_an_editor_wrote_meanwhile_is_said_and_stays(
    fleet: CommandLine, text: str
) -> None:
    path = fleet.models / "config.json"

    def edit() -> None:
        with edit_config() as config:
            config["pets"]["nireq"] = 2
            path.write_text(text)

    with pytest.raises(CellError, match="somebody wrote it meanwhile"):
        edit()
    assert path.read_text() == text
    with pytest.raises(CellError, match="config"), edit_config():
        pass


def test_publishing_without_a_server_says_so_and_counts_as_done(
    fleet: CommandLine, tmp_path: Path, shell: InteractiveShell
) -> None:
    save_adder(tmp_path / "adder", 1)
    with capture_output() as shown:
        version = publish(tmp_path / "adder", metrics={"mAP50": 0.5}, note="first")
    assert "no model server answers" in shown.outputs[-1].data["text/html"]
    assert repr(version) == "adder:1 on the volume, no server answers"
    [noted] = json.loads(fleet.run("model", "log", "adder", "--json").out)
    assert (noted["metrics"], noted["note"]) == ({"mAP50": 0.5}, "first")


def test_what_cannot_be_published_is_one_line_in_the_cell(
    fleet: CommandLine, tmp_path: Path, shell: InteractiveShell
) -> None:
    (tmp_path / "empty").mkdir()
    with capture_output() as shown:
        code = f"import camfleet_workbench\ncamfleet_workbench.publish('{tmp_path}/empty')"
        shell.run_cell(code)  # type: ignore[no-untyped-call]  # untyped vendor
    assert "no model file in" in shown.stdout
    assert "Traceback" not in shown.stdout
    assert not (fleet.models / "empty").exists()


def probe_failed(*_: object) -> Verdict:
    return Verdict("END", "its probe crashed (signal 11)")


def disk_full(_package: object, folder: Path, *_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device", str(folder / "model.bin"))


@pytest.mark.parametrize(
    ("place", "fault", "reason"),
    [
        ("wait_for_verdict", probe_failed, "was refused and taken back: its probe crashed"),
        ("_copy", disk_full, "no space left on device; free some space"),
    ],
)
def test_a_publish_that_fails_half_way_says_so_and_leaves_nothing(
    fleet: CommandLine,
    tmp_path: Path,
    shell: InteractiveShell,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    fault: object,
    reason: str,
) -> None:
    config = fleet.models / "config.json"
    before = json.loads(config.read_text())
    save_adder(tmp_path / "adder", 1)
    monkeypatch.setattr(f"camfleet.cli.packages.publish.{place}", fault)
    code = f"import camfleet_workbench\ncamfleet_workbench.publish('{tmp_path}/adder')"
    with capture_output() as shown:
        shell.run_cell(code)  # type: ignore[no-untyped-call]  # untyped vendor
    assert reason in shown.stdout
    assert "Traceback" not in shown.stdout
    assert not versions_of(fleet.models / "adder")
    assert json.loads(config.read_text()) == before


def test_without_capture_a_file_is_taken_where_one_is_named(
    fleet: CommandLine, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = shared_data / "media" / "clips" / "highway-a-320x240.mp4"
    with pytest.raises(NoPicture, match="capture does not answer"):
        grab_frame("door")
    assert grab_frame("door", fallback=clip).width == 320
    assert "capture does not answer" in capsys.readouterr().out
    assert len(grab_frames("door", 5, fallback=clip)) == 5
    assert (
        live("door", seconds=60, fps=15, fallback=shared_data / "media/images/bird.bmp").pictures
        == 1
    )


def test_the_stop_button_ends_live_pictures_quietly(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("camfleet_workbench.display.CellOutput.jpeg", stopped)
    clip = shared_data / "media" / "clips" / "highway-a-320x240.mp4"
    assert live(clip, seconds=60).pictures == 1


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (CommandError("name another"), CellError),
        (ServerAbsent("box:9000"), CellError),
        (OSError(28, "No space left on device", "/models/x"), CellError),
        (ZeroDivisionError("a fault of ours"), ZeroDivisionError),
    ],
)
def test_only_what_users_can_mend_loses_its_traceback(
    error: Exception, kind: type[Exception]
) -> None:
    def helper() -> None:
        raise error

    with pytest.raises(kind, match=r"name another|no model server|free some space|a fault"):
        plainly(helper)()
