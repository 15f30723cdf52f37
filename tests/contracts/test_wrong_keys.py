import pytest

from camfleet_contracts.wrong_keys import WrongKeys


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def wrong(now: list[float]) -> WrongKeys:
    return WrongKeys(lambda: now[0])


def test_an_address_that_guesses_is_told_now_and_then(
    wrong: WrongKeys, now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        wrong.note("10.0.0.9")
    wrong.note("10.0.0.7")
    now[0] = 10.0
    wrong.note("10.0.0.9")
    assert caplog.messages == [
        "wrong key peer=10.0.0.9 times=1",
        "wrong key peer=10.0.0.7 times=1",
        "wrong key peer=10.0.0.9 times=5",
    ]


def test_any_number_of_addresses_may_guess(wrong: WrongKeys) -> None:
    for number in range(3000):
        wrong.note(f"fd00::{number:x}")
    assert len(wrong._since) <= 1024
