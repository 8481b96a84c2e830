"""The demo's machinery on loopback: the stream, nginx as origins and as CDNs, the balancer.

The names of the origins need neither DNS nor a hosts file: nginx's origin port is the players' `http_proxy`. To a proxy a
client sends the absolute URL, and a server takes the host from that (RFC 9112, section 3.2.2).
"""

import contextlib
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import socket
import string
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
DOMAIN = "origin-cluster"
SERVERS = ["s1", "s2"]
CDNS = ["cdn-a", "cdn-b"]
TARGETS = SERVERS + CDNS
VIDEO = "/video/1488/master.m3u8"
STREAM_SECONDS = 12


class DemoError(Exception):
    """The demo cannot go on."""


class Testbed:
    """One folder, nine ports, and the processes on them, which end with `processes`, an ExitStack."""

    def __init__(self, folder, binary, processes):
        self.folder, self.binary, self.processes = folder, binary.resolve(), processes
        plain = ["origin", *CDNS, "balancer", "admin"]
        self.ports = free_ports([*plain, "page", *(f"{name} by TLS" for name in ("balancer", *CDNS))])
        self.database = f"sqlite:{folder}/balancer.db"

    def address(self, name):
        return f"127.0.0.1:{self.ports[name]}"

    def locations(self, server):
        """Every Location that may answer a request for the server's video, with its target."""
        cdns = {f"http://{self.address(cdn)}/{server}{VIDEO}": cdn for cdn in CDNS}
        return {f"http://{server}.{DOMAIN}{VIDEO}": server} | cdns

    def start(self):
        if not os.access(self.binary, os.X_OK):
            raise DemoError(f"{self.binary} is missing: swift build -c release, or give --balancer PATH")
        encoder, nginx = tool("ffmpeg"), tool("nginx")
        self.make_stream(encoder)
        self.start_nginx(nginx)
        self.start_balancer()

    def launch(self, command, **options):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=self.folder, **options)
        self.processes.callback(stop, process)
        return process

    def start_server(self, name, command, ready, **options):
        """The process, once `ready()`. When that never comes, the error shows what the server printed."""
        with self.log(name).open("wb") as output:
            process = self.launch(command, stdout=output, stderr=output, **options)
        wait_until(lambda: process.poll() is not None or ready(), seconds=15)
        if process.poll() is not None or not ready():
            raise DemoError(f"{name} does not start, exit code {process.poll()}:\n{self.last_words(name)}")
        return process

    def log(self, name):
        return self.folder / f"{name}.log"

    def last_words(self, name):
        return self.log(name).read_text(errors="replace")[-2000:]

    def make_stream(self, ffmpeg):
        """A film of two variants in segments of 2 s, on both origins."""
        film = (self.folder / "s1" / VIDEO.lstrip("/")).parent
        film.mkdir(parents=True)
        seconds = ["-t", str(STREAM_SECONDS), "-f", "lavfi", "-i"]
        sources = [*seconds, "testsrc2=size=320x180:rate=12", *seconds, "sine"]
        scale = ["-filter_complex", "split[high],scale=160:90[low]", "-map", "[high]", "-map", "1", "-map", "[low]", "-map", "1"]
        codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "24", "-sc_threshold", "0", "-c:a", "aac"]
        hls = ["-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod", "-master_pl_name", pathlib.Path(VIDEO).name]
        variants = ["-var_stream_map", "v:0,a:0,name:high v:1,a:1,name:low", "%v.m3u8"]
        subprocess.run([ffmpeg, "-v", "error", "-nostdin", *sources, *scale, *codecs, *hls, *variants], cwd=film, check=True)
        shutil.copytree(self.folder / "s1", self.folder / "s2")

    def start_nginx(self, nginx):
        common = {"origin": self.address("origin"), "domain": DOMAIN, "labels": "|".join(SERVERS)}
        common |= {"page": self.address("page"), "here": HERE, "hls": HERE.parents[1] / ".build/players/hls.js"}
        servers = [NGINX_ORIGIN.substitute(common, name=name) for name in SERVERS]
        servers += [
            NGINX_CDN.substitute(common, name=name, address=self.address(name), secure=self.address(f"{name} by TLS")) for name in CDNS]
        user = "user root;" if os.geteuid() == 0 else ""  # else workers are www-data, and the folder is private
        configuration = self.folder / "nginx.conf"
        configuration.write_text(NGINX.substitute(common, user=user, servers="".join(servers)))
        command = [nginx, "-p", self.folder, "-c", configuration, "-e", "stderr"]
        self.start_server("nginx", command, lambda: all(map(self.listens, ["origin", *CDNS])))

    def listens(self, name):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.ports[name])) == 0

    def start_balancer(self):
        addresses = ["--listen", self.address("balancer"), "--admin", self.address("admin")]
        addresses += ["--listen-tls", self.address("balancer by TLS"), "--tls-certificate", "server.pem", "--tls-key", "server.key"]
        first_catalog = environment(
            CDN_HOST=",".join(map(self.address, CDNS)),
            ORIGIN_DOMAINS=DOMAIN,
            ORIGIN_SERVERS=",".join(SERVERS),
            ORIGIN_EVERY="4",
        )
        command = [self.binary, "serve", *addresses, "--database", self.database, "--access-log", "access.log"]
        ready = lambda: self.fetch("balancer", "/readyz")[0] == 200
        self.balancer = self.start_server("balancer", command, ready, env=first_catalog)

    def fetch(self, name, path):
        """Status and text of the answer; no status when none comes."""
        connection = http.client.HTTPConnection(self.address(name), timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            return None, ""
        finally:
            connection.close()

    def live_revision(self):
        status, metrics = self.fetch("admin", "/metrics")
        gauge = re.search(r"^balancer_catalog_revision(?:\{.*\})? (\S+)$", metrics, re.MULTILINE)
        if not gauge:
            log = self.last_words("balancer")
            raise DemoError(f"/metrics answers {status} without balancer_catalog_revision; the balancer's log ends:\n{log}")
        return int(float(gauge[1]))

    def change_catalog(self, catalog, comment):
        """Imports a catalog beside the running balancer and waits until it is live there. Returns its revision."""
        revision = self.live_revision() + 1
        document = self.folder / "catalog.json"
        document.write_text(json.dumps(catalog, indent=2))
        command = [self.binary, "catalog", "import", document, "--database", self.database, "--comment", comment]
        done = subprocess.run(command, env=environment(), cwd=self.folder, capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            raise DemoError(f"catalog import ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        if not wait_until(lambda: self.live_revision() == revision, seconds=10):
            raise DemoError(f"revision {revision} is not live after 10 s; the gauge says {self.live_revision()}")
        return revision


class NginxTemplate(string.Template):
    delimiter = "@"  # `$` is nginx's own


NGINX = NginxTemplate("""\
@user
daemon off;
pid nginx.pid;
events {}
http {
  client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp; uwsgi_temp_path temp; scgi_temp_path temp;
  types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; text/html html; text/javascript js; }
  log_format arrivals '$host\\t$uri\\t$status\\t$upstream_cache_status\\t$http_via\\t$ssl_protocol\\t$http_user_agent';
  access_log off;
  ssl_certificate server.pem; ssl_certificate_key server.key;
  server { listen @origin default_server; return 421; }
  server {
    listen @page ssl;
    location = /page.html { alias @here/page.html; }
    location = /hls.js { alias @hls; }
    location / { access_log page.access arrivals; return 204; }
  }
  @servers
}
""")

NGINX_ORIGIN = NginxTemplate("""
  server {
    listen @origin; server_name @name.@domain; root @name;
    access_log @name.access arrivals;
  }""")

NGINX_CDN = NginxTemplate("""
  proxy_cache_path cache-@name keys_zone=@name:1m;
  server {
    listen @address;
    listen @secure ssl;
    access_log @name.access arrivals;
    add_header Access-Control-Allow-Origin *;
    location ~ ^/(?<server>@labels)(?<path>/.*)$ {
      proxy_pass http://@origin$path;
      proxy_set_header Host $server.@domain;
      proxy_set_header Via "1.1 @name";
      proxy_cache @name; proxy_cache_key $server$path; proxy_cache_valid 200 1h; proxy_cache_lock on;
    }
  }""")


def free_ports(names):
    """Below those that the kernel gives to clients (32768 and more), so that no connection takes one before its server listens."""
    sockets = {}
    while len(sockets) < len(names):
        with contextlib.suppress(OSError):
            port = random.randrange(20_000, 32_000)
            sockets[port] = socket.create_server(("127.0.0.1", port))
    for opened in sockets.values():
        opened.close()
    return dict(zip(names, sockets))


def tool(name, package=None):
    path = shutil.which(name, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin")
    if not path:
        raise DemoError(f"{name} is missing: apt-get install {package or name}")
    return path


def environment(**settings):
    """The caller's environment without what a balancer or a player would take as a setting."""
    foreign = re.compile(r"(BALANCER|CDN|DB|ORIGIN)_.*|.*_proxy", re.IGNORECASE)
    return {name: value for name, value in os.environ.items() if not foreign.fullmatch(name)} | settings


def stop(process):
    """Returns the exit code."""
    process.terminate()
    try:
        return process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def wait_until(condition, seconds):
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return met
