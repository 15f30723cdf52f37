"""One reader and its members: who gets what, when they come and go, and who pays."""

import threading
from dataclasses import dataclass
from typing import Any, cast

import av
import pytest

from camfleet.service.reading.account import Account
from camfleet.service.reading.member import Member
from camfleet.service.reading.shared_reader import SharedReader
from camfleet.video.connection import Connection, ReaderCounts, ReaderState
from camfleet.video.frames import Frame
from camfleet.video.packets import Packet
from fakes_analytics import frame
from waiting import wait_until

ADDRESS = "rtsp://127.0.0.1:1/door"


class RecordingSink:
    """Notes what a live picture would be given."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def push_stream(self, stream: av.VideoStream) -> None:
        self.told.append(f"stream {stream}")

    def push_packet(self, packet: Packet) -> None:
        self.told.append("packet")

    def push_end(self) -> None:
        self.told.append("end")


@dataclass
class CodedFrame:
    """What of a packet is looked at on its way to the members."""

    stream: str = "h264"


def packet() -> Packet:
    return cast("Packet", CodedFrame())


def member(name: str = "door") -> Member:
    return Member(name, lambda: ADDRESS, RecordingSink())


def told(one: Member) -> list[str]:
    return cast("RecordingSink", one._sink).told


def shared_by(*members: Member) -> SharedReader:
    """A reader whose connection the test plays."""
    shared = SharedReader(ADDRESS, members[0], lambda _: ADDRESS, None)
    for one in members:
        shared.admit(one)
    return shared


def taken(one: Member) -> Frame:
    frame = one.slot.take(0)
    assert frame is not None
    return frame


def test_all_members_get_one_and_the_same_picture() -> None:
    first, second = member(), member("yard")
    shared_by(first, second).put(frame(7))
    assert taken(first) is taken(second)


def test_each_member_keeps_its_own_newest_frame_at_its_own_rate() -> None:
    quick, slow = member(), member("yard")
    slow.slot.wants = lambda offered: offered.number % 2 == 0
    shared = shared_by(quick, slow)
    for number in range(4):
        shared.put(frame(number))
    assert (taken(quick).number, quick.slot.replaced, quick.slot.skipped) == (3, 3, 0)
    assert (taken(slow).number, slow.slot.replaced, slow.slot.skipped) == (2, 1, 2)


def test_who_comes_while_the_connection_is_there_is_told_of_its_stream_first() -> None:
    first, second = member(), member("yard")
    shared = shared_by(first)
    shared.push_stream(cast("Any", "h264"))
    shared.push_packet(packet())
    shared.admit(second)
    shared.push_packet(packet())
    shared.push_end()
    assert told(first) == ["stream h264", "packet", "packet", "end"]
    assert told(second) == ["stream h264", "packet", "end"]


def test_who_leaves_gets_an_end_and_nothing_more_and_the_other_one_notices_nothing() -> None:
    leaving, staying = member(), member("yard")
    shared = shared_by(leaving, staying)
    shared.push_packet(packet())
    members = shared.members  # as the reader's thread has them, in the middle of a frame
    shared.dismiss(leaving)
    leaving.close()
    for one in members:
        one.push_packet(packet(), shared.reader.rest)
        one.put(frame(1))
    assert told(leaving) == ["stream h264", "packet", "end"]
    assert leaving.slot.take(0) is None
    assert told(staying) == ["stream h264", "packet", "packet"]
    assert taken(staying).number == 1


def test_leaving_waits_for_a_frame_that_is_just_being_given() -> None:
    leaving, is_given, may_go_on = member(), threading.Event(), threading.Event()

    def choose(_: Frame) -> bool:
        is_given.set()
        return may_go_on.wait(60)

    leaving.slot.wants = choose
    giving = threading.Thread(target=shared_by(leaving).put, args=(frame(1),))
    closing = threading.Thread(target=leaving.close)
    giving.start()
    assert is_given.wait(60)
    closing.start()
    assert closing.is_alive()
    may_go_on.set()
    wait_until(lambda: not closing.is_alive() and not giving.is_alive(), 60, "both have ended")
    assert taken(leaving).number == 1


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [((None, None), None), ((4.0, None), None), ((None, 2.0), None), ((4.0, 2.0), 2.0)],
    ids=["nobody rests", "the first", "the second", "both"],
)
def test_the_reader_rests_only_where_all_may_and_as_the_strictest_says(
    allowed: tuple[float | None, float | None], expected: float | None
) -> None:
    first, second = member(), member("yard")
    first.rest.wake_within_s, second.rest.wake_within_s = allowed
    shared = shared_by(first, second)
    shared.push_packet(packet())
    assert shared.reader.rest.wake_within_s == expected


def test_all_are_told_how_the_reader_rests() -> None:
    one = member()
    shared = shared_by(one)
    shared.reader.rest.is_resting, shared.reader.rest.key_interval_s = True, 1.5
    shared.push_packet(packet())
    assert (one.rest.is_resting, one.rest.key_interval_s) == (True, 1.5)
    shared.push_end()
    assert not one.rest.is_resting


def spent(decoded: int, decode_s: float) -> ReaderCounts:
    return ReaderCounts(decoded=decoded, decode_s=decode_s, thread_s=2 * decode_s, connections=1)


def test_frames_are_everybodys_and_their_time_is_split_among_who_was_there() -> None:
    first, second = member(), member("yard")
    shared = shared_by(first)
    shared.reader.counts = spent(10, 1.0)
    shared.reader.connection = Connection(ReaderState.LIVE)
    shared.admit(second)
    shared.reader.counts = spent(30, 3.0)
    shared.dismiss(first)
    shared.reader.counts = spent(40, 4.0)
    one, other = (each.account.read(shared.reader.counts) for each in (first, second))
    assert (one.decoded, one.decode_s, one.thread_s) == (30, 2.0, 4.0)
    assert (other.decoded, other.decode_s, other.thread_s) == (30, 2.0, 4.0)
    assert one.connections == other.connections == 1


def test_who_joins_before_the_first_picture_has_a_part_in_that_connection() -> None:
    first, second, third = member(), member("yard"), member("gate")
    shared = shared_by(first)
    shared.reader.counts = ReaderCounts(connections=1)
    shared.admit(second)
    shared.reader.ended = 1
    shared.admit(third)
    parts = [each.account.read(shared.reader.counts).connections for each in (first, second, third)]
    assert parts == [1, 1, 0]


def test_what_is_split_adds_up_to_what_was_spent() -> None:
    accounts = [Account() for _ in range(3)]
    for number, account in enumerate(accounts, 1):
        counts = ReaderCounts(decode_s=float(number))
        account.open(counts, is_connected=False)
        for each in accounts[:number]:
            each.split(counts, number)
    total = ReaderCounts(decode_s=10.0)
    assert sum(one.read(total).decode_s for one in accounts) == pytest.approx(10.0 - 1.0)


def test_who_moves_to_another_reader_goes_on_with_its_totals_and_with_new_connections() -> None:
    moving = member()
    before, after = shared_by(moving), shared_by(member("yard"))
    before.reader.counts = spent(10, 1.0)
    before.put(frame(1, connection=3))
    before.dismiss(moving)
    after.reader.counts = spent(500, 50.0)
    after.admit(moving)
    after.reader.counts = spent(502, 52.0)
    after.put(frame(501, connection=1))
    totals = moving.account.read(after.reader.counts)
    assert (totals.decoded, totals.decode_s) == (12, 2.0)
    assert taken(moving).connection == 4


def test_a_film_is_nobody_elses_and_who_leaves_does_not_wait_for_its_next_frame() -> None:
    film = Member("film", lambda: ADDRESS, RecordingSink(), "every")
    shared = shared_by(film)

    def give_three() -> None:
        for number in range(3):
            shared.put(frame(number))

    giving = threading.Thread(target=give_three)
    giving.start()
    wait_until(lambda: film.slot._frame, 60, "the first frame")
    film.close()
    giving.join(60)
    assert not giving.is_alive()
    assert film.key() is None
    assert member().key() == member("yard").key()
