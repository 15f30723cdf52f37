import re
from pathlib import Path

import pytest

from camfleet.cli.fleet.banner import banner
from camfleet_contracts.settings import read_settings


@pytest.mark.parametrize("is_on_path", [True, False], ids=["on PATH", "not on PATH"])
def test_who_has_no_camfleet_on_path_is_told_where_it_is(
    is_on_path: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "camfleet").write_text("#!/bin/sh")
    (tmp_path / "camfleet").chmod(0o755 if is_on_path else 0o644)
    monkeypatch.setenv("PATH", str(tmp_path))
    text = banner(read_settings(state_dir=tmp_path / "state"), workbench=False).plain
    assert ("bin/activate` puts it on PATH" in text) is not is_on_path


def test_links_to_page_and_jupyter_log_in(tmp_path: Path) -> None:
    settings = read_settings(state_dir=tmp_path / "state")
    text = banner(settings, workbench=True).plain
    assert re.search(r"^Page +http://127.0.0.1:5000/login\?token=", text, re.MULTILINE)
    assert re.search(r"^Jupyter +http://127.0.0.1:8888/lab\?token=", text, re.MULTILINE)
