"""Health checks as load balancers and container platforms make them: real HAProxy, real nginx, kubelet's requests, the image's own.

Forms of HAProxy are those of its configuration manual (`option httpchk`, `http-check`, `check-send-proxy`), those of Kubernetes the
probes of deploy/kubernetes, and the image's is the HEALTHCHECK of deploy/Dockerfile.
"""

import contextlib
import csv
import io
import json
import re
import shutil
import socket
import subprocess

import pytest
import yaml

from balancer import BINARY, ROOT, VIDEO, free_port, patiently

TARGET = "/?video=" + VIDEO
# What a backend asks, by name.
CHECKS = {
    "connect": "",
    "options": "option httpchk",
    "options-ready": "option httpchk /readyz",
    "options-server": "option httpchk OPTIONS * HTTP/1.1\n    http-check send hdr Host www",
    "get-ready": "option httpchk GET /readyz",
    "head-live": "option httpchk HEAD /livez",
    "host-name": "option httpchk GET /readyz HTTP/1.1\n    http-check send hdr Host balancer.example.com",
    "host-upstream": "option httpchk\n    http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host players hdr User-Agent HAProxy"
                     "\n    http-check expect status 200",
    "expect-text": "option httpchk GET /readyz HTTP/1.1\n    http-check send hdr Host localhost\n    http-check expect rstring ^(ok|ready)",
}
# Must be found to be down, or these tests could not fail.
WRONG = {
    "wrong-path": "option httpchk GET /healthy",
    "wrong-text": "option httpchk GET /readyz HTTP/1.1\n    http-check send hdr Host localhost\n    http-check expect string UP",
}
MODES = {
    "plain": [],
    "proxy": ["--proxy-protocol", "on"],
    "proxy-trusted": ["--proxy-protocol", "on", "--trusted-proxies", "127.0.0.0/8"],
    "proxy-strangers": ["--proxy-protocol", "on", "--trusted-proxies", "10.0.0.0/8"],
}


@contextlib.contextmanager
def running(command, folder):
    """A server that is ended by its process; what it says is in `folder`."""
    assert shutil.which(command[0]), f"{command[0]} is missing: scripts/setup test"
    with (folder / f"{command[0]}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield process
    finally:
        # Asked to end, not killed: nginx's master takes its worker along.
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class HAProxy:
    """One server a backend, each with checks of its own, ten a second."""

    def __init__(self, folder, backends, frontend=None):
        self.folder = folder
        self.control = folder / "control"
        sections = [
            "global\n    stats socket unix@control mode 600",
            "defaults\n    mode http\n    timeout connect 2s\n    timeout client 5s\n    timeout server 5s\n    timeout check 2s",
        ]
        if frontend:
            port, backend = frontend
            sections.append(f"frontend players\n    bind 127.0.0.1:{port}\n    default_backend {backend}")
        for name, (check, server) in backends.items():
            sections.append(f"backend {name}\n    {check}\n    server balancer {server} inter 100ms rise 1 fall 1")
        (folder / "haproxy.cfg").write_text("\n".join(sections) + "\n")

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.enter_context(running(["haproxy", "-db", "-f", "haproxy.cfg"], self.folder))
            assert patiently(self.control.exists), (self.folder / "haproxy.log").read_text()
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def servers(self):
        """Of each backend the last check's outcome: L4OK, L7OK and the like, and the server's status, UP or DOWN."""
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(self.control))
            control.sendall(b"show stat\n")
            text = b"".join(iter(lambda: control.recv(65536), b"")).decode()
        rows = csv.DictReader(io.StringIO(text.removeprefix("# ")))
        # "* L7OK" while the next check is under way.
        return {row["pxname"]: (row["check_status"].removeprefix("* "), row["status"])
                for row in rows if row["svname"] == "balancer"}

    def settle(self, expected):
        """Waits until each server's status begins as expected; those that do not, with their last check."""
        def differing():
            servers = self.servers()
            return {name: servers[name] for name in expected
                    # A server is up until its first check; "INI" is none.
                    if servers[name][0] in ("", "INI") or not servers[name][1].startswith(expected[name])}

        patiently(lambda: not differing(), seconds=15, pause=0.1)
        return differing()


@pytest.mark.parametrize("mode", MODES)
def test_every_check_of_haproxy_finds_both_ports_healthy(begin, tmp_path, mode):
    balancer = begin(*MODES[mode], "--lame-duck", "60")
    admin_port = balancer.admin.split(":")[1]
    backends = {}
    for name, check in (CHECKS | WRONG).items():
        backends[f"admin-{name}"] = (check, f"{balancer.admin} check")
        if mode == "plain":
            backends[f"players-{name}"] = (check, f"{balancer.listen} check")
        else:
            # Checks of an address with `send-proxy` send the header too.
            backends[f"players-{name}-v1"] = (check, f"{balancer.listen} send-proxy check")
            backends[f"players-{name}-v2"] = (check, f"{balancer.listen} send-proxy-v2 check check-send-proxy")
            # Traffic by the one port, checks by the other.
            backends[f"aside-{name}"] = (check, f"{balancer.listen} send-proxy-v2 check port {admin_port}")
    refused = "DOWN" if mode == "proxy-strangers" else "UP"
    expected = {}
    for name in backends:
        asks_admin = name.startswith(("admin", "aside"))
        expected[name] = "DOWN" if "wrong" in name else "UP" if asks_admin or name.endswith(("connect", "connect-v1")) else refused
    if mode == "proxy-strangers":
        # A check that only connects sees no more than that the port is open.
        expected |= {name: "UP" for name in backends if "-connect-" in name}
    elif mode != "plain":
        # Whoever forgets the header is told so by the check.
        backends["bare"] = ("option httpchk GET /readyz", f"{balancer.listen} check")
        expected["bare"] = "DOWN"
    with HAProxy(tmp_path, backends) as haproxy:
        assert haproxy.settle(expected) == {}
        if mode == "plain":
            balancer.begin_stopping()
            # Readiness goes, life stays, and so does what asks for neither: the fields that a page may send, on the players' port.
            asks = {name: "DOWN" if "ready" in name or "host" in name or "text" in name or "path" in name else "UP" for name in expected}
            asks |= {"admin-options": "DOWN", "admin-options-server": "DOWN"}
            assert haproxy.settle(asks) == {}
    balancer.kill()


@pytest.mark.parametrize("send", ["", "send-proxy", "send-proxy-v2"])
def test_players_are_served_through_haproxy_and_it_stays_healthy(begin, tmp_path, send):
    balancer = begin(*(["--proxy-protocol", "on"] if send else []))
    port = free_port()
    backends = {"players": (CHECKS["get-ready"], f"{balancer.listen} {send} check")}
    with HAProxy(tmp_path, backends, frontend=(port, "players")) as haproxy:
        assert haproxy.settle({"players": "UP"}) == {}
        for _ in range(20):
            assert ask(port, TARGET).startswith("HTTP/1.1 301 ")
        assert haproxy.settle({"players": "UP"}) == {}


# MARK: nginx

NGINX = """
daemon off;
error_log stderr;
pid nginx.pid;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    upstream players {
        server 127.0.0.1:%(closed)s max_fails=1 fail_timeout=60s;
        server %(upstream)s max_fails=1 fail_timeout=60s;
    }
    server {
        listen 127.0.0.1:%(port)s;
        location / { proxy_pass http://players; }
    }
    server {
        listen 127.0.0.1:%(buffered)s;
        proxy_buffer_size 16k;
        proxy_buffers 8 16k;
        location / { proxy_pass http://players; }
    }
}
"""


@contextlib.contextmanager
def nginx(folder, upstream):
    """nginx as its manual begins, HTTP/1.0 with the upstream's name as `Host`, and once more with larger buffers."""
    ports = {"port": free_port(), "buffered": free_port(), "closed": free_port(), "upstream": upstream}
    (folder / "nginx.conf").write_text(NGINX % ports)
    with running(["nginx", "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"], folder) as process:
        def listens():
            assert process.poll() is None, (folder / "nginx.log").read_text()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", ports["port"])):
                return True

        assert patiently(listens)
        yield ports


def ask(port, target, **fields):
    """The head of the answer to a GET."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        lines = [f"GET {target} HTTP/1.1", "Host: balancer.example.com", "Connection: close", *(f"{k}: {v}" for k, v in fields.items())]
        client.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        return b"".join(iter(lambda: client.recv(65536), b"")).partition(b"\r\n\r\n")[0].decode()


def test_nginx_passive_checks_keep_the_balancer(begin, tmp_path):
    balancer = begin()
    with nginx(tmp_path, balancer.listen) as ports:
        for _ in range(20):
            assert ask(ports["port"], TARGET).startswith("HTTP/1.1 301 ")
            # Refusals are no failure of the upstream, or one player with a bad link took it away from all others.
            assert ask(ports["port"], "/?video=http://elsewhere/x").startswith("HTTP/1.1 403 ")
            assert ask(ports["port"], "/readyz").startswith("HTTP/1.1 200 ")
        assert balancer.stop() is None
        assert ask(ports["port"], TARGET).startswith("HTTP/1.1 502 ")


def test_an_answer_that_nginx_has_no_buffer_for_needs_the_documented_lines(begin, tmp_path):
    balancer = begin()
    long = TARGET + "?" + "x" * 6000
    with nginx(tmp_path, balancer.listen) as ports:
        answer = ask(ports["buffered"], long)
        assert answer.startswith("HTTP/1.1 301 ") and "x" * 6000 in answer
        assert ask(ports["port"], TARGET).startswith("HTTP/1.1 301 ")
        assert ask(ports["port"], long).startswith("HTTP/1.1 502 ")
        assert "upstream sent too big header" in (tmp_path / "nginx.log").read_text()
        # It counts as the upstream's failure: one player's long link takes the balancer away from all others.
        assert ask(ports["port"], TARGET).startswith("HTTP/1.1 502 ")
    # The page that operators copy from has these very lines.
    page = (ROOT / "docs/install.md").read_text()
    for line in ("proxy_buffer_size 16k;", "proxy_buffers 8 16k;"):
        assert line in NGINX and line in page


# `health_check` of nginx's commercial edition asks in HTTP/1.0 with the upstream's name.
@pytest.mark.parametrize("path", ["/readyz", "/livez"])
def test_a_check_in_http_1_0_with_an_upstream_s_name_is_answered_on_both_ports(balancer, path):
    for address in (balancer.listen, balancer.admin):
        assert status(address, f"GET {path} HTTP/1.0\r\nHost: players_upstream\r\nConnection: close\r\n\r\n") == 200


# MARK: Kubernetes and Docker

def status(address, request):
    """The status of an answer; 0 when the connection ends without."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.sendall(request.encode())
        with contextlib.suppress(ConnectionError):
            head = client.recv(65536)
            return int(head.split()[1]) if head else 0
    return 0


def kubelet(path, address):
    """What kubelet sends (pkg/probe/http): the pod's address, and the port, are the host."""
    port = address.split(":")[1]
    return (f"GET {path} HTTP/1.1\r\nHost: 10.244.1.17:{port}\r\nUser-Agent: kube-probe/1.31\r\nAccept: */*\r\n"
            "Connection: close\r\n\r\n")


def manifest():
    [deployment] = yaml.safe_load_all((ROOT / "deploy/kubernetes/deployment.yaml").read_text())
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    return container


@pytest.mark.parametrize("mode", MODES)
def test_the_probes_of_the_manifest_are_answered_as_kubelet_asks(begin, mode):
    balancer = begin(*MODES[mode], "--lame-duck", "60")
    addresses = {"players": balancer.listen, "admin": balancer.admin}
    probes = {name: probe["httpGet"] for name, probe in manifest().items() if name.endswith("Probe")}
    assert set(probes) == {"startupProbe", "livenessProbe", "readinessProbe"}

    def answers():
        return {name: status(addresses[probe["port"]], kubelet(probe["path"], addresses[probe["port"]])) for name, probe in probes.items()}

    assert set(answers().values()) == {200}
    # The players' port is for those who send the header, where it is asked for.
    assert status(balancer.listen, kubelet("/readyz", balancer.listen)) == (200 if mode == "plain" else 0)
    balancer.begin_stopping()
    assert patiently(lambda: answers() == {"startupProbe": 200, "livenessProbe": 200, "readinessProbe": 503}), answers()
    balancer.kill()


@pytest.mark.parametrize("mode", MODES)
def test_the_image_s_own_check_says_healthy_in_every_mode_on_any_ports(begin, mode):
    """Also an exec probe. It knows the settings by the environment alone, the admin port's included."""
    [check] = re.findall(r"^HEALTHCHECK .* CMD (\[.*\])$", (ROOT / "deploy/Dockerfile").read_text(), re.M)
    words = json.loads(check)
    assert words[0] == "video-balancer"
    balancer = begin(*MODES[mode], "--lame-duck", "60")
    names = {"--proxy-protocol": "BALANCER_PROXY_PROTOCOL", "--trusted-proxies": "BALANCER_TRUSTED_PROXIES"}
    flags = MODES[mode]
    environment = balancer.environment | {names[flag]: value for flag, value in zip(flags[::2], flags[1::2])}
    environment |= {"BALANCER_LISTEN": balancer.listen, "BALANCER_ADMIN": balancer.admin}

    def code(**others):
        return subprocess.run([BINARY, *words[1:]], cwd=balancer.folder, env=environment | others, capture_output=True, timeout=10).returncode

    assert code() == 0
    closed = f"127.0.0.1:{free_port()}"
    assert code(BALANCER_LISTEN=closed, BALANCER_ADMIN=closed) == 1
    balancer.begin_stopping()
    assert patiently(lambda: code() == 1)
    balancer.kill()
