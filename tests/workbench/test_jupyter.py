"""JupyterLab as a real process: who may log in, how it starts and ends."""

import asyncio
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import psutil
import pytest
from tornado.web import HTTPError

from camfleet_contracts.access import parse_networks
from camfleet_contracts.keys import KeyStore, TooManyChecks
from camfleet_workbench.identity import FleetIdentity
from processes import Service, running

_START_LIMIT_S = 300  # it makes an environment for notebooks first


class Lab:
    """A running JupyterLab and the fleet's key store."""

    def __init__(self, service: Service, address: str, folder: Path) -> None:
        self.service, self.address = service, address
        self.keys = KeyStore(folder / "state" / "keys.json")
        self.notebooks = folder / "notebooks"

    def status(self, path: str, key: str = "") -> int:
        """The status of a request, with a key as a client presents it."""
        request = urllib.request.Request(self.address + path)
        if key:
            request.add_header("Authorization", f"Bearer {key}")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                code: int = answer.status
                return code
        except urllib.error.HTTPError as error:
            error.close()
            return error.code


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("workbench")
    environment = {
        "CAMFLEET_STATE": str(folder / "state"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
    }
    options = ("--port=0", f"--notebooks={folder / 'notebooks'}", f"--seed={repository}/notebooks")
    with running("camfleet-workbench", *options, env=environment) as service:
        address = service.logged(r"listening jupyter=(\S+)", _START_LIMIT_S).group(1)
        yield Lab(service, f"http://{address}", folder)


def test_health_needs_no_key(lab: Lab) -> None:
    assert lab.status("/healthz") == 200
    assert lab.status("/readyz") == 200


def test_nothing_else_is_open_without_a_key(lab: Lab) -> None:
    assert lab.status("/api/contents") == 403


def test_an_admin_key_of_the_fleet_opens_it(lab: Lab) -> None:
    assert lab.status("/api/contents", lab.keys.add("scientist", "admin")) == 200


@pytest.mark.parametrize(("scheme", "is_secure"), [("https", True), ("http", False)])
def test_behind_a_gateway_with_tls_the_session_goes_by_tls_only(
    lab: Lab, scheme: str, is_secure: bool
) -> None:
    key = lab.keys.add(f"by-{scheme}", "admin")
    headers = {"Authorization": f"Bearer {key}", "X-Forwarded-Proto": scheme}
    asked = urllib.request.Request(f"{lab.address}/api/contents", headers=headers)
    with urllib.request.urlopen(asked, timeout=60) as answer:
        cookies = answer.headers.get_all("set-cookie")
    [session] = [one for one in cookies if one.startswith("username-")]
    assert ("secure" in session.lower()) is is_secure


def test_a_viewer_key_does_not_run_code_here(lab: Lab) -> None:
    assert lab.status("/api/contents", lab.keys.add("watcher", "viewer")) == 403
    assert lab.status("/api/contents", lab.keys.fleet_secret()) == 403


def command_of(process: psutil.Process) -> list[str]:
    """Its words; none if it has ended meanwhile."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_a_kernel_runs_on_the_volume_and_knows_whose_it_is(lab: Lab) -> None:
    headers = {"Authorization": f"Bearer {lab.keys.add('ada', 'admin')}"}
    start = urllib.request.Request(f"{lab.address}/api/kernels", b'{"name": "python3"}', headers)
    with urllib.request.urlopen(start, timeout=60) as answer:
        number = json.load(answer)["id"]
    children = psutil.Process(lab.service.process.pid).children(recursive=True)
    [kernel] = [one for one in children if "ipykernel_launcher" in command_of(one)]
    assert kernel.environ()["CAMFLEET_USER"] == "ada"
    assert kernel.cmdline()[0].startswith(str(lab.notebooks.absolute() / ".kernels"))
    place = f"{lab.address}/api/kernels/{number}"
    end = urllib.request.Request(place, None, headers, method="DELETE")
    urllib.request.urlopen(end, timeout=60).close()


def test_what_a_user_set_and_laid_out_is_kept_beside_the_notebooks(lab: Lab) -> None:
    headers = {"Authorization": f"Bearer {lab.keys.add('ida', 'admin')}"}
    theme = json.dumps({"raw": '{"theme": "JupyterLab Dark"}'}).encode()
    layout = json.dumps({"data": {}, "metadata": {"id": "default"}}).encode()
    for place, said in (
        ("settings/@jupyterlab/apputils-extension:themes", theme),
        ("workspaces/default", layout),
    ):
        address = f"{lab.address}/lab/api/{place}"
        put = urllib.request.Request(address, said, headers, method="PUT")
        urllib.request.urlopen(put, timeout=60).close()
    kept = lab.notebooks / ".jupyter"
    [settings] = (kept / "user-settings").rglob("themes.jupyterlab-settings")
    assert "JupyterLab Dark" in settings.read_text()
    assert list((kept / "workspaces").glob("default*"))


def test_a_login_link_works_once_and_leaves_a_session(lab: Lab) -> None:
    link = f"{lab.address}/lab?token={lab.keys.new_login(role='admin')}"
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    with browser.open(link, timeout=60) as page:
        assert page.status == 200
        assert b"JupyterLab" in page.read()
    with browser.open(f"{lab.address}/api/contents", timeout=60) as answer:
        names = [entry["name"] for entry in json.load(answer)["content"]]
    assert "object_detection.ipynb" in names
    stranger = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    with stranger.open(link, timeout=60) as page:
        assert "/login" in page.url


def test_a_browser_that_logged_in_ends_with_its_key(lab: Lab) -> None:
    cookies = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    with browser.open(
        f"{lab.address}/lab?token={lab.keys.add('bob', 'admin')}", timeout=60
    ) as page:
        found = re.search(r'"token": "([^"]+)"', page.read().decode())
    assert found is not None
    [xsrf] = [cookie.value for cookie in cookies if cookie.name == "_xsrf"]
    headers = {"Authorization": f"token {found.group(1)}", "X-XSRFToken": str(xsrf)}
    write = urllib.request.Request(f"{lab.address}/api/contents", b"{}", headers)
    with browser.open(write, timeout=60) as answer:
        assert answer.status == 201
    lab.keys.revoke("bob")
    lab.keys.add("bob", "viewer")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        browser.open(write, timeout=60)
    assert lab.status("/api/contents", found.group(1)) == 403


def test_the_login_form_refuses_strangers(tmp_path: Path) -> None:
    keys = KeyStore(tmp_path / "keys.json")
    plain = keys.add("scientist", "admin")
    identity = FleetIdentity(keys=keys, networks=parse_networks("192.168.0.0/16"))

    def logged_in(peer: str) -> bool:
        request = SimpleNamespace(remote_ip=peer)
        form = SimpleNamespace(request=request, get_argument=lambda name, default: plain)
        return identity.process_login_form(form) is not None

    assert logged_in("192.168.0.9")
    assert not logged_in("10.0.0.1")


def test_a_typed_key_logs_in_and_a_wrong_one_is_told(lab: Lab) -> None:
    cookies = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    browser.open(f"{lab.address}/login", timeout=60).close()
    [xsrf] = [cookie.value for cookie in cookies if cookie.name == "_xsrf"]

    def type_in(key: str) -> int:
        form = urllib.parse.urlencode({"password": key, "_xsrf": xsrf}).encode()
        with browser.open(f"{lab.address}/login", form, timeout=60) as page:
            code: int = page.status
            return code

    with pytest.raises(urllib.error.HTTPError, match="401"):
        type_in("guess")
    lab.service.logged("wrong key peer=127.0.0.1")
    assert type_in(lab.keys.add("typist", "admin")) == 200
    with browser.open(f"{lab.address}/api/contents", timeout=60) as answer:
        assert answer.status == 200


def test_more_wrong_keys_than_are_checked_at_once_are_told_to_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = FleetIdentity(keys=KeyStore(tmp_path / "keys.json"))
    monkeypatch.setattr(KeyStore, "start_check", Mock(side_effect=TooManyChecks))
    handler = SimpleNamespace(
        request=SimpleNamespace(remote_ip="127.0.0.1", headers={}),
        get_argument=lambda *_: "guess",
    )
    with pytest.raises(HTTPError, match="429"):
        asyncio.run(identity.get_user_token(handler))


def test_notebooks_are_seeded_and_no_key_is_in_the_command_line(lab: Lab) -> None:
    assert (lab.notebooks / "object_detection.ipynb").is_file()
    command = Path(f"/proc/{lab.service.process.pid}/cmdline").read_text()
    assert "token" not in command


def test_nobody_who_reads_the_log_can_log_in(lab: Lab) -> None:
    lab.service.logged("listening jupyter=")
    assert [line for line in lab.service.lines if "token" in line] == []


def test_it_ends_clean_on_the_signal(tmp_path: Path) -> None:
    environment = {"CAMFLEET_STATE": str(tmp_path), "JUPYTER_RUNTIME_DIR": str(tmp_path / "run")}
    options = ("--port=0", f"--notebooks={tmp_path / 'notebooks'}")
    with running("camfleet-workbench", *options, env=environment) as service:
        service.logged("listening jupyter=", _START_LIMIT_S)
        assert service.stop(60) == 0


def test_beyond_loopback_it_refuses_to_start_unprotected(tmp_path: Path) -> None:
    environment = {"CAMFLEET_STATE": str(tmp_path), "CAMFLEET_NOTEBOOKS": str(tmp_path / "n")}
    with running("camfleet-workbench", "--bind=0.0.0.0", "--port=0", env=environment) as service:
        service.logged("refusing to listen on 0.0.0.0", _START_LIMIT_S)
        assert service.process.wait(60) == 1
