"""The same status, fields and body by HTTP/1 and HTTP/2, with TLS and without, over random requests: redirects, steering documents, manifests that
are served, signed links, JSON, pages, refusals, HEAD, and what browsers ask before they ask."""

import contextlib
import http.server
import json
import os
import random
import re
import threading

import pytest

from balancer import SOAK, Balancer
from http2 import *
from signed_cdns import SECRET
from test_http2_clients import by_http1, by_http2

REQUESTS = int(os.environ.get("SAME_ANSWERS", 20_000 if SOAK else 400))
MASTER = """#EXTM3U
#EXT-X-VERSION:7
#EXT-X-STREAM-INF:BANDWIDTH=1280000,RESOLUTION=640x360
low/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2560000,RESOLUTION=1280x720
high/index.m3u8
"""
MPD = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT10S" minBufferTime="PT2S" profiles="urn:mpeg:dash:profile:isoff-live:2011">
<Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1000"><SegmentTemplate media="$Number$.m4s" duration="2"/></Representation></AdaptationSet></Period>
</MPD>
"""


class CDN(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        kind, text = next(((kind, text) for end, kind, text in [
            (".m3u8", "application/vnd.apple.mpegurl", MASTER), (".mpd", "application/dash+xml", MPD)] if self.path.partition("?")[0].endswith(end)),
            (None, "no"))
        body = text.encode()
        self.send_response(200 if kind and "absent" not in self.path else 404)
        self.send_header("Content-Type", kind or "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module", params=["redirects, steering and manifests", "signed links"])
def node(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("same")
    keys = folder / "keys"
    keys.mkdir(mode=0o700)
    (keys / "k").write_text(SECRET)
    (keys / "k").chmod(0o600)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), CDN))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stack.callback(server.shutdown)
        url = f"http://127.0.0.1:{server.server_address[1]}"
        catalog = {"version": 1, "origin": {"domains": ["origin-cluster"], "servers": ["s[1-3]"], "every": 0},
                   "redirect": {"links": True, "passParameters": ["CMCD"]}}
        if request.param == "signed links":
            schemes = [{"scheme": "akamai", "key": "k"}, {"scheme": "bunny", "key": "k"}, {"scheme": "gcore", "key": "k"}]
            catalog["cdns"] = [{"name": "a", "url": "http://a.example.com", "sign": schemes[0]}]
            catalog["rules"] = [{"name": name, "when": {"paths": [f"/{name}/"]}, "cdns": {name: 1}} for name in ("b", "c")]
            catalog["cdns"] += [{"name": name, "url": f"http://{name}.example.com", "sign": sign} for name, sign in zip("bc", schemes[1:])]
            catalog["cdns"][1]["weight"] = catalog["cdns"][2]["weight"] = 0
        else:
            catalog |= {"cdns": [{"name": "a", "url": url}], "steering": {"enabled": True}}
            catalog["rules"] = [{"name": kind, "when": {"paths": [f"/{kind}/"]}, "delivery": kind} for kind in ("playlist", "links")]
        (folder / "catalog.json").write_text(json.dumps(catalog))
        balancer = Balancer(
            folder, "--http2", "any", "--workers", "1", "--listen-tls", "127.0.0.1:0", "--tls-certificate", "self-signed", "--signing-keys",
            str(keys), "--cors-credentials-origins", "https://page.example")
        balancer.command("catalog", "import", str(folder / "catalog.json"))
        stack.enter_context(balancer)
        balancer.secure = balancer.logged("serving redirects by HTTPS", "listen")
        balancer.kind = request.param
        yield balancer


# What chance may leave out.
ALWAYS = [("POST", "/origin", [], b"x" * 70_000), ("GET", "/s1/" + "x" * 9000, [], None), ("GET", "/s1/a", [("X-Long", "y" * 17_000)], None),
          ("GET", "/s1/a", [("Expect", "tea")], None), ("FOO", "/", [], None), ("OPTIONS", "*", [], None), ("HEAD", "/openapi.json", [], None),
          *[(method, f"/s1/{kind}/x/master.{end}", [], None) for method in ("GET", "HEAD", "OPTIONS") for kind in ("playlist", "links")
            for end in ("m3u8", "mpd")]]


def requests(seed, count):
    yield from ALWAYS
    generator = random.Random(seed)
    pick = generator.choice
    for _ in range(count):
        name = pick(["film/a", "playlist/x/master", "links/x/master", "playlist/absent", "a b", "é", "b/x", "c/y/z", "%2e%2e/x", "x" * pick([10, 9000])])
        end = pick([".m3u8", ".mpd", ".ts", "", "/"])
        query = "&".join(generator.sample(
            ["session=7", "session=123456", "avoid=a", "_HLS_pathway=%22a%22", "_HLS_throughput=5000", "_DASH_pathway=%22a%22", "CMCD=br%3D1",
             "format=json", "redirect=false", "redirect=1", "x"], pick([0, 0, 1, 2, 3])))
        server = pick(["s1", "s2", "s3", "s9"])
        target = pick([
            f"/{server}/{name}{end}", f"/?video=http://{server}.origin-cluster/{name}{end}", f"/origin?video=http://{server}.origin-cluster/{name}{end}",
            f"/steering/hls/{server}/{name}{end}", f"/steering/dash/{server}/{name}{end}", f"/?video=http%3A%2F%2F{server}.origin-cluster%2F{name}",
            "/livez", "/readyz", "/openapi.json", "/docs", "/", "/origin", "/nothing", "/?video=no", f"/session/7/{server}/{name}{end}", "*",
            f"/?video=http://{server}.origin-cluster/{name}&video=2"]).replace(" ", "%20")
        if query and target != "*":
            target += ("&" if "?" in target else "?") + query
        method = pick(["GET"] * 8 + ["HEAD"] * 3 + ["OPTIONS"] * 3 + ["POST"] * 3 + ["PUT", "DELETE", "TRACE", "FOO", "get"])
        fields = generator.sample([
            ("Accept", pick(["*/*", "application/json", "application/json;q=0", "text/html, application/json"])), ("Origin", "https://page.example"),
            ("Origin", "http://other.example"), ("Access-Control-Request-Method", "GET"), ("Access-Control-Request-Headers", "range, x-a"),
            ("Access-Control-Request-Private-Network", "true"), ("X-Forwarded-For", "192.0.2.1"), ("Range", "bytes=0-9"), ("If-None-Match", '"x"'),
            ("User-Agent", "x" * 200), ("Cookie", "a=1; b=2"), ("X-Latin", "é"), ("Priority", "u=1"), ("Referer", "https://page.example/")],
            pick([0, 0, 1, 2, 4]))
        # Of two faults the protocols may name either.
        if generator.random() < 0.05:
            method, target = "GET", "/s1/a"
            fields.append(pick([("Expect", "tea"), ("X-Odd", "\x01"), ("X-Long", "y" * 17_000)]))
        body = None
        if method == "POST":
            body = pick([json.dumps({"video": f"http://{server}.origin-cluster/{name}{end}", **({"avoid": ["a"]} if pick([0, 1]) else {})}), "{}", "", "[",
                         "x" * 70_000]).encode()
        yield method, target, fields, body


NUMBERS = [(re.compile(rb"(session[=/])\d+"), rb"\1N"), (re.compile(rb'("(?:session|sequence)":)\d+'), rb"\1N")]


def comparable(answer):
    """Without what is another for each answer: its time, the number that a session takes; and without what is of one protocol alone."""
    status, fields, body = answer

    def cleaned(data):
        for pattern, instead in NUMBERS:
            data = pattern.sub(instead, data)
        return data

    kept = [(name, cleaned(value.encode("latin-1"))) for name, value in fields if name not in ("date", "connection", "content-length", "keep-alive")]
    return status, kept, cleaned(body)


def test_every_protocol_gives_the_same_answer(node):
    kinds = set()
    streams = iter(range(1, 1 << 20, 2))
    with contextlib.ExitStack() as stack:
        h2 = {}

        def ask(secure, version, *request):
            if version == 1:
                return by_http1(node.secure if secure else node.listen, secure, *request)
            if secure not in h2 or h2[secure].goodbye:
                h2[secure] = stack.enter_context(Connection(node.secure if secure else node.listen, secure))
                h2[secure].send(frame(SETTINGS, 0, 0, setting(4, 1 << 20)))
            return by_http2(h2[secure], next(streams), *request)

        for method, target, fields, body in requests(node.kind, REQUESTS):
            # Tokens are made anew each second.
            for _ in range(5):
                answers = [ask(secure, version, method, target, fields, body) for secure in (False, True) for version in (1, 2)]
                seen = [comparable(answer) for answer in answers]
                # A page by HTTPS is told of addresses by HTTPS.
                across = [re.sub(rb"https://b\b", b"http://b", repr(each).encode()) for each in seen]
                if seen[0] == seen[1] and seen[2] == seen[3] and across[1] == across[2]:
                    break
            assert seen[0] == seen[1] and seen[2] == seen[3], (method, target, fields, body and body[:80], answers)
            assert across[1] == across[2], (method, target, fields, answers)
            kinds.add((answers[0][0], dict(answers[0][1]).get("content-type", "").partition(";")[0]))
    statuses = {status for status, _ in kinds}
    assert {200, 204, 301, 400, 404, 405, 413, 414, 417, 431, 501} <= statuses, kinds
    types = {kind for _, kind in kinds}
    if node.kind == "signed links":
        assert "application/json" in types
    else:
        assert {"application/vnd.apple.steering-list", "application/vnd.apple.mpegurl", "application/dash+xml", "application/json"} <= types, types
