from camfleet.inference.errors import InferenceError, ServerAbsent
from camfleet.service.server_watch import ServerWatch
from waiting import wait_until


class ScriptedServer:
    """Tells its faults, or is away."""

    def __init__(self) -> None:
        self.answer: tuple[str, ...] | InferenceError = ()

    def ask(self) -> tuple[str, ...]:
        if isinstance(self.answer, InferenceError):
            raise self.answer
        return self.answer


def test_faults_of_the_server_are_kept_fresh() -> None:
    server = ScriptedServer()
    server.answer = ("config.json:3: not valid JSON",)
    watch = ServerWatch(server.ask)
    watch.start()
    wait_until(lambda: watch.faults == server.answer, 60, "the fault")
    watch.stop()


def test_a_server_that_is_away_has_no_faults_to_tell() -> None:
    server = ScriptedServer()
    server.answer = ("street v2: garbage",)
    watch = ServerWatch(server.ask)
    watch.look()
    server.answer = ServerAbsent("127.0.0.1:9000")
    watch.look()
    assert watch.faults == ()
