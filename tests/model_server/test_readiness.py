"""When a server whose models still load calls itself ready."""

from camfleet_server.reload.readiness import Readiness


class Clock:
    """Time that only tests move."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_many_models_are_waited_for_as_long_as_one_after_the_other_has_its_try() -> None:
    clock = Clock()
    readiness = Readiness(clock)
    for clock.now in range(0, 300, 10):
        readiness.look(is_busy=True)
        readiness.note_progress()
    assert not readiness.is_reached
    readiness.look(is_busy=False)
    assert readiness.is_reached


def test_a_model_that_hangs_is_not_waited_for() -> None:
    clock = Clock()
    readiness = Readiness(clock)
    readiness.look(is_busy=True)
    clock.now = 16.0
    readiness.look(is_busy=True)
    assert readiness.is_reached


def test_what_loads_later_takes_no_readiness_away() -> None:
    readiness = Readiness(Clock())
    readiness.look(is_busy=False)
    readiness.look(is_busy=True)
    assert readiness.is_reached
