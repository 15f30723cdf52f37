"""A docker command in front of PATH that notes what it is asked and answers as it is told."""

import json
import stat
import sys
from pathlib import Path

import pytest

_SCRIPT = """#!{python} -IS
import json, os, pathlib, sys
here = pathlib.Path({here!r})
words = sys.argv[1:]
with (here / "asked").open("a") as file:
    file.write(json.dumps({{"words": words, "host": os.environ.get("DOCKER_HOST", "")}}) + "\\n")
for begin, (code, said) in json.loads((here / "answers").read_text()).items():
    if " ".join(words).startswith(begin):
        print(said, file=sys.stderr if code else sys.stdout)
        sys.exit(code)
"""


class FakeDocker:
    """An engine that does whatever it is asked, unless it was told otherwise."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder / "docker-at-the-border"
        self._folder.mkdir()
        self._answers: dict[str, tuple[int, str]] = {}
        self.answer("version", 0, "27.0")
        program = self._folder / "docker"
        program.write_text(_SCRIPT.format(python=sys.executable, here=str(self._folder)))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{self._folder}:/usr/bin:/bin")

    def answer(self, begin: str, code: int, said: str = "") -> None:
        """What it says to words that begin like this."""
        self._answers[begin] = (code, said)
        (self._folder / "answers").write_text(json.dumps(self._answers))

    def asked(self, first: str) -> list[str]:
        """The words of every call that began with this one."""
        return [" ".join(words) for words, _ in self._calls() if words[0] == first]

    def hosts(self) -> set[str]:
        """The engines that were spoken to."""
        return {host for _, host in self._calls()}

    def _calls(self) -> list[tuple[list[str], str]]:
        log = self._folder / "asked"
        lines = log.read_text().splitlines() if log.is_file() else []
        calls = (json.loads(line) for line in lines)
        return [(call["words"], call["host"]) for call in calls]
