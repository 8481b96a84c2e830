"""What a scenario is played with: a balancer, its database, CDNs, name servers. Everything runs in the namespaces of one process of this
program (network, mounts, process ids), so that ports and addresses are the same everywhere and nothing outlives it."""
import ctypes
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import threading
import time

BINARY = os.environ["BALANCER_BINARY"]
TOKEN = "t" * 40
DATA, ADMIN = 8000, 8001
CDNS = {"cdn-a": "127.0.1.1", "cdn-b": "127.0.1.2", "cdn-c": "127.0.1.3", "cdn-d": "127.0.1.4"}
INTERVAL, FALL, TIMEOUT = 1, 2, 1
ORIGIN = "s1.origin-cluster"
FOREIGN = "first.invalid"


def run(*command, check=True, **options):
    return subprocess.run(command, check=check, capture_output=True, text=True, **options)


def wait_for(what, seconds, ask, pause=0.02):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := ask():
            return found
        time.sleep(pause)
    raise RuntimeError(f"waited {seconds} s in vain for {what}")


class Answer:
    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body

    def json(self):
        return json.loads(self.body)


def call(method, path, body=None, etag=None, timeout=10, port=ADMIN, token=TOKEN, kind="application/json", host="127.0.0.1"):
    """One call on a connection of its own. Raises OSError or HTTPException when there is no answer."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        fields = {"Authorization": f"Bearer {token}"} | ({"If-Match": etag} if etag else {}) | ({"Content-Type": kind} if body is not None else {})
        payload = body if body is None or isinstance(body, (bytes, str)) else json.dumps(body)
        connection.request(method, path, payload, fields)
        response = connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    finally:
        connection.close()


def admin_answers(port=ADMIN):
    try:
        return call("GET", "/livez", port=port, timeout=1).status == 200
    except (OSError, http.client.HTTPException):
        return False


def catalog(by_name=False):
    """Four CDNs with probes; none of them what the environment of the balancer would make at a first start."""
    probe = {"path": "/", "interval": INTERVAL, "timeout": TIMEOUT, "fall": FALL, "rise": 1}
    return {
        "version": 1,
        "cdns": [{"name": name, "url": f"http://{name + '.test' if by_name else address}", "probe": probe} for name, address in CDNS.items()],
        "origin": {"domains": ["origin-cluster"], "servers": ["s[1-99]"], "every": 20},
    }


class CDN:
    """An nginx with one process, which is killed as a machine that loses its power after the kernel: connections are refused."""

    def __init__(self, folder, name):
        self.folder, self.name = folder / name, name
        self.folder.mkdir()
        (self.folder / "nginx.conf").write_text(f"""
daemon off; master_process off; pid {self.folder}/pid; error_log {self.folder}/error.log;
events {{ worker_connections 512; }}
http {{ access_log off; client_body_temp_path {self.folder}/b; proxy_temp_path {self.folder}/p; fastcgi_temp_path {self.folder}/f;
  uwsgi_temp_path {self.folder}/u; scgi_temp_path {self.folder}/s; server {{ listen {CDNS[name]}:80; return 200 "ok"; }} }}
""")
        self.process = subprocess.Popen(["nginx", "-p", self.folder, "-c", self.folder / "nginx.conf", "-e", self.folder / "error.log"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self):
        self.process.kill()
        self.process.wait()
        return time.monotonic()


class NameServer(threading.Thread):
    """Answers A of *.test on 127.0.0.53 until it is dead; then says nothing, as one behind a broken link."""
    names = {f"{name}.test": address for name, address in CDNS.items()} | {"db.test": "127.0.0.1"}

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.dead = False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.53", 53))
        file = folder / "resolv.conf"
        file.write_text("nameserver 127.0.0.53\n")
        run("mount", "--bind", str(file), os.path.realpath("/etc/resolv.conf"))
        self.start()

    def run(self):
        while True:
            question, sender = self.socket.recvfrom(1500)
            if self.dead:
                continue
            labels, at = [], 12
            while length := question[at]:
                labels.append(question[at + 1:at + 1 + length].decode())
                at += 1 + length
            kind = struct.unpack(">H", question[at + 1:at + 3])[0]
            address = self.names.get(".".join(labels))
            answers = [b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 1, 4) + socket.inet_aton(address)] if address and kind == 1 else []
            flags = 0x8180 if address else 0x8183
            self.socket.sendto(question[:2] + struct.pack(">HHHHH", flags, 1, len(answers), 0, 0) + question[12:at + 5] + b"".join(answers), sender)


class MariaDB:
    """A server of its own on a copy of an empty one."""
    limits = ("--innodb-buffer-pool-size=24M", "--innodb-log-file-size=8M", "--performance-schema=off", "--skip-name-resolve",
              "--innodb-flush-log-at-trx-commit=1", "--max-connections=60", "--user=nobody")

    def __init__(self, folder, template, port=3306, address="127.0.0.1", name="mariadb", flags=()):
        self.folder, self.port, self.address, self.flags = folder / name, port, address, flags
        run("cp", "-a", "--sparse=always", str(template), str(self.folder))
        self.url = f"mysql://b:p@{address}:{port}/balancer"
        self.start()

    @staticmethod
    def make_template(folder):
        folder.mkdir()
        shutil.chown(folder, "nobody")
        run("mariadb-install-db", "--no-defaults", "--user=nobody", f"--datadir={folder}", "--auth-root-authentication-method=normal",
            "--skip-test-db", f"--tmpdir={folder}", "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=24M", "--skip-name-resolve")
        server = MariaDB.__new__(MariaDB)
        server.folder, server.port, server.address, server.flags = folder, 0, "127.0.0.1", ("--skip-networking",)
        server.start()
        server.statement(
            "CREATE DATABASE balancer; CREATE USER b IDENTIFIED BY 'p'; GRANT ALL ON balancer.* TO b; "
            "CREATE USER replica IDENTIFIED BY 'p'; GRANT REPLICATION SLAVE ON *.* TO replica")
        server.process.terminate()
        server.process.wait()

    def start(self):
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            ["mariadbd", "--no-defaults", f"--datadir={self.folder}", f"--socket={self.folder}/sock", f"--pid-file={self.folder}/pid",
             f"--tmpdir={self.folder}", f"--port={self.port}", f"--bind-address={self.address}", *self.limits, *self.flags],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        wait_for("mariadbd", 60, lambda: run(*self.client("SELECT 1"), check=False).returncode == 0, pause=0.1)

    def client(self, statement):
        return ("mariadb", "--no-defaults", f"--socket={self.folder}/sock", "-uroot", "--batch", "--skip-column-names", "-e", statement)

    def statement(self, statement):
        return run(*self.client(statement), timeout=20).stdout

    def comments(self):
        return set(self.statement("SELECT comment FROM balancer.balancer_revisions").split("\n"))

    def revoked(self, name):
        return f"{name}\n" not in self.statement("SELECT name FROM balancer.balancer_keys") + "\n"


class SQLite:
    def __init__(self, folder):
        self.folder = folder / "sqlite"
        self.folder.mkdir()
        self.path = self.folder / "balancer.db"
        self.url = f"sqlite:{self.path}"

    def _rows(self, statement):
        connection = sqlite3.connect(self.path, timeout=10)
        try:
            return {row[0] for row in connection.execute(statement)}
        finally:
            connection.close()

    def comments(self):
        return self._rows("SELECT comment FROM balancer_revisions")

    def revoked(self, name):
        return name not in self._rows("SELECT name FROM balancer_keys")


class Balancer:
    """`serve` as a process of its own. `options`: descriptors (ulimit -n), clock (the file that clock.c reads), pipe (standard output)."""

    def __init__(self, folder, database, flags=(), lame_duck=1, drain=2, data=DATA, admin=ADMIN, descriptors=None, clock=None, pipe=False,
                 state=None, name="balancer", level="info", environment=None):
        self.folder = folder / name
        self.folder.mkdir()
        self.lame_duck, self.drain, self.data, self.admin = lame_duck, drain, data, admin
        self.state = state or self.folder / "state"
        self.descriptors, self.pipe, self.starts = descriptors, pipe, 0
        self.command = [BINARY, "serve", "--listen", f"127.0.0.1:{data}", "--admin", f"127.0.0.1:{admin}", "--database", database,
                        "--state", str(self.state), "--lame-duck", str(lame_duck), "--drain-timeout", str(drain), "--log-format", "json",
                        "--log-level", level, *flags]
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8", "CDN_HOST": FOREIGN,
                            "BALANCER_ADMIN_TOKEN": TOKEN, "BALANCER_NODE_NAME": name} | (environment or {})
        if clock:
            self.environment |= {"LD_PRELOAD": os.environ["FAULT_MATRIX_CLOCK"], "CLOCK_OFFSET_FILE": str(clock)}

    def start(self):
        """Starts it; it may not serve yet."""
        self.starts += 1
        self.log = self.folder / f"log-{self.starts}"
        output = self._stuck_pipe() if self.pipe else os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        limit = ["prlimit", f"--nofile={self.descriptors}:{self.descriptors}"] if self.descriptors else []
        self.process = subprocess.Popen([*limit, *self.command], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                                        stdout=output, stderr=subprocess.STDOUT)
        os.close(output)
        self.begun = time.monotonic()
        self.asked = self.ended = None
        return self

    def _stuck_pipe(self):
        """Standard output as a pipe whose reader can be made to stand still, see `stick`."""
        self.reader, writer = os.pipe()
        self.stuck = False
        threading.Thread(target=self._read, args=(self.reader,), daemon=True).start()
        return writer

    def _read(self, reader):
        with open(self.log, "ab", buffering=0) as file:
            while not self.stuck and (text := os.read(reader, 65536)):
                file.write(text)

    def stick(self):
        """Nobody reads from now on, and the pipe is full. It is filled by a description of our own, so that only that one does not block."""
        self.stuck = True
        writer = os.open(f"/proc/self/fd/{self.reader}", os.O_WRONLY | os.O_NONBLOCK)
        full = 0
        while full < 3:
            try:
                os.write(writer, b"\n" * 4096)
                full = 0
            except BlockingIOError:
                full += 1
                time.sleep(0.05)
        os.close(writer)

    def serves(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"ended with {self.process.returncode}: {self.tail()}")
        try:
            return call("GET", "/readyz", port=self.data, timeout=1).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def started(self, seconds=30):
        wait_for("the balancer to serve", seconds, self.serves)
        return self

    def tail(self):
        try:
            return self.log.read_text(errors="replace").strip().split("\n")[-1][-300:]
        except OSError:
            return ""

    def terminate(self):
        if not self.asked:
            self.asked = time.monotonic()
            self.process.send_signal(signal.SIGTERM)
        return self.asked

    def hangup(self):
        self.process.send_signal(signal.SIGHUP)

    @property
    def may_take(self):
        return self.lame_duck + self.drain + 2

    def wait(self, more=8):
        """Seconds from SIGTERM to the end; None when it had to be killed.

        A thread that waits for a frozen disk cannot end before the disk is thawed, whatever its process does: the kernel keeps it. The
        process has ended when nothing but such threads is left of it."""
        while time.monotonic() < self.asked + self.may_take + more:
            if self.process.poll() is not None or self._only_the_disk_holds_it():
                return time.monotonic() - self.asked
            time.sleep(0.02)
        self.process.kill()
        return None

    def _only_the_disk_holds_it(self):
        states = set()
        for file in pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/stat"):
            try:
                states.add((file.parent.name == str(self.process.pid), file.read_text().rsplit(")", 1)[1].split()[0]))
            except OSError:
                pass
        return (True, "Z") in states and all(state in "ZXD" for _, state in states)


class CPU:
    """Seconds of CPU that a process has used."""

    def __init__(self, pid):
        self.pid = pid

    def seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
