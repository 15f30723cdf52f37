"""What the command says of what is wrong: one line, and no traceback."""

import subprocess
import sys

import pytest

from cli_runs import CommandLine


def test_an_error_is_one_line_on_standard_error(camfleet: CommandLine) -> None:
    camfleet.make_volume()
    outcome = camfleet.run("model", "show", "nothing")
    assert outcome.code == 1
    assert outcome.out == ""
    assert outcome.err.startswith("error: model 'nothing' is neither on the volume nor")
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("CAMFLEET_LOG_LEVEL", "should be one of TRACE (as DEBUG), DEBUG, INFO, WARNING, ERROR"),
        ("CAMFLEET_PUBLIC_URL", "should be an address without a path, such as https://box.example"),
        ("JUPYTER_BASE_URL", "should be / or a path between slashes, such as /lab/"),
    ],
)
def test_a_setting_of_another_form_is_told_in_words(
    camfleet: CommandLine, variable: str, words: str
) -> None:
    camfleet.set(**{variable: "box"})
    assert camfleet.run("model", "list").err == f"error: {variable}: {words}\n"


def test_ctrl_c_while_the_command_is_loaded_is_no_traceback() -> None:
    program = (
        "import sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'camfleet.cli.application':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from camfleet.cli import main\n"
        "main()"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (answer.returncode, answer.stderr) == (130, b"")


def test_a_bad_setting_is_named(camfleet: CommandLine) -> None:
    camfleet.set(GRPC_PORT="many")
    outcome = camfleet.run("model", "list")
    assert outcome.code == 1
    assert "GRPC_PORT" in outcome.err


def test_a_broken_config_json_is_named_with_its_line(camfleet: CommandLine) -> None:
    camfleet.make_volume()
    (camfleet.models / "config.json").write_text('{\n  "model_config_list": [\n}')
    outcome = camfleet.run("model", "list")
    assert outcome.code == 1
    assert "config.json:3: not valid JSON" in outcome.err
