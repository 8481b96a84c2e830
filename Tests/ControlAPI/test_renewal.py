"""Certificates that renew themselves, as docs/https.md says: certbot and lego ask a real ACME server, a volume of Kubernetes changes as kubelet
changes it. Handshakes go on meanwhile, and none fails."""

import contextlib
import grp
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading

import pytest

from balancer import BINARY, ROOT, SOAK, Balancer, free_port, patiently
from client import API

NAME = "balancer.example.com"
PAGE = (ROOT / "docs/https.md").read_text()
KIND = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes".split()


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, **options)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def self_signed(folder, chain="tls.crt", key="tls.key", name=NAME, days=30):
    run("openssl", "req", "-x509", *KIND, "-days", days, "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1",
        "-keyout", folder / key, "-out", folder / chain)


def serial(path):
    return run("openssl", "x509", "-in", path, "-noout", "-serial").strip().split("=")[1]


def shown(address, name=NAME):
    """The serial number of what a full handshake shows."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=20) as wire, context.wrap_socket(wire, server_hostname=name) as secure:
        secure.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert secure.recv(100).startswith(b"HTTP/1.1 200"), "no answer"
        der = secure.getpeercert(binary_form=True)
    text = run("openssl", "x509", "-noout", "-serial", input=ssl.DER_cert_to_PEM_cert(der))
    return text.strip().split("=")[1]


class Handshakes:
    """Full handshakes without a pause, until the end of the block; what each has shown, and what failed."""

    def __init__(self, address):
        self.address, self.seen, self.failed, self.over = address, [], [], False

    def __enter__(self):
        self.thread = threading.Thread(target=self.go, daemon=True)
        self.thread.start()
        return self

    def go(self):
        while not self.over:
            try:
                self.seen.append(shown(self.address))
            except (OSError, AssertionError) as error:
                self.failed.append(repr(error))

    def __exit__(self, *_):
        self.over = True
        self.thread.join()
        assert self.failed == [] and len(self.seen) > 2, f"{len(self.failed)} of {len(self.seen)} failed: {self.failed[:3]}"


def renewed(balancer, address, expected):
    """The new one is shown: by itself within ten seconds and a bit, so that no hook has to tell."""
    assert patiently(lambda: shown(address) == expected, seconds=25, pause=0.2), balancer.log.read_text()[-3000:]


@contextlib.contextmanager
def serving(tmp_path, certificates):
    with Balancer(tmp_path, "--listen-tls", "127.0.0.1:0", "--tls-certificate", str(certificates)) as balancer:
        yield balancer, balancer.logged("serving redirects by HTTPS", "listen")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """An ACME server that vouches for everybody; its address, and the certificate that it is trusted by."""
    if not SOAK:
        pytest.skip("half a minute each, and needs certbot, lego and pebble; SOAK=1")
    folder = tmp_path_factory.mktemp("pebble")
    self_signed(folder, "pebble.pem", "pebble.key", "localhost")
    port = free_port()
    (folder / "config.json").write_text(json.dumps({"pebble": {
        "listenAddress": f"127.0.0.1:{port}", "managementListenAddress": f"127.0.0.1:{free_port()}", "certificate": "pebble.pem",
        "privateKey": "pebble.key", "httpPort": free_port(), "tlsPort": free_port(), "ocspResponderURL": ""}}))
    environment = os.environ | {"PEBBLE_VA_ALWAYS_VALID": "1", "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["pebble", "-config", "config.json"], cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        def listens():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return True
        assert patiently(listens), (folder / "log").read_text()
        yield f"https://localhost:{port}/dir", folder / "pebble.pem"
    finally:
        process.terminate()
        process.wait()


def hook_of_the_page(target):
    """The deploy hook as docs/https.md has it, with this test's folder and group."""
    script = re.search(r"<<'END'\n(#!/bin/sh\n.*?)END\n", PAGE, re.DOTALL).group(1)
    assert "/etc/video-balancer/tls" in script and "-g video-balancer" in script
    group = grp.getgrgid(os.getegid()).gr_name
    return script.replace("/etc/video-balancer/tls", str(target)).replace("-g video-balancer", f"-g {group}")


@pytest.mark.parametrize("by_hook", [True, False], ids=["by the hook", "in live/"])
def test_certbot_renews_under_handshakes(tmp_path, authority, by_hook):
    server, trusted = authority
    home, target = tmp_path / "letsencrypt", tmp_path / "tls"
    folders = ["--config-dir", home, "--work-dir", tmp_path / "work", "--logs-dir", tmp_path / "logs"]
    environment = os.environ | {"REQUESTS_CA_BUNDLE": str(trusted)}
    lineage = home / "live" / NAME
    run("certbot", "certonly", "--standalone", "-d", NAME, *folders, "--server", server, "--http-01-port", free_port(), "--non-interactive",
        "--agree-tos", "--register-unsafely-without-email", env=environment)
    if by_hook:
        target.mkdir(mode=0o750)
        hook = home / "renewal-hooks/deploy/video-balancer"
        hook.write_text(hook_of_the_page(target))
        hook.chmod(0o755)
        run(hook, env=environment | {"RENEWED_LINEAGE": str(lineage)})
        assert {file.name for file in target.iterdir()} == {f"{NAME}.pem", f"{NAME}.key"}
        assert all(file.stat().st_mode & 0o777 == 0o640 for file in target.iterdir())
    with serving(tmp_path, target if by_hook else home / "live") as (balancer, address):
        first = serial(lineage / "cert.pem")
        assert shown(address) == first
        with Handshakes(address) as handshakes:
            for _ in range(3):
                run("certbot", "renew", "--force-renewal", "--no-random-sleep-on-renew", *folders, "--server", server, env=environment)
                renewed(balancer, address, serial(lineage / "cert.pem"))
        assert len(set(handshakes.seen)) == 4 and handshakes.seen[0] == first
        assert [line for line in balancer.lines() if line["level"] == "error" and "is not the key of" not in line.get("error", "")] == []


def test_lego_renews_under_handshakes(tmp_path, authority):
    server, trusted = authority
    path = tmp_path / "lego"
    words = ["lego", "--accept-tos", "--email", "you@example.com", "--http", "--http.port", f":{free_port()}", "--server", server, "--domains",
             NAME, "--path", path]
    environment = os.environ | {"LEGO_CA_CERTIFICATES": str(trusted)}
    run(*words, "run", env=environment)
    chain = path / f"certificates/{NAME}.crt"
    with serving(tmp_path, path / "certificates") as (balancer, address):
        with Handshakes(address) as handshakes:
            for _ in range(3):
                # Whatever is left of its life, it is too little.
                run(*words, "renew", "--days", 36500, "--no-random-sleep", env=environment)
                renewed(balancer, address, serial(chain))
        assert len(set(handshakes.seen)) == 4


class Volume:
    """A secret that is mounted: files are links into `..data`, which is a link to the newest folder and replaced as a whole."""

    def __init__(self, path):
        self.path, self.count = path, 0
        path.mkdir()

    def write(self):
        """The steps of kubelet's AtomicWriter, in its order."""
        self.count += 1
        before = self.path / "..data"
        old = self.path / os.readlink(before) if before.is_symlink() else None
        new = self.path / f"..2026_11_28_12_00_{self.count:02}.{os.getpid()}"
        new.mkdir()
        self_signed(new)
        for file in new.iterdir():
            file.chmod(0o440)
        temporary = self.path / "..data_tmp"
        temporary.symlink_to(new.name)
        temporary.rename(before)
        for name in ("tls.crt", "tls.key"):
            if not (self.path / name).is_symlink():
                (self.path / name).symlink_to(f"..data/{name}")
        if old:
            shutil.rmtree(old)


def test_a_volume_of_kubernetes_is_renewed_under_handshakes(tmp_path):
    volume = Volume(tmp_path / "volume")
    volume.write()
    with serving(tmp_path, volume.path) as (balancer, address):
        with Handshakes(address) as handshakes:
            for _ in range(20):
                volume.write()
                balancer.process.send_signal(signal.SIGHUP)
            renewed(balancer, address, serial(volume.path / "tls.crt"))
            volume.write()
            renewed(balancer, address, serial(volume.path / "tls.crt"))
        assert len(set(handshakes.seen)) >= 2
        with API(balancer.admin, balancer.token) as api:
            certificates = api.get("/api/v1/status").json()["certificates"]
            assert [certificate["trouble"] for certificate in certificates] == [None]


@pytest.mark.skipif(os.geteuid() != 0, reason="files of another user are made by root")
@pytest.mark.parametrize("mode, folder_mode, words", [
    (0o600, 0o755, "tls.key cannot be read: Permission denied: the user nobody must be able to read it and to enter its folders"),
    (0o644, 0o700, "cannot be read: Permission denied: the user nobody must be able to read it and to enter its folders"),
])
def test_what_only_root_may_read_is_one_sentence(mode, folder_mode, words):
    # pytest's own folders are for their owner alone.
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        folder, home = place / "tls", place / "home"
        for made in (folder, home):
            made.mkdir()
        self_signed(folder)
        (folder / "tls.crt").chmod(0o644)
        (folder / "tls.key").chmod(mode)
        for path, its_mode in ((place, 0o755), (folder, folder_mode), (home, 0o777)):
            path.chmod(its_mode)
        shutil.copy(BINARY, place / "video-balancer")
        done = subprocess.run(
            ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", place / "video-balancer", "serve", "--listen", "127.0.0.1:0",
             "--admin", "127.0.0.1:0", "--database", "sqlite:b.db", "--listen-tls", "127.0.0.1:0", "--tls-certificate", folder],
            cwd=home, env={"CDN_HOST": "cdn.example.com", "PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=60)
        assert done.returncode == 78 and len(done.stderr.splitlines()) == 1 and words in done.stderr, done.stderr
        assert not (home / "b.db.token").exists()
