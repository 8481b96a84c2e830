"""Who asks the balancer: a counting client, a pulse of requests across a change, and ffmpeg as player."""

import contextlib
import dataclasses
import http.client
import itertools
import re
import subprocess
import threading

from testbed import DOMAIN, SERVERS, STREAM_SECONDS, VIDEO, DemoError, environment, tool, wait_until

COUNTER, PULSE = "demo-counter", "demo-pulse"  # their user agents


@dataclasses.dataclass
class Tally:
    """What happened in the whole demo."""

    redirects: int = 0
    players: int = 0
    secure: int = 0  # of the players by HTTPS
    failures: list[str] = dataclasses.field(default_factory=list)


def balancer_target(server, by_path):
    """The request target for the server's video, in one of the two forms."""
    return f"/{server}{VIDEO}" if by_path else f"/?video=http://{server}.{DOMAIN}{VIDEO}"


class Client:
    """Asks the balancer for the video, one request after another, and follows each Location to its content."""

    def __init__(self, testbed, agent, tally):
        self.testbed, self.agent, self.tally = testbed, agent, tally
        self.connections = {}
        self.targets = []  # of each redirect, in order

    def ask(self, server, by_path):
        request = balancer_target(server, by_path)
        try:
            status, location, _ = self.get("balancer", request)
            target = self.testbed.locations(server).get(location)
            if status != 301 or target is None:
                raise DemoError(f"status {status}, Location {location}")
            self.targets.append(target)
            self.tally.redirects += 1
            self.follow(target, server)
        except (OSError, http.client.HTTPException, DemoError) as fault:
            self.connections.clear()
            self.tally.failures.append(f"{self.agent}: GET {request}: {fault!r}")

    def follow(self, target, server):
        if target == server:
            status, _, body = self.get("origin", VIDEO, Host=f"{server}.{DOMAIN}")
        else:
            status, _, body = self.get(target, f"/{server}{VIDEO}")
        if status != 200 or not body.startswith(b"#EXTM3U"):
            raise DemoError(f"{target} answers {status} and no playlist")

    def get(self, name, path, **headers):
        if name not in self.connections:
            self.connections[name] = http.client.HTTPConnection(self.testbed.address(name), timeout=5)
        connection = self.connections[name]
        connection.request("GET", path, headers={"User-Agent": self.agent} | headers)
        answer = connection.getresponse()
        return answer.status, answer.headers["Location"], answer.read()


def count_requests(testbed, requests, tally):
    """Returns the targets in order. First half s1, second half s2: if they took turns, an even N would meet only one."""
    client = Client(testbed, COUNTER, tally)
    for index in range(requests):
        client.ask(SERVERS[index * len(SERVERS) // requests], by_path=index % 2 == 1)
    return client.targets


@contextlib.contextmanager
def pulse(testbed, tally):
    """Keeps asking while the body runs."""
    client = Client(testbed, PULSE, tally)
    ended = threading.Event()

    def beat():
        while not ended.wait(0.005):
            client.ask("s1", by_path=False)

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield client
    finally:
        ended.set()
        thread.join()


class Player:
    """An ffmpeg that plays both variants of the stream at a given speed."""

    numbers = itertools.count(1)

    def __init__(self, testbed, server, by_path, speed):
        self.url = f"http://{testbed.address('balancer')}{balancer_target(server, by_path)}"
        self.progress = testbed.folder / f"player-{next(Player.numbers)}.progress"
        play = ["-v", "error", "-nostdin", "-rw_timeout", "10000000", "-readrate", str(speed), "-i", self.url]
        sink = ["-map", "0", "-c", "copy", "-progress", self.progress, "-f", "null", "-"]
        names = environment(http_proxy=f"http://{testbed.address('origin')}", no_proxy="127.0.0.1")
        self.process = testbed.launch([tool("ffmpeg"), *play, *sink], env=names, stderr=subprocess.PIPE, text=True)

    @property
    def is_playing(self):
        return self.process.poll() is None

    @property
    def seconds_played(self):
        reports = re.findall(r"^out_time_us=(\d+)$", self.progress.read_text(), re.MULTILINE) if self.progress.exists() else []
        return int(reports[-1]) / 1e6 if reports else 0

    def wait_for_picture(self):
        """Returns when the player plays, or has given up: that is told at its end."""
        wait_until(lambda: self.seconds_played > 0 or not self.is_playing, seconds=30)

    def wait_for_end(self, tally):
        """ffmpeg exits with 0 even when it had to skip a segment, so it must also have printed no error."""
        _, errors = self.process.communicate(timeout=60)
        if self.process.returncode == 0 and not errors and self.seconds_played > STREAM_SECONDS - 0.1:
            tally.players += 1
            tally.redirects += 1
        else:
            exit_code = self.process.returncode
            tally.failures.append(f"ffmpeg {self.url}: exit code {exit_code}, {self.seconds_played} s played: {errors.strip()}")


def start_players(testbed, speed):
    """Two players a server, one by each form. Returns when all of them play."""
    players = [Player(testbed, server, by_path, speed) for server in SERVERS for by_path in (False, True)]
    for player in players:
        player.wait_for_picture()
    return players
