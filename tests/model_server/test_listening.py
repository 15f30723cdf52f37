"""On which addresses a port is, when a name stands for several."""

import socket
from typing import Any

import pytest

from camfleet_server.transports.listening import addresses_of, bind_address, is_without_ipv4
from free_ports import has_ipv6

NOT_OURS = "192.0.2.1"  # of no machine (RFC 5737)


def named(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every name stand for these."""

    def found(*_: Any, **__: Any) -> list[Any]:
        families = (socket.AF_INET6 if ":" in each else socket.AF_INET for each in addresses)
        pairs = zip(families, addresses, strict=True)
        return [(family, socket.SOCK_STREAM, 6, "", (each, 0)) for family, each in pairs]

    monkeypatch.setattr(socket, "getaddrinfo", found)


@pytest.mark.parametrize("host", ["127.0.0.1", "::", "0.0.0.0", "a-name-of-nobody.invalid"])
def test_an_address_stands_for_itself_and_so_does_a_name_of_nobody(host: str) -> None:
    assert addresses_of(host) == (host,)


def test_a_name_stands_for_all_addresses_it_has_here(monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, "127.0.0.1", NOT_OURS, "127.0.0.2", "127.0.0.1")
    assert addresses_of("box") == ("127.0.0.1", "127.0.0.2")


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 address")
def test_a_name_may_stand_for_both_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, "::1", "127.0.0.1")
    assert addresses_of("box") == ("::1", "127.0.0.1")


def test_a_name_of_another_machine_is_left_to_whoever_binds_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named(monkeypatch, NOT_OURS)
    assert addresses_of("far") == ("far",)


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 address")
def test_an_ipv6_wildcard_takes_ipv4_unless_another_address_does() -> None:
    with bind_address("::", 0) as both:
        socket.create_connection(("127.0.0.1", both.getsockname()[1])).close()
    assert is_without_ipv4(["::"])
    assert not is_without_ipv4(["0.0.0.0", "::"])
    with bind_address("0.0.0.0", 0) as other:
        bind_address("::", other.getsockname()[1], takes_ipv4=False).close()
