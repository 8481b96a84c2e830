"""A change is live on every worker when its answer comes, and no answer to a player is ever half of one revision and half of another."""

import concurrent.futures
import json
import pathlib
import re
import signal
import subprocess
import threading
import urllib.parse

from balancer import SOAK, VIDEO
from client import API, Player

STATUSES = (301, 302, 307, 308)
LOCATION = re.compile(r"http://cdn-(\d+)\.example\.com/s1/video/1488/xcg2djHckad\.m3u8")
CHANGES = 1000 if SOAK else 100


def test_a_weight_changed_shows_in_the_first_request_after_the_answer_on_every_worker(begin):
    balancer = begin("--workers", "8")
    with API(balancer.admin, balancer.token) as api, Player(balancer.listen, keeps=0) as player:
        catalog = api.get("/api/v1/catalog").json()
        catalog["origin"]["every"] = 0
        for turn in range(60):
            catalog["cdns"] = [
                {"name": "a", "url": "http://a.example.com", "weight": turn % 2},
                {"name": "b", "url": "http://b.example.com", "weight": 1 - turn % 2}]
            api.done("PUT", "/api/v1/catalog", catalog)
            expected = "http://a.example.com/" if turn % 2 else "http://b.example.com/"
            # Each on a connection of its own; the kernel spreads them over the workers' listeners by their source ports.
            for _ in range(64):
                assert player.ask(VIDEO).headers["location"].startswith(expected), f"change {turn} is not live everywhere"
        accepted = int(re.search(r"^balancer_connections_accepted_total (\d+)$", api.get("/metrics").text, re.MULTILINE)[1])
        assert accepted == 60 * 64, "the requests were to come on connections of their own"


def test_a_patched_weight_is_exact_from_the_first_request_after_the_answer(fresh):
    fresh.api.done("PATCH", "/api/v1/origin", {"every": 0})
    fresh.api.done("POST", "/api/v1/cdns", {"name": "b", "url": "http://b.example.com", "weight": 100})
    for weight in (1, 50, 100, 250, 400, 1000, 0, 100):
        fresh.api.done("PATCH", "/api/v1/cdns/b", {"weight": weight})
        share = weight / (100 + weight)
        went = sum("//b.example.com/" in fresh.player.ask(VIDEO).headers["location"] for _ in range(110))
        # Off by less than two in any window of the ring.
        assert abs(went - 110 * share) < 2


def numbered(number):
    """A catalog that shows its number in three places: the CDN's URL, its name, and the redirect's status."""
    return {
        "version": 1, "origin": {"domains": ["origin-cluster"], "servers": ["s[1-99]"], "every": 0},
        "cdns": [{"name": f"n-{number}", "url": f"http://cdn-{number}.example.com"}], "redirect": {"status": STATUSES[number % 4]},
    }


class Changes:
    """Writes one numbered catalog after the other; tells which were sent and which acknowledged."""

    def __init__(self, api):
        self.api, self.sent, self.acknowledged, self.etag = api, -1, -1, api.etag()

    def make(self, count):
        for _ in range(count):
            self.sent += 1
            self.etag = self.api.done("PUT", "/api/v1/catalog", numbered(self.sent), etag=self.etag).headers["etag"]
            self.acknowledged = self.sent


def sample(address, changes, stop, connections):
    """Asks until told to stop; every answer must be wholly one revision, and one that was in force between question and answer."""
    count = 0
    while not stop.is_set():
        with Player(address, keeps=0 if connections == "fresh" else 1) as player:
            for _ in range(50):
                oldest = changes.acknowledged
                response = player.ask(VIDEO, headers={"Accept": "application/json"})
                newest = changes.sent
                number = int(LOCATION.fullmatch(response.headers["location"])[1])
                assert oldest <= number <= newest, f"revision {number} answered between {oldest} acknowledged and {newest} sent"
                assert response.status_code == STATUSES[number % 4]
                assert response.json()["cdn"] == f"n-{number}" and response.json()["location"] == response.headers["location"]
                count += 1
    return count


def test_changes_under_load_cost_no_request_and_tear_no_answer(begin):
    balancer = begin()
    with API(balancer.admin, balancer.token) as api, concurrent.futures.ThreadPoolExecutor(4) as pool:
        changes, stop = Changes(api), threading.Event()
        changes.make(1)
        script = pathlib.Path(__file__).with_name("redirects.lua")
        target = f"http://{balancer.listen}/?video={urllib.parse.quote(VIDEO, safe='')}"
        wrk = subprocess.Popen(
            ["wrk", "-t2", "-c256", "-d3600s", "--timeout", "10s", "-s", script, target], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        samplers = [pool.submit(sample, balancer.listen, changes, stop, connections) for connections in ("fresh", "kept", "fresh", "kept")]
        try:
            changes.make(CHANGES)
        finally:
            stop.set()
            wrk.send_signal(signal.SIGINT)
            output, _ = wrk.communicate(timeout=60)
        sampled = sum(sampler.result() for sampler in samplers)
        result = json.loads(next(line for line in output.splitlines() if line.startswith("{")))
        assert result["wrong"] == 0, result
        assert [result[kind] for kind in ("connect", "read", "write", "timeout", "status")] == [0] * 5, result
        assert "Socket errors" not in output and "Non-2xx" not in output, output
        assert result["judged"] >= 1000 and sampled >= 100
        assert api.revision() == CHANGES + 2
        print(f"\n{CHANGES} changes, {result['judged']} answers judged by wrk, {sampled} by samplers")
