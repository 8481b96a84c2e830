"""The real binary as a process of its own, on free ports of loopback, in a folder of its own."""

import contextlib
import json
import os
import pathlib
import random
import secrets
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("BALANCER_BINARY", ROOT / ".build/release/video-balancer")).resolve()
ASSETS = pathlib.Path(os.environ.get("BALANCER_ASSETS", ROOT / ".build/assets")).resolve()
SOAK = bool(os.environ.get("SOAK"))
VIDEO = "http://s1.origin-cluster/video/1488/xcg2djHckad.m3u8"


def patiently(condition, seconds=10, pause=0.01):
    """The first true value of `condition()`; None when none comes in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(pause)
    return None


def free_port():
    """Below those that the kernel gives to clients, so that no connection takes it before a server listens there, or where none is to."""
    while True:
        port = random.randrange(20_000, 32_000)
        with contextlib.closing(socket.socket()) as made, contextlib.suppress(OSError):
            made.bind(("127.0.0.1", port))
            return port


class Balancer:
    """One balancer and its database; may be killed and started again."""

    def __init__(self, folder, *flags, **environment):
        self.folder, self.flags = pathlib.Path(folder), flags
        self.token = secrets.token_hex(32)
        self.database = f"sqlite:{self.folder}/balancer.db"
        # Nothing of the caller's environment: it may hold settings of another balancer, and unknown ones are refused.
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8", "CDN_HOST": "cdn.example.com",
            "BALANCER_ADMIN_TOKEN": self.token, "BALANCER_ASSETS": str(ASSETS),
        } | environment
        self.starts = 0
        self.process = self.listen = self.admin = None

    def start(self):
        self.starts += 1
        self.stopping = False
        self.log = self.folder / f"log-{self.starts}"
        command = [
            BINARY, "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--database", self.database,
            "--lame-duck", "0", "--drain-timeout", "1", "--log-format", "json", *self.flags,
        ]
        with self.log.open("wb") as output:
            self.process = self._run(command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=output,
                                     stderr=subprocess.STDOUT)
        self.listen = self.logged("serving redirects", "listen")
        self.admin = self.logged("serving the control plane", "admin")
        return self

    _run = staticmethod(subprocess.Popen)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def lines(self):
        """The log so far, whole lines only. Every line must be JSON."""
        return [json.loads(line) for line in self.log.read_bytes().split(b"\n")[:-1]]

    def logged(self, message, member):
        """A member of the first line with this message, which may be still to come."""
        def find():
            if self.process.poll() is not None:
                raise AssertionError(f"the balancer ended with {self.process.returncode}:\n{self.log.read_text()}")
            with contextlib.suppress(ValueError):
                return next((line[member] for line in self.lines() if line["message"] == message), None)

        if value := patiently(find, seconds=30):
            return value
        raise AssertionError(f"no line {message!r} in the log:\n{self.log.read_text()}")

    def command(self, *words):
        """Runs a command of the program on this balancer's database; what it printed."""
        # Settings of `serve` alone are no business of other commands.
        environment = {name: value for name, value in self.environment.items() if not name.startswith("BALANCER_")}
        done = subprocess.run(
            [BINARY, *words, "--database", self.database], cwd=self.folder, env=environment, capture_output=True, text=True,
            timeout=30)
        assert done.returncode == 0, f"{' '.join(words)}: exit code {done.returncode}: {done.stderr}"
        return done.stdout

    def key(self, name, role, expires=None):
        """Makes a key by the command line; its token."""
        printed = self.command("key", "create", name, "--role", role, *(["--expires", expires] if expires else []))
        assert printed.count("\n") == 1, printed
        return printed.strip()

    def begin_stopping(self):
        """A second SIGTERM would end it at once, so there is only one."""
        if not self.stopping:
            self.stopping = True
            self.process.send_signal(signal.SIGTERM)

    def kill(self):
        """As a power cut for the process."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Gracefully; the exit code must be 0."""
        if self.process is None or self.process.poll() is not None:
            return
        self.begin_stopping()
        try:
            code = self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("the balancer did not stop within 30 s of SIGTERM") from None
        assert code == 0, f"exit code {code} after SIGTERM:\n{self.log.read_text()[-2000:]}"
