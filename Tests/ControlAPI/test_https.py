"""HTTPS as pages, players and operators meet it: targets by the request's scheme, real players, the dashboard by TLS."""

import contextlib
import functools
import http.server
import json
import os
import re
import ssl
import subprocess
import sys
import threading

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright

from balancer import ROOT, VIDEO, patiently
from client import API
from contract import CONTROL
from conftest import CHROMIUM

sys.path[:0] = [str(ROOT / "scripts/players.d"), str(ROOT / "scripts/demo.d")]

from lab import make_film

FILM = "http://s1.origin-cluster/film/master.m3u8"


class Files(http.server.SimpleHTTPRequestHandler):
    """A CDN, or the page with the player."""

    def end_headers(self):
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,DNS:*.test,IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=folder, check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def serve(certificate):
    """Serves a folder by HTTP or HTTPS; its port."""
    with contextlib.ExitStack() as stack:
        def serve(folder, secure):
            server = stack.enter_context(
                http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=folder)))
            if secure:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*certificate)
                # In the thread of the connection: one that hangs holds up no other.
                server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
            return server.server_address[1]

        yield serve


@pytest.fixture
def secure(begin, certificate):
    """A balancer with HTTPS."""
    chain, key = certificate
    balancer = begin("--listen-tls", "127.0.0.1:0", "--tls-certificate", str(chain), "--tls-key", str(key))
    balancer.secure = balancer.logged("serving redirects by HTTPS", "listen")
    with API(balancer.admin, balancer.token) as api:
        balancer.api = api
        yield balancer


@contextlib.contextmanager
def browsing():
    """A page in a Chromium for which every name is this machine; no name of it is trustworthy by itself, as 127.0.0.1 is."""
    flags = ["--host-resolver-rules=MAP * 127.0.0.1", "--autoplay-policy=no-user-gesture-required"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags + (["--no-sandbox"] if os.geteuid() == 0 else []))
        page = browser.new_context(ignore_https_errors=True).new_page()
        page.set_default_timeout(20_000)
        yield page
        browser.close()


def put(balancer, *cdns, every=0):
    catalog = balancer.api.get("/api/v1/catalog").json()
    catalog["origin"]["every"] = every
    balancer.api.done("PUT", "/api/v1/catalog", catalog | {"cdns": list(cdns)})


def test_players_by_https_play_from_a_cdn_by_https_and_a_page_refuses_one_by_http(secure, serve, tmp_path):
    subprocess.run([ROOT / "scripts/fetch-hls"], check=True)
    cdn, site = tmp_path / "cdn", tmp_path / "site"
    (cdn / "s1").mkdir(parents=True)
    (cdn / "s1/film").symlink_to(make_film(tmp_path / "film"))
    site.mkdir()
    (site / "hls.js").symlink_to(ROOT / ".build/players/hls.js")
    (site / "player.html").symlink_to(ROOT / "scripts/players.d/player.html")
    plain, tls, page_port = serve(cdn, False), serve(cdn, True), serve(site, True)
    put(secure, {"name": "cdn-a", "url": f"http://127.0.0.1:{plain}", "httpsUrl": f"https://127.0.0.1:{tls}"})
    link = f"https://{secure.secure}/?video={FILM}"

    curl = subprocess.run(
        ["curl", "--silent", "--insecure", "--location", "--write-out", "\n%{url_effective}", link], capture_output=True, text=True)
    assert curl.stdout.startswith("#EXTM3U") and curl.stdout.endswith(f"\nhttps://127.0.0.1:{tls}/s1/film/master.m3u8"), curl
    ffmpeg = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", link, "-t", "4", "-f", "null", "-"], capture_output=True, text=True)
    assert ffmpeg.returncode == 0 and ffmpeg.stderr == "", ffmpeg

    port = secure.secure.rsplit(":", 1)[1]
    with browsing() as page:
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"https://page.test:{page_port}/player.html?with=hls.js&link=https://balancer.test:{port}/?video={FILM}")
        played = patiently(lambda: page.evaluate("video.currentTime") > 3, seconds=40, pause=0.5)
        assert played, page.evaluate("window.errors")
        assert any(url.startswith(f"https://127.0.0.1:{tls}/s1/film/") for url in asked)
        assert not any(url.startswith("http://") for url in asked), asked

        # The same by HTTP alone: what the warnings say comes true.
        put(secure, {"name": "cdn-a", "url": f"http://cdn.test:{plain}"})
        status = secure.api.get("/api/v1/status").json()
        assert status["mixedContent"] == ["cdn-a"]
        told = secure.api.post("/api/v1/explain", json={"video": FILM, "https": True}).json()
        assert [step["text"] for step in told["steps"] if step["about"] == "mixed"] == [
            "a page by HTTPS refuses cdn-a: the catalog has them by http alone"]
        said = []
        page.on("console", lambda message: said.append(message.text))
        assert page.evaluate(f"fetch('https://balancer.test:{port}/?video={FILM}').then(() => 'read', () => 'refused')") == "refused"
        assert any("Mixed Content" in text for text in said), said


def test_the_dashboard_by_https_warns_of_mixed_content_and_its_cookie_is_for_https(begin, certificate):
    chain, key = certificate
    balancer = begin(
        "--listen-tls", "127.0.0.1:0", "--tls-certificate", "self-signed", "--admin-tls-certificate", str(chain), "--admin-tls-key", str(key))
    with httpx.Client(base_url=f"https://{balancer.admin}", verify=False, headers={"Authorization": f"Bearer {balancer.token}"}) as api:
        status = api.get("/api/v1/status")
        CONTROL.check("GET", "/api/v1/status", status)
        certificates = status.json()["certificates"]
        assert [(each["port"], each["state"], each["trouble"]) for each in certificates] == [
            ("players", "good", None), ("admin", "good", None)]
        assert certificates[1]["names"] == ["localhost", "*.test", "127.0.0.1"] and certificates[1]["daysLeft"] in (29, 30)
    with browsing() as page:
        page.goto(f"https://{balancer.admin}/")
        page.get_by_label("Token").fill(balancer.token)
        page.get_by_role("button", name="Log in").click()
        expect(page.locator("#alarms")).to_contain_text("Pages by HTTPS refuse redirects to cdn.example.com, origin", timeout=20_000)
        assert [(each["secure"], each["httpOnly"]) for each in page.context.cookies()] == [(True, True)]
        page.get_by_label("Video").fill(VIDEO)
        page.get_by_label("By HTTPS").check()
        page.get_by_role("button", name="Explain").click()
        expect(page.locator("#answer")).to_contain_text("a page by HTTPS refuses cdn.example.com, origin")
        page.get_by_role("button", name="Edit").click()
        page.get_by_label("HTTPS address").fill("https://cdn.example.com")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#alarms")).to_contain_text("Pages by HTTPS refuse redirects to origin:", timeout=20_000)
    exported = json.loads(balancer.command("catalog", "export"))
    assert [cdn["httpsUrl"] for cdn in exported["cdns"]] == ["https://cdn.example.com"]


def test_an_address_by_https_is_added_and_taken_away(secure):
    name = secure.api.get("/api/v1/catalog").json()["cdns"][0]["name"]
    secure.api.done("PATCH", f"/api/v1/cdns/{name}", {"httpsUrl": "https://b.example.com/x"})
    link = f"https://{secure.secure}/?video={VIDEO}"

    def hosts():
        return {httpx.get(link, verify=False).headers["location"].split("/")[2] for _ in range(4)}

    assert "b.example.com" in hosts()
    secure.api.done("PATCH", f"/api/v1/cdns/{name}", {"httpsUrl": None})
    assert "b.example.com" not in hosts()


def test_regression_every_step_that_explain_tells_is_one_of_the_contract(secure):
    catalog = secure.api.get("/api/v1/catalog").json()
    secure.api.done("PUT", "/api/v1/catalog", catalog | {"redirect": {"passParameters": ["CMCD"]}})
    # The client holds the answer against the contract.
    told = secure.api.post("/api/v1/explain", json={"video": VIDEO, "https": True}).json()
    assert {"pass", "mixed"} <= {step["about"] for step in told["steps"]}
    assert re.search("CMCD", json.dumps(told))
