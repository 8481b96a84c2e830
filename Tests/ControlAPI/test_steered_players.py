"""Weights that change, and a CDN that is drained, while 200 simulated and three real players (hls.js in Chromium) play by content steering.

Takes three TTLs of thirty seconds: SOAK=1 scripts/api-tests test_steered_players.py -s"""

import contextlib
import json
import os
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import pytest

from balancer import BINARY, ROOT, SOAK

sys.path[:0] = [str(ROOT / "scripts/players.d"), str(ROOT / "scripts/demo.d")]

from kinds import CHROMIUM
from lab import CDNS, ORIGIN, Lab, make_film
from testbed import environment

TTL = 30
BEGUN_LATELY = TTL * 6 / 5  # a session that has begun lately waits a fifth longer, once
STEERING = f"/steering/hls/{ORIGIN}/plain/vod/master.m3u8"


class SteeredLab(Lab):
    """Two CDNs by weights; manifests are served by the balancer, which gives each player a session."""

    shares = {CDNS[0]: {"weight": 50}, CDNS[1]: {"weight": 50}}

    def catalog(self):
        catalog = super().catalog() | {"selection": {"strategy": "weighted"}, "steering": {"enabled": True, "ttl": TTL, "ttlUnhealthy": 10}}
        for cdn in catalog["cdns"]:
            cdn |= self.shares[cdn["name"]]
        return catalog

    def change(self, shares):
        """Takes effect when the balancer has looked at its database, within a second."""
        self.shares = shares
        document = self.folder / "catalog.json"
        document.write_text(json.dumps(self.catalog()))
        command = [self.binary, "catalog", "import", document, "--database", self.database]
        subprocess.run(command, env=environment(), cwd=self.folder, check=True, capture_output=True, timeout=30)

    def ask(self, session, playing=None):
        query = {"session": session} | ({"_HLS_pathway": f'"{playing}"', "_HLS_throughput": 5000000} if playing else {})
        with urllib.request.urlopen(f"http://{self.address('balancer')}{STEERING}?{urllib.parse.urlencode(query)}", timeout=5) as answer:
            return json.load(answer)


class Simulated:
    """A player that asks when its TTL has passed, and goes at once where it is sent."""

    def __init__(self, lab, session):
        self.lab, self.session, self.cdn, self.moves, self.due = lab, session, None, [], 0

    def step(self):
        if time.time() < self.due:
            return
        answer = self.lab.ask(self.session, self.cdn)
        first = answer["PATHWAY-PRIORITY"][0]
        if self.cdn and first != self.cdn:
            self.moves.append(time.time())
        self.cdn, self.due = first, time.time() + answer["TTL"]


class Real:
    """One tab: what it loads, from where, and whether its clock ever stood still."""

    def __init__(self, lab, browser):
        self.session, self.loads, self.samples = None, [], []
        self.tab = browser.new_page()
        self.tab.on("request", lambda request: self.see(request.url))
        query = urllib.parse.urlencode({"with": "hls.js", "link": lab.link("playlist")})
        self.tab.goto(f"http://{lab.address('origin')}/player.html?{query}")

    def see(self, url):
        if "/steering/" in url and (found := re.search(r"[?&]session=(\d+)", url)):
            self.session = int(found[1])
        if url.endswith(".ts"):
            self.loads.append((time.time(), urllib.parse.urlsplit(url).hostname))

    @property
    def cdn(self):
        return self.loads[-1][1] if self.loads else None

    def sample(self):
        self.samples.append((time.time(), self.tab.evaluate("document.getElementById('video').currentTime")))

    def waits(self):
        """How often the video had to wait for data."""
        return self.tab.evaluate("window.waits")

    def stall(self, since):
        """The longest time for which the clock of the video stood still."""
        moves, mark = [since], None
        for when, position in self.samples:
            if when >= since and (mark is None or position > mark + 0.05):
                moves.append(when)
                mark = position
        return max(later - earlier for earlier, later in zip(moves, [*moves[1:], self.samples[-1][0]]))


def play(simulated, real, seconds):
    end = time.time() + seconds
    while time.time() < end:
        for player in simulated:
            player.step()
        for player in real:
            player.sample()
        real[0].tab.wait_for_timeout(250)


@pytest.mark.skipif(not SOAK, reason="takes three TTLs of thirty seconds; SOAK=1")
def test_a_change_of_weights_and_a_drain_reach_all_players_within_one_ttl_and_no_viewer_sees_it(tmp_path, tmp_path_factory):
    from playwright.sync_api import sync_playwright

    subprocess.run([ROOT / "scripts/fetch-hls"], check=True)
    with contextlib.ExitStack() as processes:
        lab = SteeredLab(tmp_path, BINARY, processes, make_film(tmp_path_factory.mktemp("stream") / "film"), form="playlist")
        lab.start()
        playwright = processes.enter_context(sync_playwright())
        flags = ["--autoplay-policy=no-user-gesture-required", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        processes.callback(browser.close)
        real = [Real(lab, browser) for _ in range(3)]
        simulated = [Simulated(lab, session) for session in range(1001, 1201)]
        play(simulated, real, 12)
        began = time.time()
        assert all(player.session and player.cdn for player in real), [(player.session, player.loads) for player in real]
        for player in real:
            player.tab.evaluate("window.waits = 0; document.getElementById('video').addEventListener('waiting', () => window.waits++)")
        assert {player.cdn: lab.ask(player.session)["PATHWAY-PRIORITY"][0] for player in real} == {player.cdn: player.cdn for player in real}

        def told(what, before):
            moved = sum(bool(player.moves) for player in simulated)
            print(f"\n{what}: {moved} of 200 simulated moved; the real ones {before} -> {[player.cdn for player in real]}, "
                  f"waited {[player.waits() for player in real]} times, clocks stood still for {max(player.stall(began) for player in real):.2f} s "
                  "at most, as seen from here", end="")
            return moved

        before = [player.cdn for player in real]
        lab.change({CDNS[0]: {"weight": 90}, CDNS[1]: {"weight": 10}})
        play(simulated, real, 2 + BEGUN_LATELY + 6)  # the segments that are loaded already play to their end
        moved = told("50:50 to 90:10", before)
        assert 0.3 * 200 <= moved <= 0.42 * 200
        assert all(player.cdn == lab.ask(player.session)["PATHWAY-PRIORITY"][0] for player in [*simulated, *real])
        assert all(len(player.moves) <= 1 for player in simulated)

        before, changed = [player.cdn for player in real], time.time()
        lab.change({CDNS[0]: {"enabled": False}, CDNS[1]: {"weight": 10}})
        play(simulated, real, 2 + BEGUN_LATELY + 6)
        told("drained", before)
        assert all(player.cdn == CDNS[1] for player in [*simulated, *real])
        late = [when for player in real for when, cdn in player.loads if cdn == CDNS[0] and when > changed + 2 + BEGUN_LATELY]
        assert not late and not [when for when in lab.content(CDNS[0]) if when > changed + 2 + BEGUN_LATELY]
        # A busy machine looks at the clocks too seldom to tell short ones; the element itself tells them all.
        assert max(player.stall(began) for player in real) < 4
        assert [player.waits() for player in real] == [0, 0, 0]
        assert not [error for player in real for error in player.tab.evaluate("window.errors") if "tall" in error]
