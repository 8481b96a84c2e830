"""kill -9 at any moment of a change: what was acknowledged is there again, and nothing that nobody sent."""

import concurrent.futures
import json
import random
import threading
import time

import httpx

from balancer import SOAK, VIDEO
from client import API, MERGE_PATCH, Player

RUNS = 200 if SOAK else 20
WRITERS = 4


class Writer:
    """Edits as fast as it can until the balancer is gone. Each edit is told by a number of its own."""

    def __init__(self, number, run):
        self.number, self.run = number, run
        self.acknowledged = {}
        self.in_flight = None

    def work(self, admin, token, stop):
        count = 0
        with API(admin, token) as client:
            while not stop.is_set():
                try:
                    etag = client.etag()
                    count += 1
                    name = f"{self.run}-{self.number}-{count}"
                    self.in_flight = name
                    response = client.patch(
                        f"/api/v1/origin?comment={name}",
                        content=json.dumps({"every": self.run * 100_000 + self.number * 10_000 + count}),
                        headers={"If-Match": etag, "Content-Type": MERGE_PATCH})
                    self.in_flight = None
                    if response.status_code == 200:
                        self.acknowledged[int(response.headers["etag"].strip('"').split("-")[0])] = name
                except httpx.TransportError:
                    return


def test_what_was_acknowledged_survives_a_kill_at_any_moment(begin):
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    balancer = begin()
    acknowledged, total_in_flight = {}, 0
    for run in range(1, RUNS + 1):
        stop = threading.Event()
        writers = [Writer(number, run) for number in range(WRITERS)]
        with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
            done = [pool.submit(writer.work, balancer.admin, balancer.token, stop) for writer in writers]
            time.sleep(chance.uniform(0.02, 0.4))
            balancer.kill()
            stop.set()
            for future in done:
                future.result()
        in_flight = {writer.in_flight for writer in writers} - {None}
        for writer in writers:
            assert not acknowledged.keys() & writer.acknowledged.keys(), f"a revision was acknowledged twice (seed {seed})"
            acknowledged |= writer.acknowledged
        total_in_flight += len(in_flight)

        balancer.start()
        with API(balancer.admin, balancer.token) as api, Player(balancer.listen) as player:
            recovered = api.revision()
            newest = max(acknowledged, default=1)
            assert newest <= recovered <= newest + len(in_flight), f"run {run}: {newest} acknowledged, {recovered} recovered (seed {seed})"
            for number in range(newest + 1, recovered + 1):
                revision = api.get(f"/api/v1/revisions/{number}").json()
                assert revision["comment"] in in_flight, f"run {run}: revision {number} came from nowhere (seed {seed})"
                acknowledged[number] = revision["comment"]
            # What it runs is what it stored, and it takes changes at once.
            assert api.get(f"/api/v1/revisions/{recovered}").json()["catalog"] == api.get("/api/v1/catalog").json()
            assert player.ask(VIDEO).status_code == 301
            assert api.get("/readyz").text == "ready\n"

    with API(balancer.admin, balancer.token) as api:
        history = {revision["id"]: revision for revision in api.history()}
    assert sorted(history) == list(range(1, max(acknowledged) + 1))
    assert {number: revision["comment"] for number, revision in history.items() if number > 1} == acknowledged
    for number, revision in history.items():
        if number > 1:
            run, writer, count = map(int, revision["comment"].split("-"))
            assert revision["changes"][0]["to"] == run * 100_000 + writer * 10_000 + count
    assert len(acknowledged) > RUNS, "hardly a change was made between the kills"
    print(f"\n{RUNS} kills, {len(acknowledged)} changes acknowledged or recovered, {total_in_flight} in flight (seed {seed})")
