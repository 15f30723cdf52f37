"""The command line of camfleet-analytics."""

import pytest

from camfleet.service.options import parse_options


def test_port_that_does_not_exist_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_options(["--port", "70000"])
    assert ended.value.code == 2
    assert "less than or equal to 65535" in capsys.readouterr().err


def test_local_names_no_server_that_analytics_could_ask(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMFLEET_SERVER", "local")
    with pytest.raises(SystemExit, match="2"):
        parse_options([])
    assert "CAMFLEET_SERVER: local is a model server of a script's own" in capsys.readouterr().err
    assert parse_options(["--server", "box:9000"]).settings.server == "box:9000"
