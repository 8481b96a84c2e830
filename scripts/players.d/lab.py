"""The laboratory on loopback: a stream, its origin, two CDNs that can be killed or frozen, the balancer, and an observer."""

import contextlib
import dataclasses
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "demo.d"))

from testbed import DOMAIN, DemoError, NginxTemplate, Testbed, environment, free_ports, stop, tool, wait_until

ORIGIN = "s1"
CDNS = ["127.0.1.1", "127.0.1.2"]  # their addresses are their names, so that a page can name one by the host of a URL
FILM_SECONDS, SEGMENT_SECONDS = 600, 2
BYTES_PER_SECOND = 100_000  # of a CDN on each connection: about twice the stream's bitrate, or all would be fetched at once
FORMS = {
    "master": "the master playlist, everything in it relative",
    "media": "one media playlist, everything in it relative",
    "playlists": "a master playlist that names the media playlists by links to the balancer",
    "segments": "playlists that name everything by links to the balancer",
    "steering": "a master playlist that names each variant at each CDN, and the balancer as the steering server",
    "playlist": "the master playlist, served by the balancer with a pathway for each CDN",
    "links": "the master playlist, served by the balancer with links to it",
    "mpd": "DASH: the film's MPD, served by the balancer with a base URL for each CDN",
}
DELIVERY = {"playlist": "playlist", "links": "links", "mpd": "playlist"}
TTL = {"ttl": 30, "ttlUnhealthy": 10}


def make_film(folder):
    """A VOD stream of two variants, in HLS and DASH; a scene of 20 s over and over, because encoding is what takes time."""
    if (folder / "manifest.mpd").exists():
        return folder
    made = folder.with_name(f"{folder.name}-{os.getpid()}")
    made.mkdir(parents=True)
    seconds = ["-t", "20", "-f", "lavfi", "-i"]
    sources = [*seconds, "testsrc2=size=320x180:rate=25", *seconds, "sine=sample_rate=48000"]
    video = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-g", "50", "-sc_threshold", "0"]
    encode = [tool("ffmpeg"), "-v", "error", "-nostdin", *sources, *video, "-c:a", "aac", "-b:a", "48k", "-shortest"]
    for name, rate in (("high", "350k"), ("low", "120k")):
        limits = ["-b:v", rate, "-minrate", rate, "-maxrate", rate, "-bufsize", "200k"]
        subprocess.run([*encode, *limits, made / f"{name}.mp4"], check=True)
    length = ["-t", str(FILM_SECONDS)]
    subprocess.run([*package(made), *length, "-hls_playlist_type", "vod", "%v.m3u8"], cwd=made, check=True)
    inputs = [part for name in ("high", "low") for part in ("-stream_loop", "-1", "-i", made / f"{name}.mp4")]
    dash = ["-f", "dash", "-seg_duration", str(SEGMENT_SECONDS), "-adaptation_sets", "id=0,streams=v id=1,streams=a", "manifest.mpd"]
    maps = ["-map", "0:v", "-map", "1:v", "-map", "0:a", *length, "-c", "copy"]
    subprocess.run([tool("ffmpeg"), "-v", "error", "-nostdin", *inputs, *maps, *dash], cwd=made, check=True)
    if not (folder / "manifest.mpd").exists():
        shutil.rmtree(folder, ignore_errors=True)  # one of an older version of this script
    with contextlib.suppress(OSError):
        made.rename(folder)
    return folder


def package(scenes, *speed):
    """The beginning of a command that makes HLS of two variants."""
    inputs = [part for name in ("high", "low") for part in (*speed, "-stream_loop", "-1", "-i", scenes / f"{name}.mp4")]
    variants = ["-master_pl_name", "master.m3u8", "-var_stream_map", "v:0,a:0,name:high v:1,a:1,name:low"]
    hls = ["-map", "0", "-map", "1", "-c", "copy", "-f", "hls", "-hls_time", str(SEGMENT_SECONDS), *variants]
    return [tool("ffmpeg"), "-v", "error", "-nostdin", *inputs, *hls]


@dataclasses.dataclass
class Sample:
    """One look at everything."""

    time: float
    asked: float  # redirects and steering documents, as the balancer counts
    position: float | None  # where the player is, in seconds of the stream
    ended: bool


@dataclasses.dataclass
class Observation:
    """What a player did when its CDN died. Times are seconds from then."""

    first_cdn: str
    asked: list  # of the balancer, before and after
    asked_before: int
    other_cdn: float | None  # the first content from there
    played: float  # how far the clock of the player came
    stall: float  # the longest time in which it stood still
    goes_on: bool
    ended: float | None
    words: str


class Lab(Testbed):
    """One folder, five ports, and the processes on them, which end with `processes`, an ExitStack."""

    def __init__(self, folder, binary, processes, film, live=False, form="master", rate=BYTES_PER_SECOND):
        self.folder, self.binary, self.processes, self.film, self.live = folder, binary.resolve(), processes, film, live
        self.form, self.rate = form, rate
        self.ports = free_ports(["origin", *CDNS, "balancer", "admin"])
        self.database = f"sqlite:{folder}/balancer.db"
        self.servers = {}

    def address(self, name):
        return f"{name if name in CDNS else '127.0.0.1'}:{self.ports[name]}"

    def link(self, form="master"):
        """What the player is given."""
        plain = {name: ("plain", "master.m3u8") for name in ("master", *DELIVERY)}
        plain |= {"media": ("plain", "high.m3u8"), "steering": ("steered", "master.m3u8"), "mpd": ("plain", "manifest.mpd")}
        folder, name = plain.get(form, (form, "master.m3u8"))
        stream = "live" if self.live else "vod"
        return f"http://{self.address('balancer')}/?video=http://{ORIGIN}.{DOMAIN}/{folder}/{stream}/{name}"

    def make_stream(self, ffmpeg):
        (self.folder / "steered").mkdir()
        streams = self.folder / "streams"
        streams.mkdir()
        (streams / "vod").symlink_to(self.film.resolve())
        (streams / "live").mkdir()
        if self.live:
            window = ["-hls_list_size", "6", "-hls_flags", "delete_segments+temp_file", "%v.m3u8"]
            command = [*package(self.film.resolve(), "-re"), *window]
            self.processes.callback(stop, subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=streams / "live"))
            playlists = [streams / "live" / f"{name}.m3u8" for name in ("high", "low", "master")]
            ready = lambda: all(path.exists() for path in playlists) and playlists[0].read_text().count("#EXTINF") >= 4
            if not wait_until(ready, seconds=30):
                raise DemoError("the live stream does not start")
        for stream in ("live", "vod") if self.live else ("vod",):
            (self.folder / "steered" / stream).mkdir()
            (self.folder / "steered" / stream / "master.m3u8").write_text(self.steered(stream, streams / stream / "master.m3u8"))

    def steered(self, stream, master):
        """What a packager writes for content steering (docs/steering.md): each variant once for each pathway."""
        server = f"http://{self.address('balancer')}/steering/hls/{ORIGIN}/steered/{stream}/master.m3u8"
        lines = ["#EXTM3U", f'#EXT-X-CONTENT-STEERING:SERVER-URI="{server}",PATHWAY-ID="{CDNS[0]}"']
        variants = re.findall(r"^#EXT-X-STREAM-INF:(.*)\n(.*)$", master.read_text(), re.MULTILINE)
        for cdn in CDNS:
            for attributes, name in variants:
                lines += [f'#EXT-X-STREAM-INF:{attributes},PATHWAY-ID="{cdn}"', f"http://{self.address(cdn)}/{ORIGIN}/plain/{stream}/{name}"]
        return "\n".join([*lines, ""])

    def start_nginx(self, nginx):
        common = {name: self.address(name) for name in ("origin", "balancer")}
        common |= {"server": ORIGIN, "domain": DOMAIN, "rate": self.rate, "folder": self.folder, "here": HERE}
        common |= {"built": HERE.parents[1] / ".build/players", "user": "user root;" if os.geteuid() == 0 else ""}
        for name in ["origin", *CDNS]:
            self.make_server(nginx, name, common)

    def make_server(self, nginx, name, common):
        server = (NGINX_ORIGIN if name == "origin" else NGINX_CDN).substitute(common, address=self.address(name))
        configuration = self.folder / f"{name}.conf"
        configuration.write_text(NGINX.substitute(common, name=name, server=server))
        command = [nginx, "-p", self.folder, "-c", configuration, "-e", "stderr"]
        # A group of its own, so that one signal reaches master and worker.
        self.servers[name] = self.start_server(name, command, lambda: self.listens(name), start_new_session=True)
        self.processes.callback(self.signal, name, signal.SIGKILL)

    def listens(self, name):
        host, port = self.address(name).split(":")
        with socket.socket() as probe:
            return probe.connect_ex((host, int(port))) == 0

    def signal(self, name, number):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.servers[name].pid, number)

    def start_balancer(self):
        document = self.folder / "catalog.json"
        document.write_text(json.dumps(self.catalog(), indent=2))
        imported = [self.binary, "catalog", "import", document, "--database", self.database]
        done = subprocess.run(imported, env=environment(), cwd=self.folder, capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            raise DemoError(f"catalog import ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        addresses = ["--listen", self.address("balancer"), "--admin", self.address("admin")]
        command = [self.binary, "serve", *addresses, "--database", self.database, "--lame-duck", "0", "--drain-timeout", "1"]
        ready = lambda: self.fetch("balancer", "/readyz")[0] == 200
        self.balancer = self.start_server("balancer", command, ready, env=environment())

    def catalog(self):
        delivery = {}
        if self.form in DELIVERY:
            delivery = {"delivery": DELIVERY[self.form]}
        probe = {"path": "/healthz", "interval": 1, "timeout": 1, "fall": 2, "rise": 2}
        return {
            "version": 1,
            "origin": {"domains": [DOMAIN], "servers": [ORIGIN], "every": 0},
            "cdns": [{"name": name, "url": f"http://{self.address(name)}", "probe": probe} for name in CDNS],
            "selection": {"strategy": "hash", "on": "viewer"},  # a player that asks for each segment gets the same CDN for all
            "redirect": {"status": 302},
            "failover": {"panicThreshold": 0},
            "steering": {"enabled": True} | TTL,
            **delivery,
        }

    def metric(self, name):
        """Its values by CDN."""
        _, metrics = self.fetch("admin", "/metrics")
        rows = re.findall(rf"^{name}\{{(.*)\}} (\S+)$", metrics, re.MULTILINE)
        return {cdn[1]: float(value) for labels, value in rows if (cdn := re.search(r'(?:cdn|name)="([^"]+)"', labels))}

    def arrivals(self, name):
        """What was asked of a server: time, path and status."""
        log = self.folder / f"{name}.access"
        lines = log.read_text().splitlines() if log.exists() else []
        fields = [line.split("\t") for line in lines if line.count("\t") == 2]
        return [(float(when), path, int(status)) for when, path, status in fields]

    def content(self, name):
        """When a segment came from there."""
        return [when for when, path, status in self.arrivals(name) if path.endswith((".ts", ".m4s")) and status in (200, 206)]

    def sample(self, player):
        asked = [*self.metric("balancer_redirects_total").values(), *self.metric("balancer_steering_answers_total").values()]
        return Sample(time.time(), sum(asked), player.position(), player.ended())

    def observe(self, player, fault, before=12, seconds=90, enough=30):
        """Lets the player play, does the fault to its CDN, and looks on: until it has played from the other for `enough`."""
        playing = lambda: sum(len(self.content(cdn)) for cdn in CDNS) >= 3 or player.ended()
        if not wait_until(playing, seconds=40) or player.ended():
            raise DemoError(f"{player.name} does not play:\n{player.words()}")
        # At any moment of a segment: some players go on only if none is under way.
        self.watch(player, before + random.uniform(0, SEGMENT_SECONDS))
        first = max(CDNS, key=lambda cdn: max(self.content(cdn), default=0))
        samples = [self.sample(player)]
        began = time.time()
        self.signal(first, {"kill": signal.SIGKILL, "freeze": signal.SIGSTOP}[fault])
        while time.time() < began + seconds:
            samples += self.watch(player, 0.25)
            seen = self.conclude(player, first, began, samples)
            if seen.ended is not None or seen.goes_on and time.time() - began > seen.other_cdn + enough:
                break
        return seen

    def watch(self, player, seconds):
        samples, end = [], time.time() + seconds
        while time.time() < end:
            player.pause(0.25)
            samples.append(self.sample(player))
        return samples

    def conclude(self, player, first, began, samples):
        total = [sample.asked for sample in samples]
        rises = zip(total, total[1:], samples[1:])
        asked = [round(now.time - began, 1) for old, new, now in rises for _ in range(int(new - old))]
        [other] = [cdn for cdn in CDNS if cdn != first]
        content = [when - began for when in self.content(other) if when > began]
        moves, mark = [began], samples[0].position or 0
        for sample in samples[1:]:
            if sample.position is not None and sample.position > mark + 0.05:
                moves.append(sample.time)
            mark = sample.position if sample.position is not None else mark
        last = samples[-1]
        stalls = [later - earlier for earlier, later in zip(moves, [*moves[1:], last.time])]
        return Observation(
            first_cdn=first,
            asked=asked,
            asked_before=int(total[0]),
            other_cdn=round(content[0], 1) if content else None,
            played=round((mark or 0) - (samples[0].position or 0), 1),
            stall=round(max(stalls), 1),
            goes_on=not last.ended and last.time - moves[-1] < 3 and bool(content),
            ended=round(last.time - began, 1) if last.ended else None,
            words=player.words(),
        )


NGINX = NginxTemplate("""\
@user
daemon off; worker_processes 1;
pid @name.pid;
events {}
http {
  client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp; uwsgi_temp_path temp; scgi_temp_path temp;
  types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; application/dash+xml mpd; video/mp4 m4s; text/html html; text/javascript js; }
  log_format arrivals '$msec\\t$uri\\t$status';
  access_log @name.access arrivals;
  @server
}
""")

# In the playlists every address begins a line with the name of its variant.
NGINX_ORIGIN = NginxTemplate("""
  server {
    listen @origin default_server;
    location = /player.html { alias @here/player.html; }
    location = /hls.js { alias @built/hls.js; }
    location = /video.js { alias @built/video.js; }
    add_header Cache-Control no-cache;
    sub_filter_once off; sub_filter_types application/vnd.apple.mpegurl;
    location /plain/ { alias @folder/streams/; }
    location /steered/ { alias @folder/steered/; }
    location ~ ^/playlists/(?<stream>[a-z]+)/(?<file>(?!master).*)$ { alias @folder/streams/$stream/$file; }
    location ~ ^/(?<form>playlists|segments)/(?<stream>[a-z]+)/(?<file>.*)$ {
      alias @folder/streams/$stream/$file;
      sub_filter "\\nhigh" "\\nhttp://@balancer/@server/$form/$stream/high";
      sub_filter "\\nlow" "\\nhttp://@balancer/@server/$form/$stream/low";
    }
  }""")

NGINX_CDN = NginxTemplate("""
  server {
    listen @address;
    location = /healthz { access_log off; return 200; }
    location /@server/ {
      proxy_pass http://@origin/;
      proxy_set_header Host @server.@domain;
      limit_rate @rate;
      add_header Access-Control-Allow-Origin *;
    }
  }""")
