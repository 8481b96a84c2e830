"""A flood at the control plane costs players nothing, and the operator gets through afterwards."""

import concurrent.futures
import contextlib
import os
import resource
import threading
import time

from balancer import VIDEO, patiently
from client import API, Player, connect, exchange

IDLE = 1000
SLOW = 100


def test_a_flood_at_the_admin_port_costs_players_nothing(begin):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Both sides of the connections need descriptors; the balancer inherits the limit.
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 8192)), hard))
    balancer = begin()
    stop = threading.Event()

    def guess(number):
        statuses = {}
        with API(balancer.admin, "0" * 64, source=f"127.0.3.{number}") as guesser:
            while not stop.is_set():
                status = guesser.get("/api/v1/catalog").status_code
                statuses[status] = statuses.get(status, 0) + 1
        return statuses

    def play(keeps):
        count, slowest = 0, 0.0
        with Player(balancer.listen, keeps=keeps) as player:
            while not stop.is_set():
                begun = time.monotonic()
                assert player.ask(VIDEO).status_code == 301
                slowest = max(slowest, time.monotonic() - begun)
                count += 1
        return count, slowest

    def drip(number):
        token = balancer.token if number % 2 else "0" * 64
        head = (f"PATCH /api/v1/redirect HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nIf-Match: \"1-00000000\"\r\n"
                "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n").encode()
        received, ended = exchange(balancer.admin, [head, *[b" "] * 1000], pause=1.0, seconds=20, stop=lambda received: b"}" in received)
        return number % 2, received, ended

    with contextlib.ExitStack() as stack, concurrent.futures.ThreadPoolExecutor(SLOW + 8) as pool:
        idle = [stack.enter_context(connect(balancer.admin, source=f"127.0.4.{number % 200 + 1}")) for number in range(IDLE)]
        for stream in idle[::2]:
            stream.sendall(b"GET /api/v1/catalog HTTP/1.1\r\nHost: a\r\n")
        slow = [pool.submit(drip, number) for number in range(SLOW)]
        guessers = [pool.submit(guess, number) for number in range(1, 4)]
        players = [pool.submit(play, keeps) for keeps in (0, 1, 0, 1)]
        for future in slow:
            has_token, received, ended = future.result()
            if has_token:
                assert ended is not None and ended <= 15, f"a dripped body went on: {received[:100]!r}"
            else:
                assert received.startswith((b"HTTP/1.1 401 ", b"HTTP/1.1 429 ")), received[:100]
        # While it all goes on, the operator gets through as well.
        with API(balancer.admin, balancer.token) as api:
            assert api.get("/api/v1/status").json()["state"] == "ready"
        stop.set()
        for future in guessers:
            statuses = future.result()
            assert set(statuses) <= {401, 429} and 429 in statuses, statuses
        played = [future.result() for future in players]
        assert all(count > 100 for count, _ in played), played

    with API(balancer.admin, balancer.token) as api, Player(balancer.listen) as player:
        api.done("PATCH", "/api/v1/redirect", {"status": 302}, comment="after the flood")
        assert player.ask(VIDEO).status_code == 302
        assert api.get("/readyz").text == "ready\n"
    count, slowest = sum(count for count, _ in played), max(slowest for _, slowest in played)
    print(f"\n{count} redirects during the flood, the slowest in {slowest * 1000:.0f} ms")


def test_ended_connections_give_their_descriptors_back(begin):
    balancer = begin()
    with API(balancer.admin, balancer.token) as api:
        api.get("/livez")
        before = descriptors(balancer)
        for _ in range(5):
            with contextlib.ExitStack() as stack:
                for _ in range(200):
                    stack.enter_context(connect(balancer.admin)).sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
        if not patiently(lambda: descriptors(balancer) <= before + 5, seconds=10):
            raise AssertionError(f"{before} descriptors before, {descriptors(balancer)} after")


def descriptors(balancer):
    return len(os.listdir(f"/proc/{balancer.process.pid}/fd"))
