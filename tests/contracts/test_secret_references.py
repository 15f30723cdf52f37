"""Secrets come from where cameras.yaml says, and are never shown."""

import os
from pathlib import Path

import pytest

from camfleet_contracts.secret_references import (
    checked_reference,
    resolve_credentials,
    resolve_secret,
    with_login,
)


@pytest.mark.parametrize("text", [None, "${env:DOOR}", "${file:/run/secrets/door}"])
def test_a_reference_stays_as_it_is(text: str | None) -> None:
    assert checked_reference(text) == text


@pytest.mark.parametrize("text", ["me:pw", "", "${door:pw}", "x${env:pw}", "${env:}"])
def test_what_may_be_the_secret_itself_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(ValueError, match="never the secret itself") as caught:
        checked_reference(text)
    assert "pw" not in str(caught.value)


def test_a_secret_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from the file\n")
    assert resolve_secret("${env:S}", {"S": "x"}) == "x"
    assert resolve_secret(f"${{file:{tmp_path}/secret}}", {}) == "from the file"
    assert resolve_secret(None, {}) is None


def test_credentials_are_parted_at_the_first_colon() -> None:
    assert resolve_credentials("${env:CAM}", {"CAM": "user:pass:word"}) == ("user", "pass:word")
    assert resolve_credentials(None, {}) is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "is not there"),
        (b"", "is empty"),
        (b"\xff\xfesecret", "is not text"),
        (b"secret", "must hold user:password"),
    ],
)
def test_credentials_that_cannot_be_used_are_named_and_never_shown(
    content: bytes | None, reason: str, tmp_path: Path
) -> None:
    file = tmp_path / "door"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ValueError, match=rf"^credentials: .*door}} {reason}$") as caught:
        resolve_credentials(f"${{file:{file}}}", {})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["${env:DOOR}", f"${{file:{os.devnull}/door}}"])
def test_a_reference_to_nothing_is_told(name: str) -> None:
    with pytest.raises(ValueError, match="is not there"):
        resolve_secret(name, {})


def test_a_login_is_quoted_and_replaces_the_one_of_the_address() -> None:
    assert with_login("rtsp://a:b@h:1/x?y", ("me", "p@ss/1")) == "rtsp://me:p%40ss%2F1@h:1/x?y"
