"""The command line of camfleet-analytics."""

import pytest

from camfleet.service.options import parse_options


def test_port_that_does_not_exist_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_options(["--port", "70000"])
    assert ended.value.code == 2
    assert "less than or equal to 65535" in capsys.readouterr().err
