"""The gateway in its container, before a real page and a real JupyterLab."""

import json
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import NamedTuple

import pytest
from websockets.sync.client import connect

from camfleet_contracts.keys import KeyStore
from free_ports import free_ports
from processes import running
from self_signed import self_signed
from waiting import wait_until

pytestmark = pytest.mark.containers

IMAGE = "camfleet-test-gateway"
CONFINED = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--cap-add=NET_BIND_SERVICE")
ALLOWED = "127.0.0.0/8"
START_LIMIT_S = 180  # two programs start beside an engine that may still build


class Answer(NamedTuple):
    status: int
    address: str
    body: str


class Gateway:
    """The container, what stands behind it, and a browser with cookies."""

    def __init__(self, container: str, port: int, keys: KeyStore) -> None:
        self.container, self.port, self.keys = container, port, keys
        self.cookies = CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies)
        )

    def get(self, path: str, host: str = "127.0.0.1") -> Answer:
        """Follow redirects, as a browser does."""
        try:
            with self._opener.open(f"http://{host}:{self.port}{path}", timeout=20) as answer:
                return Answer(answer.status, answer.url, answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.url, error.read().decode())


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """State folder and ports of a page and a JupyterLab."""
    folder = tmp_path_factory.mktemp("behind")
    environment = {
        "CAMFLEET_STATE": str(folder / "state"),
        "MODELS_DIR": str(folder / "models"),
        "JUPYTER_BASE_URL": "/jupyter/",
        "CAMFLEET_PUBLIC_URL": "http://box.lan",
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
    }
    (folder / "models").mkdir()
    (folder / "models" / "cameras.yaml").write_text("version: 1\ncameras: []\n")
    notebooks = f"--notebooks={folder / 'notebooks'}"
    with (
        running("camfleet-analytics", "--port=0", env=environment) as page,
        running("camfleet-workbench", "--port=0", notebooks, env=environment) as jupyter,
    ):
        ports = {
            "STREAMER_PORT": page.logged(r"listening http=\S+:(\d+)", START_LIMIT_S).group(1),
            "JUPYTER_PORT": jupyter.logged(r"listening jupyter=\S+:(\d+)", START_LIMIT_S).group(1),
        }
        yield folder / "state", ports


@pytest.fixture(scope="module")
def gateway(
    repository: Path, behind: tuple[Path, dict[str, str]], engine_environment: dict[str, str]
) -> Iterator[Gateway]:
    def docker(*arguments: str) -> str:
        done = subprocess.run(
            ["docker", *arguments],
            env=engine_environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    state, ports = behind
    docker("build", "--quiet", "--tag", IMAGE, str(repository / "compose/gateway"))
    port = free_ports(("GATEWAY_PORT",))["GATEWAY_PORT"]
    settings = ports | {"GATEWAY_PORT": str(port), "ALLOW_CIDR": ALLOWED}
    chosen = [f"--env={name}={value}" for name, value in settings.items()]
    container = docker("run", "--detach", "--network=host", *CONFINED, *chosen, IMAGE)
    try:
        fleet = Gateway(container, port, KeyStore(state / "keys.json"))
        wait_until(lambda: _listens(port), 60, "the gateway listens")
        yield fleet
    finally:
        docker("rm", "--force", container)


@pytest.fixture
def tls_gateway(
    behind: tuple[Path, dict[str, str]],
    gateway: Gateway,
    tmp_path: Path,
    engine_environment: dict[str, str],
) -> Iterator[dict[str, int]]:
    """Ports of a gateway with a certificate, and with no network named."""
    files = self_signed(tmp_path)
    tmp_path.chmod(0o755)
    files.key.chmod(0o644)  # the container has another user
    ports = free_ports(("GATEWAY_PORT", "GATEWAY_TLS_PORT"))
    settings = behind[1] | {name: str(port) for name, port in ports.items()}
    settings |= {"CAMFLEET_TLS_CERT": "/tls/cert.pem", "CAMFLEET_TLS_KEY": "/tls/key.pem"}
    chosen = [f"--env={name}={value}" for name, value in settings.items()]
    mount = f"--volume={tmp_path}:/tls:ro"
    command = ["docker", "run", "--detach", "--network=host", *CONFINED, *chosen, mount, IMAGE]
    started = subprocess.run(
        command, env=engine_environment, capture_output=True, text=True, check=True
    )
    try:
        wait_until(lambda: _listens(ports["GATEWAY_TLS_PORT"]), 60, "the gateway speaks TLS")
        yield ports
    finally:
        remove = ["docker", "rm", "--force", started.stdout.strip()]
        subprocess.run(remove, env=engine_environment, capture_output=True, check=True)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_landing_page_leads_to_the_page_and_to_jupyter(gateway: Gateway) -> None:
    answer = gateway.get("/")

    assert answer.status == 200
    assert 'href="/page"' in answer.body
    assert 'href="/jupyter/lab"' in answer.body


def test_a_stranger_is_asked_for_a_key(gateway: Gateway) -> None:
    gateway.cookies.clear()

    page, status = gateway.get("/page"), gateway.get("/v1/status")
    jupyter = gateway.get("/jupyter/lab")

    assert (page.status, status.status) == (401, 401)
    assert "needs a key" in page.body
    assert "/jupyter/login" in jupyter.address


def test_a_login_link_opens_the_page(gateway: Gateway) -> None:
    gateway.cookies.clear()

    answer = gateway.get(f"/login?token={gateway.keys.new_login()}")

    assert answer.status == 200
    assert answer.address == f"http://127.0.0.1:{gateway.port}/page"
    assert gateway.get("/static/js/main.js").status == 200
    assert json.loads(gateway.get("/v1/status").body)["cameras"] == []


def test_a_login_link_opens_jupyter(gateway: Gateway) -> None:
    gateway.cookies.clear()

    answer = gateway.get(f"/jupyter/lab?token={gateway.keys.new_login()}")

    assert answer.status == 200
    assert "JupyterLab" in answer.body
    assert gateway.get("/jupyter/api/contents").status == 200


def test_events_come_through_a_websocket(gateway: Gateway) -> None:
    key = gateway.keys.add("websocket", "viewer")

    with connect(
        f"ws://127.0.0.1:{gateway.port}/v1/stream?apiKey={key}", open_timeout=60
    ) as stream:
        assert stream.ping().wait(10)


def test_with_a_certificate_people_are_sent_on_to_tls(tls_gateway: dict[str, int]) -> None:
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=unchecked)
    )

    with opener.open(f"http://127.0.0.1:{tls_gateway['GATEWAY_PORT']}/", timeout=20) as answer:
        assert answer.url == f"https://127.0.0.1:{tls_gateway['GATEWAY_TLS_PORT']}/"
        assert 'href="/page"' in answer.read().decode()


def test_metrics_stay_inside(gateway: Gateway) -> None:
    assert gateway.get("/metrics").status == 404


def test_other_networks_are_refused(gateway: Gateway) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing
        outer = probe.getsockname()[0]

    assert gateway.get("/", host=outer).status == 403


def test_a_taken_port_is_named_with_the_way_out(
    gateway: Gateway, engine_environment: dict[str, str]
) -> None:
    settings = (f"--env=GATEWAY_PORT={gateway.port}", f"--env=ALLOW_CIDR={ALLOWED}")
    done = subprocess.run(
        ["docker", "run", "--rm", "--network=host", *CONFINED, *settings, IMAGE],
        env=engine_environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert f"port {gateway.port} is taken on this box" in done.stderr
    assert "set GATEWAY_PORT" in done.stderr


def test_it_is_healthy_for_its_own_probe_and_is_not_root(
    gateway: Gateway, engine_environment: dict[str, str]
) -> None:
    asked = "bash /usr/share/gateway/probe.sh && id -u"
    done = subprocess.run(
        ["docker", "exec", gateway.container, "sh", "-c", asked],
        env=engine_environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.strip() == "10001"
