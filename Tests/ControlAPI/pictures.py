"""Pictures of the dashboard as it looks at work; run by scripts/dashboard-pictures."""

import http.server
import math
import os
import pathlib
import sqlite3
import sys
import tempfile
import threading
import time

from playwright.sync_api import expect, sync_playwright

from balancer import VIDEO, Balancer
from client import API, Player

FOLDER = pathlib.Path(sys.argv[1])
SECONDS = int(os.environ.get("SECONDS_OF_LOAD", 100))
SHOTS = [("light", 1280, 1160), ("dark", 1280, 1160), ("phone", 390, 1600)]


class Target(http.server.BaseHTTPRequestHandler):
    """A CDN for the probes; answers 503 while its server is broken."""

    def do_GET(self):
        self.send_response(503 if self.server.is_broken else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def serve():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Target)
    server.is_broken = False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def load(address, stopped):
    """Requests that come and go like an evening's."""
    with Player(address) as player:
        while not stopped.is_set():
            began = time.monotonic()
            for number in range(int(14 + 5 * math.sin(began / 12))):
                player.ask(VIDEO if number else "http://elsewhere/x" if began % 5 < 0.2 else VIDEO)
            stopped.wait(max(0, 0.1 - (time.monotonic() - began)))


def remember(database, node):
    """An evening of history."""
    now = int(time.time()) // 60 * 60
    rows = []
    for ago in range(120):
        # Of the present minute what is over; the load of this script is the rest.
        total = (time.time() - now) / 60 if ago == 0 else 1
        total *= 9000 + 5200 * math.cos(ago / 38) + 500 * math.sin(ago / 3)
        for target, name, share in (("origin", "", 0.05), ("cdn", "cdn-a", 0.57), ("cdn", "cdn-b", 0.285), ("cdn", "cdn-c", 0.095)):
            gone = name == "cdn-c" and 14 < ago < 23
            rows.append((60, now - 60 * ago, node, "b" * 32, target, name, "s1", 301, 0 if gone else int(total * share)))
    with sqlite3.connect(database, timeout=10) as connection:
        connection.executemany("INSERT INTO balancer_traffic VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [row for row in rows if row[-1]])


def prepare(balancer, servers):
    probe = {"path": "/healthz", "interval": 1}
    with API(balancer.admin, balancer.token) as api:
        cdns = [
            {"name": name, "url": f"http://127.0.0.1:{server.server_port}/{path}", "weight": weight, "probe": probe}
            for name, path, weight, server in zip(("cdn-a", "cdn-b", "cdn-c"), ("films", "vod", "films"), (60, 30, 10), servers)]
        catalog = api.get("/api/v1/catalog").json()
        api.done("PUT", "/api/v1/catalog", catalog | {"cdns": cdns}, comment="three CDNs for the season")
        token = api.post("/api/v1/keys", json={"name": "alice", "role": "operator"}).json()["token"]
        bob = api.post("/api/v1/keys", json={"name": "bob", "role": "operator"}).json()["token"]
    with API(balancer.admin, bob) as api:
        api.done("PATCH", "/api/v1/origin", {"every": 20}, comment="less load on the origin")
        api.done("PATCH", "/api/v1/cdns/cdn-c", {"enabled": False}, comment="errors since 02:10")
        api.done("PATCH", "/api/v1/cdns/cdn-c", {"enabled": True}, comment="they say it is mended")
    return token


def shoot(browser, address, token):
    contexts = []
    for name, width, height in SHOTS:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme="dark" if name == "dark" else "light")
        page = context.new_page()
        page.goto(f"http://{address}/")
        page.get_by_label("Token").fill(token)
        page.get_by_role("button", name="Log in").click()
        expect(page.locator("#revisions li").first).to_be_visible()
        page.get_by_label("Video").fill(VIDEO)
        page.get_by_role("button", name="Explain").click()
        contexts.append((name, page))
    yield
    for name, page in contexts:
        page.evaluate("document.activeElement.blur(), scrollTo(0, 0)")
        page.screenshot(path=FOLDER / f"dashboard-{name}.png")
        print(FOLDER / f"dashboard-{name}.png")
    page = contexts[0][1]
    page.get_by_role("button", name="Edit").click()
    page.get_by_role("group", name="cdn-b", exact=True).get_by_label("Weight").fill("many")
    page.get_by_label("Why").fill("half and half")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[aria-invalid]")).to_be_visible()
    page.screenshot(path=FOLDER / "dashboard-edit.png", clip={"x": 0, "y": 0, "width": 1280, "height": 620})


def main():
    servers = [serve() for _ in range(3)]
    stopped = threading.Event()
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        with Balancer(first, "--node-name", "edge-1", CDN_HOST="cdn.example.com") as one:
            two = Balancer(second, "--node-name", "edge-2")
            two.database = one.database
            with two, sync_playwright() as playwright:
                token = prepare(one, servers)
                remember(f"{first}/balancer.db", "e" * 32)
                browser = playwright.chromium.launch(
                    executable_path="/usr/bin/chromium", args=["--no-sandbox"] if os.geteuid() == 0 else [])
                loads = [threading.Thread(target=load, args=(balancer.listen, stopped)) for balancer in (one, two)]
                # Until the other node has taken the three CDNs over.
                time.sleep(1)
                for thread in loads:
                    thread.start()
                shots = shoot(browser, one.admin, token)
                next(shots)
                # Playwright's own events need the thread, so it sleeps in the browser's.
                time.sleep(SECONDS * 0.6)
                servers[2].is_broken = True
                time.sleep(SECONDS * 0.4)
                next(shots, None)
                browser.close()
                stopped.set()
                for thread in loads:
                    thread.join()


main()
