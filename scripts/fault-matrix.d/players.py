"""Clients that ask all the while: players on the data plane, an operator's monitoring on the admin port."""
import http.client
import re
import socket
import threading
import time

import world

REQUEST = (f"GET /?video=http://{world.ORIGIN}/video/1488/xcg2djHckad.m3u8 HTTP/1.1\r\nHost: balancer\r\n\r\n").encode()
LOCATION = re.compile(rb"\r\nLocation: http://([^/\r]+)/", re.I)
LIMIT = 1.0


class Player(threading.Thread):
    """Asks steadily, on one kept connection or each time on a new one. More than a second is a failure, as is everything but a redirect."""

    def __init__(self, kept, pause=0.08, port=world.DATA):
        super().__init__(daemon=True)
        self.kept, self.pause, self.port = kept, pause, port
        self.redirects, self.failures, self.delays = [], [], []
        self.until = float("inf")
        self.asking = threading.Event()
        self.asking.set()
        self.connection = None
        self.start()

    def run(self):
        while True:
            self.asking.wait()
            begun = time.monotonic()
            if begun >= self.until:
                return
            try:
                target = self._ask()
                now = time.monotonic()
                self.delays.append(now - begun)
                self.redirects.append((now, target))
                if now - begun > LIMIT:
                    raise OSError(f"an answer after {now - begun:.1f} s")
            except OSError as error:
                self._close()
                # What was asked before the end of accepting, and not answered, counts; what the client stopped asking does not.
                if self.asking.is_set():
                    self.failures.append((begun, f"{'kept' if self.kept else 'new'} connection: {str(error) or type(error).__name__}"))
            time.sleep(max(0, begun + self.pause - time.monotonic()))

    def _ask(self):
        if not self.connection:
            self.connection = socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT)
        self.connection.sendall(REQUEST)
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = self.connection.recv(4096)
            if not piece:
                raise OSError("closed without an answer")
            answer += piece
        location = LOCATION.search(answer)
        if not answer.startswith(b"HTTP/1.1 30") or not location:
            raise OSError(answer.split(b"\r\n")[0].decode())
        if not self.kept or b"connection: close" in answer.lower():
            self._close()
        return location[1].decode()

    def _close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def pause_now(self):
        self.asking.clear()

    def go_on(self):
        self._close()
        self.asking.set()


class Monitor(threading.Thread):
    """Asks /readyz and /metrics of the admin port all the while, and knows since when both have said that the node is degraded."""

    def __init__(self, port=world.ADMIN):
        super().__init__(daemon=True)
        self.port = port
        self.times = {"/readyz": [], "/metrics": []}
        self.silent = []
        self.reasons = []
        self.until = float("inf")
        self.start()

    def run(self):
        threading.Thread(target=self._ask, args=("/metrics", b"\nbalancer_degraded 1\n"), daemon=True).start()
        self._ask("/readyz", b"degraded")

    def _ask(self, path, sign):
        while time.monotonic() < self.until:
            begun = time.monotonic()
            try:
                answer = world.call("GET", path, port=self.port, timeout=3)
                if sign in answer.body:
                    self.times[path].append(time.monotonic())
                    if path == "/readyz":
                        self.reasons.append(answer.body.decode(errors="replace").strip())
            except (OSError, http.client.HTTPException) as error:
                self.silent.append((begun, f"{path}: {str(error) or type(error).__name__}"))
            time.sleep(0.15)

    def shown(self, path, since):
        """When `path` first said it after `since`, None for never."""
        return next((moment for moment in self.times[path] if moment >= since), None)


class Editor:
    """Edits that each leave a mark: a CDN that is not enabled, with the edit's name in the revision's comment."""

    def __init__(self):
        self.count, self.calls, self.etag = 0, [], None

    def read(self):
        answer = world.call("GET", "/api/v1/catalog")
        self.etag = answer.fields["etag"]
        return answer

    def replace(self, catalog):
        world.wait_for("the admin port", 10, world.admin_answers)
        self.read()
        answer = world.call("PUT", "/api/v1/catalog?comment=begin", catalog, self.etag)
        if answer.status != 200:
            raise RuntimeError(f"PUT /catalog: {answer.status} {answer.body[:500]}")
        self.etag = answer.fields["etag"]

    def begin(self):
        """Sends an edit and waits for nothing."""
        self.count += 1
        return self._send(f"edit-{self.count}", "POST", f"/api/v1/cdns?comment=edit-{self.count}",
                          {"name": f"edit-{self.count}", "url": f"http://edit-{self.count}.invalid", "enabled": False})

    def revoke(self, name):
        return self._send(name, "DELETE", f"/api/v1/keys/{name}", None)

    def _send(self, name, method, path, body):
        one = Call(name, method, path, body, self.etag if method == "POST" else None)
        self.calls.append(one)
        return one

    def edit(self):
        one = self.begin()
        one.join(20)
        if one.status != 201:
            raise RuntimeError(f"an edit before any fault: {one.outcome}")
        self.etag = one.answer.fields.get("etag", self.etag)
        return one


class Call(threading.Thread):
    def __init__(self, name, method, path, body, etag):
        super().__init__(daemon=True)
        self.name_, self.arguments = name, (method, path, body, etag)
        self.answer, self.error, self.ended = None, None, None
        self.begun = time.monotonic()
        self.start()

    def run(self):
        try:
            self.answer = world.call(*self.arguments, timeout=60)
        except (OSError, http.client.HTTPException) as error:
            self.error = str(error) or type(error).__name__
        self.ended = time.monotonic()

    @property
    def status(self):
        return self.answer.status if self.answer else None

    @property
    def acknowledged(self):
        return self.answer is not None and 200 <= self.answer.status < 300

    @property
    def outcome(self):
        return f"{self.status} after {self.ended - self.begun:.1f} s" if self.answer else f"no answer ({self.error or 'yet'})"
