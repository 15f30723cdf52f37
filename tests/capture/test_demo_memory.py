"""What the demo street keeps for later is bound by bytes, however long it runs."""

from __future__ import annotations

from threading import Barrier, Thread
from typing import TYPE_CHECKING

from camfleet_capture.demo import StreetScene
from camfleet_capture.demo.byte_bound_cache import ByteBoundCache
from camfleet_capture.demo.lamps import GLOWS
from camfleet_capture.demo.sprites import DRAWINGS, SPRITES

if TYPE_CHECKING:
    import pytest


def hold(cache: ByteBoundCache[bytes], *keys: int, size_bytes: int = 10) -> None:
    for key in keys:
        cache.get(key, lambda: bytes(size_bytes))


def made(cache: ByteBoundCache[bytes], key: int) -> bool:
    """Ask for a key; tell whether it had to be made."""
    makings = []

    def make() -> bytes:
        makings.append(key)
        return bytes(10)

    cache.get(key, make)
    return bool(makings)


def test_cache_drops_what_was_not_used_for_longest() -> None:
    cache: ByteBoundCache[bytes] = ByteBoundCache(30, len)
    hold(cache, 1, 2, 3, 1, 4)
    assert cache.held_bytes == 30
    assert [made(cache, key) for key in (1, 3, 4)] == [False] * 3
    assert made(cache, 2)


def test_value_larger_than_the_cache_is_given_and_not_held() -> None:
    cache: ByteBoundCache[bytes] = ByteBoundCache(30, len)
    hold(cache, 1)
    assert len(cache.get(2, lambda: bytes(31))) == 31
    assert cache.held_bytes <= 30
    assert made(cache, 2)


def test_value_that_two_threads_make_at_once_is_counted_once() -> None:
    cache: ByteBoundCache[bytes] = ByteBoundCache(100, len)
    both_make = Barrier(2)

    def make() -> bytes:
        both_make.wait(60)
        return bytes(10)

    threads = [Thread(target=cache.get, args=(1, make)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert cache.held_bytes == 10


def test_street_holds_no_more_than_its_limits_and_draws_the_same_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    street = StreetScene(seed=7)
    before = street.frame(12.0)
    monkeypatch.setattr(SPRITES, "limit_bytes", 300_000)
    monkeypatch.setattr(DRAWINGS, "limit_bytes", 60_000)
    monkeypatch.setattr(GLOWS, "limit_bytes", 20_000)
    held = []
    for time_s in range(100, 130, 3):
        street.frame(float(time_s))
        held.append([cache.held_bytes / cache.limit_bytes for cache in (SPRITES, DRAWINGS, GLOWS)])
    assert all(0 < share <= 1 for shares in held for share in shares[:2])
    assert all(shares[2] <= 1 for shares in held)
    assert (street.frame(12.0) == before).all()
