"""HTTP clients that hold every answer against the OpenAPI document of its port."""

import contextlib
import http.client
import io
import json
import selectors
import socket
import time
import urllib.parse

import httpx

import contract

MERGE_PATCH = "application/merge-patch+json"


class Client(httpx.Client):
    """A client of one port. Every answer is checked before the test sees it."""

    def __init__(self, address, judge, token=None, source=None, keeps=20):
        """`source`: the loopback address to call from; bad tokens are counted by address. `keeps`: connections kept open."""
        # There is no TLS here, but httpx would read all certificates of the system for each client.
        transport = httpx.HTTPTransport(verify=False, local_address=source, limits=httpx.Limits(max_keepalive_connections=keeps))
        super().__init__(
            base_url=f"http://{address}", headers={"Authorization": f"Bearer {token}"} if token else {}, transport=transport,
            timeout=30, trust_env=False)
        self.address, self.judge = address, judge

    def send(self, request, **options):
        response = super().send(request, **options)
        self.judge.check(request.method, request.url.raw_path.decode("ascii"), response)
        return response


class API(Client):
    """A client of the control plane."""

    def __init__(self, address, token=None, source=None):
        super().__init__(address, contract.CONTROL, token, source)

    def etag(self):
        response = self.get("/api/v1/cdns")
        assert response.status_code == 200, response.text
        return response.headers["etag"]

    def revision(self):
        return self.get("/api/v1/status").json()["revision"]

    def history(self):
        """All revisions, oldest first."""
        revisions, before = [], None
        while True:
            page = self.get("/api/v1/revisions?limit=100" + (f"&before={before}" if before else "")).json()
            revisions += page["revisions"]
            if (before := page["next"]) is None:
                return revisions[::-1]

    def write(self, method, path, value=None, *, etag=None, comment=None):
        """A write made to `etag`, by default to what is there now. PATCH goes as a merge patch."""
        headers = {"If-Match": etag or self.etag()}
        body = None
        if value is not None:
            headers["Content-Type"] = MERGE_PATCH if method == "PATCH" else "application/json"
            body = json.dumps(value)
        if comment is not None:
            path += "?comment=" + urllib.parse.quote(comment, safe="")
        return self.request(method, path, headers=headers, content=body)

    def done(self, method, path, value=None, **options):
        """A write that must be accepted."""
        response = self.write(method, path, value, **options)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return response


class Player(Client):
    """A client of the data plane."""

    def __init__(self, address, keeps=20):
        super().__init__(address, contract.DATA, keeps=keeps)

    def ask(self, video, **options):
        return self.get("/?video=" + urllib.parse.quote(video, safe=""), **options)


def connect(address, source=None):
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=30, source_address=(source, 0) if source else None)


def exchange(address, pieces, *, seconds=20, pause=0.0, stop=lambda received: False):
    """Sends raw pieces while reading; what came, and the seconds until the other side ended (None when it did not)."""
    received = bytearray()
    pieces = iter(pieces)
    pending = next(pieces, None)
    begun = time.monotonic()
    ready_at = begun
    with connect(address) as stream, selectors.DefaultSelector() as selector:
        stream.setblocking(False)
        while (now := time.monotonic()) < begun + seconds and not stop(received):
            selector_events = selectors.EVENT_READ | (selectors.EVENT_WRITE if pending is not None and now >= ready_at else 0)
            with contextlib.suppress(KeyError):
                selector.unregister(stream)
            selector.register(stream, selector_events)
            for _, events in selector.select(0.05):
                if events & selectors.EVENT_READ:
                    try:
                        data = stream.recv(65536)
                    except ConnectionError:
                        data = b""
                    if not data:
                        return bytes(received), time.monotonic() - begun
                    received += data
                if events & selectors.EVENT_WRITE:
                    try:
                        sent = stream.send(pending)
                    except ConnectionError:
                        pending = None
                        continue
                    pending = pending[sent:] or next(pieces, None)
                    ready_at = time.monotonic() + pause
    return bytes(received), None


class _Bytes:
    """Bytes as the socket that `http.client` wants."""

    def __init__(self, data):
        self.data = data

    def makefile(self, _mode):
        return io.BytesIO(self.data)


def answer(data, method="GET"):
    """The first answer in raw bytes, as httpx's; None when there is no whole one."""
    response = http.client.HTTPResponse(_Bytes(data), method=method)
    try:
        response.begin()
        return httpx.Response(response.status, headers=response.getheaders(), content=response.read())
    except (http.client.HTTPException, ValueError):
        return None
