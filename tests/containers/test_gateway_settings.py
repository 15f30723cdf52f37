"""What the gateway makes of its settings; tests/containers/test_gateway.py runs it."""

import subprocess
from pathlib import Path

import pytest

from container_fleet import inherited_environment


@pytest.fixture
def start(repository: Path) -> Path:
    return repository / "compose/gateway/start.sh"


def printed(start: Path, **settings: str) -> str:
    """The part of nginx's configuration that the settings make."""
    done = subprocess.run(
        ["bash", str(start), "--print"],
        env=inherited_environment() | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_networks_that_are_not_named_are_denied(start: Path) -> None:
    lines = printed(start, ALLOW_CIDR="10.0.0.0/8,fe80::/10").splitlines()

    assert "listen 0.0.0.0:80;" in lines
    rules = [line for line in lines if line.startswith(("allow", "deny"))]
    own = ["allow 127.0.0.0/8;", "allow ::1;"]
    assert rules == ["allow 10.0.0.0/8;", "allow fe80::/10;", *own, "deny all;"]


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("::", "listen 0.0.0.0:80; listen [::]:80;"),
        ("fd00::7", "listen [fd00::7]:80;"),
        ("192.168.7.2", "listen 192.168.7.2:80;"),
    ],
)
def test_it_listens_on_addresses_of_either_kind(start: Path, address: str, line: str) -> None:
    printed_lines = printed(start, BIND_ADDRESS=address, ALLOW_CIDR="fd00::/8").splitlines()

    assert [found.strip() for found in printed_lines if found.startswith("listen")] == [line]


def test_it_refuses_clear_text_for_everybody(start: Path) -> None:
    done = subprocess.run(
        ["bash", str(start), "--print"],
        env=inherited_environment() | {"ALLOW_CIDR": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "refusing to listen on 0.0.0.0" in done.stderr
    assert "ALLOW_CIDR=" in done.stderr


def test_with_a_certificate_port_80_only_sends_people_on(start: Path) -> None:
    lines = printed(start, CAMFLEET_TLS_CERT="/secrets/c.pem", CAMFLEET_TLS_KEY="/secrets/k.pem")

    assert "listen 0.0.0.0:443 ssl; ssl_certificate /secrets/c.pem;" in lines
    assert "server { listen 0.0.0.0:80;" in lines
    assert "return 308 https://$host$request_uri;" in lines
    assert "deny" not in lines


def test_on_a_balena_device_those_who_come_by_the_public_url_are_let_in(start: Path) -> None:
    lines = printed(start, ALLOW_CIDR="10.0.0.0/8", BALENA="1")

    assert "allow 52.4.252.97;" in lines
    assert "geo $remote_addr $by_public_url { default 0; 52.4.252.97 1; }" in lines


def test_elsewhere_nobody_comes_by_a_public_url(start: Path) -> None:
    lines = printed(start, ALLOW_CIDR="10.0.0.0/8")

    assert "geo $remote_addr $by_public_url { default 0;  }" in lines


def test_it_finds_services_whose_ports_were_moved(start: Path) -> None:
    lines = printed(start, ALLOW_CIDR="10.0.0.0/8", STREAMER_PORT="5080", JUPYTER_PORT="8899")

    assert "map $host $page { default http://127.0.0.1:5080; }" in lines
    assert "map $host $jupyter { default http://127.0.0.1:8899; }" in lines
