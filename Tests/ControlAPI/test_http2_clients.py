"""HTTP/2 as clients of all ages speak it, behind the PROXY protocol, while the node stops, and beside HTTP/1: the same answers."""

import contextlib
import http.client
import http.server
import json
import random
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2 import events

from balancer import VIDEO, Balancer, patiently
from client import API
from http2 import *
from signed_cdns import SECRET

LOCATION = "http://cdn.example.com/s1/a"
BODY = b'{"video": "http://s1.origin-cluster/a"}'


# Clients.

def test_an_old_client_makes_a_tree_of_priorities_first(way):
    """Firefox before 128: streams 3 to 11 are groups that never begin; requests depend on them."""
    tree = b"".join(frame(PRIORITY, 0, stream, u32(parent) + bytes([weight]))
                    for stream, parent, weight in [(3, 0, 200), (5, 0, 100), (7, 0, 0), (9, 7, 0), (11, 3, 0), (13, 0, 240)])
    hello = PREFACE + frame(SETTINGS, 0, 0, setting(1, 65_536) + setting(4, 131_072) + setting(5, 16_384)) + frame(WINDOW, 0, 0, u32(12_517_377))
    with Connection(*way.way, hello=hello + tree) as connection:
        for stream in range(15, 60, 2):
            connection.send(frame(HEADERS, 0x25, stream, u32(13) + b"\x29" + request()))
            assert connection.answer(stream)["location"] == LOCATION
            connection.send(frame(PRIORITY, 0, stream, u32(7) + b"\x10"))
        assert connection.settle() and connection.goodbye is None


def test_a_new_client_says_priorities_by_field_and_update(way):
    """Chromium: a large table and windows, RFC 9218."""
    hello = PREFACE + frame(SETTINGS, 0, 0, setting(1, 65_536) + setting(2, 0) + setting(4, 6_291_456) + setting(6, 262_144) + setting(9, 1))
    with Connection(*way.way, hello=hello + frame(WINDOW, 0, 0, u32(15_663_105))) as connection:
        for stream in range(1, 60, 2):
            connection.send(frame(HEADERS, 0x25, stream, u32(1 << 31) + b"\xff" + request("/s1/a", ("priority", "u=1, i"))))
            connection.send(frame(0x10, 0, 0, u32(stream) + b"u=3"))
            assert connection.answer(stream)["location"] == LOCATION
        assert connection.ask(101, "/openapi.json").status == 200


def test_a_library_that_checks_all_it_reads(way):
    """PyPI's h2: a request with a body and trailers, a hundred at once, a large page through its windows, its own goodbye."""
    peer = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
    wire = connect(*way.way)
    pseudo = [(":method", "GET"), (":scheme", "https"), (":authority", "b")]
    answers, bodies, ended = {}, {}, set()

    def run(count):
        wire.sendall(peer.data_to_send())
        while len(ended) < count:
            data = wire.recv(65_536)
            assert data, "ended"
            for event in peer.receive_data(data):
                if isinstance(event, events.ResponseReceived):
                    answers[event.stream_id] = dict(event.headers)
                elif isinstance(event, events.DataReceived):
                    bodies[event.stream_id] = bodies.get(event.stream_id, b"") + event.data
                    peer.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, (events.StreamEnded, events.StreamReset)):
                    ended.add(event.stream_id)
            wire.sendall(peer.data_to_send())

    with wire:
        peer.initiate_connection()
        for stream in range(1, 200, 2):
            peer.send_headers(stream, [*pseudo, (":path", f"/s1/{stream}")], end_stream=True, priority_weight=16, priority_depends_on=0)
        run(100)
        assert all(answers[stream]["location"] == f"http://cdn.example.com/s1/{stream}" for stream in range(1, 200, 2))
        peer.send_headers(201, [(":method", "POST"), *pseudo[1:], (":path", "/origin"), ("expect", "100-continue")])
        peer.send_data(201, BODY, pad_length=7)
        peer.send_headers(201, [("x-sum", "1")], end_stream=True)
        for stream in (203, 205, 207):
            peer.send_headers(stream, [*pseudo, (":path", "/openapi.json")], end_stream=True)
        peer.ping(b"12345678")
        run(104)
        assert answers[201]["location"] == LOCATION
        assert len({bodies[stream] for stream in (203, 205, 207)}) == 1 and json.loads(bodies[203])
        peer.close_connection()
        wire.sendall(peer.data_to_send())
        wire.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("tool", [
    ["curl", "--silent", "--insecure", "--http2", "--write-out", "%{http_version} %{http_code} %{redirect_url}"],
    ["nghttp", "--no-verify-peer", "--verbose"], ["h2load", "-n", "500", "-c", "5", "-m", "20"]], ids=lambda words: words[0])
def test_tools_get_their_answers(way, tool):
    if shutil.which(tool[0]) is None:
        pytest.skip(f"no {tool[0]}")
    address, secure = way.way
    if tool[0] == "curl" and not secure:
        tool = [word.replace("--http2", "--http2-prior-knowledge") for word in tool]
    done = subprocess.run([*tool, f"http{'s' if secure else ''}://{address}/s1/a"], capture_output=True, text=True, timeout=30)
    wanted = {"curl": f"2 301 {LOCATION}", "nghttp": f"location: {LOCATION}", "h2load": "500 succeeded, 0 failed, 0 errored"}[tool[0]]
    assert done.returncode == 0 and wanted in done.stdout, done


def test_a_body_that_nobody_asked_for_delays_nothing(way):
    """A hundred requests with bodies at once, for what takes none; the bodies come when the answers have gone."""
    with Connection(*way.way) as connection:
        connection.send(b"".join(get(stream, flags=END_HEADERS) for stream in range(1, 200, 2)))
        connection.send(b"".join(frame(DATA, 0, stream, b"x" * 100) for stream in range(1, 200, 2)))
        connection.send(b"".join(frame(HEADERS, 5, stream, field("x-sum", "1")) for stream in range(1, 200, 2)))
        for stream in range(1, 200, 2):
            answer = connection.answer(stream)
            assert answer.status == 301
        assert connection.settle() and all(answer.reset == NO_ERROR for answer in connection.answers.values())
        assert connection.ask(201).status == 301 and connection.goodbye is None


@pytest.mark.parametrize(("fields", "pieces", "status", "interim"), [
    ([("expect", "100-continue")], [frame(DATA, 1, 1, BODY)], 301, [100]),
    ([("expect", "100-continue"), ("content-length", str(len(BODY)))], [frame(DATA, 0, 1, BODY[:9]), frame(DATA, 1, 1, BODY[9:])], 301, [100]),
    ([("expect", "100-continue")], [], 400, []), ([("expect", "tea")], [], 417, []), ([], [], 400, []),
    ([("content-length", "0")], [frame(DATA, 1, 1)], 400, []), ([("content-length", "0")], [frame(HEADERS, 5, 1, b"")], 400, []),
    ([], [frame(DATA, 1, 1)], 400, []), ([], [frame(DATA, 0, 1)] * 3 + [frame(DATA, 9, 1, b"\x01\x00")], 400, [])])
def test_a_body_that_is_expected_empty_or_absent(way, fields, pieces, status, interim):
    with Connection(*way.way) as connection:
        connection.send(post(1, "/origin", *fields, flags=END_HEADERS if pieces else 5))
        if interim:
            connection.read_until(lambda got: got.kind == HEADERS)
        connection.send(*pieces)
        answer = connection.answer(1)
        assert (answer.status, answer.interim) == (status, interim)
        assert connection.ask(3).status == 301 and connection.goodbye is None


@pytest.mark.parametrize(("count", "value", "outcome"), [
    (90, "y", 301), (4_000, "", 431), (8_000, "", CALM), (2_000, "y" * 20, CALM)])
def test_thousands_of_fields_are_refused_or_end_the_connection(way, count, value, outcome):
    whole = request("/s1/a", *[(f"x{number:04}", value) for number in range(count)])
    with Connection(*way.way) as connection, Connection(*way.way) as witness:
        pieces = [whole[at:at + 16_384] for at in range(0, len(whole), 16_384)]
        for index, piece in enumerate(pieces):
            connection.send(frame(CONTINUATION if index else HEADERS, (END_HEADERS if piece is pieces[-1] else 0) | (not index), 1, piece))
        if outcome == CALM:
            assert connection.end().code == CALM
        else:
            assert connection.answer(1).status == outcome and connection.ask(3).status == 301
        assert witness.ask(1).status == 301


def test_eight_thousand_fields_of_a_byte_each_are_refused(way):
    with Connection(*way.way) as connection:
        connection.send(frame(HEADERS, 5, 1, request() + field("x", "y", 0x40) + b"\xbe" * 8_000))
        assert connection.answer(1).status == 431 and connection.ask(3).status == 301


def test_a_client_that_ends_its_side_of_the_wire_gets_all_answers(way):
    address, secure = way.way
    if secure:
        pytest.skip("Python cannot end one side of TLS")
    with Connection(address, secure) as connection:
        connection.send(frame(SETTINGS, 0, 0, setting(4, 1 << 20)) + b"".join(get(stream) for stream in range(1, 100, 2)) + get(101, "/openapi.json"))
        connection.wire.shutdown(socket.SHUT_WR)
        connection.end()
        assert all(answer.is_whole for answer in connection.answers.values()) and len(connection.answers) == 51


# Hosts.

HOSTS = ["b", "B", "b.", "b:80", "b:", "b:0", "b:65535", "b:65536", "b:x", "me@b", "me:pw@b", "127.0.0.1", "[::1]", "[::1]:443", "[::1", "::1", "b c", "b/",
         "b?", "b#", "a,b", "b\\", "%62", "é", "xn--e1afmkfd", "a" * 300, "-", "_", "*", "b:80:80", "[v1.a]", "b\tc", ""]


def by_http1(address, secure, method, target, fields=(), body=None, host="b"):
    """Status, fields and body, from a request that no library has made good."""
    text = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields)
    if body is not None:
        text += f"Content-Length: {len(body)}\r\n"
    with connect(address, secure, "http/1.1") as wire:
        wire.sendall(text.encode("latin-1") + b"\r\n" + (body or b""))
        answer = http.client.HTTPResponse(wire, method=method)
        answer.begin()
        data = answer.read()
        return answer.status, [(name.lower(), value) for name, value in answer.getheaders()], data


def by_http2(connection, stream, method, target, fields=(), body=None, host="b"):
    fields = [(name.lower(), value) for name, value in fields]
    if body is not None:
        fields.append(("content-length", str(len(body))))
    block = request(target, *fields, method=method, authority=host)
    for index in range(0, len(block), 16_384):
        flags = (END_HEADERS if index + 16_384 >= len(block) else 0) | (END_STREAM if index == 0 and body is None else 0)
        connection.send(frame(CONTINUATION if index else HEADERS, flags, stream, block[index:index + 16_384]))
    if body is not None:
        for at in range(0, max(1, len(body)), 16_384):
            connection.send(frame(DATA, END_STREAM if at + 16_384 >= len(body) else 0, stream, body[at:at + 16_384]))
    connection.send(frame(WINDOW, 0, 0, u32(1 << 20)))
    answer = connection.answer(stream)
    if not answer.fields:
        return answer.reset, [], b""
    return answer.status, answer.fields[1:], answer.body


@pytest.mark.parametrize("host", HOSTS)
def test_an_authority_is_judged_as_a_host_is(way, host):
    status, fields, _ = by_http1(*way.way, "GET", "/s1/a", host=host)
    with Connection(*way.way) as connection:
        got, got_fields, _ = by_http2(connection, 1, "GET", "/s1/a", host=host)
        assert got == status and dict(got_fields).get("location") == dict(fields).get("location")
        assert connection.ask(3).status == 301


# PROXY.

V1 = b"PROXY TCP4 192.0.2.7 127.0.0.1 4000 443\r\n"
V2 = b"\r\n\r\n\0\r\nQUIT\n" + b"\x21\x11\0\x0c" + bytes([192, 0, 2, 7, 127, 0, 0, 1]) + b"\x0f\xa0\x01\xbb"


@pytest.fixture(scope="module", params=["fast path", "slow path"])
def proxied(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("proxied")
    flags = ["--fast-path", "off"] if request.param == "slow path" else []
    with Balancer(folder, "--http2", "any", "--workers", "1", "--proxy-protocol", "on", "--access-log", str(folder / "access.log"),
                  "--listen-tls", "127.0.0.1:0", "--tls-certificate", "self-signed", *flags, ORIGIN_EVERY="0") as balancer:
        balancer.secure = balancer.logged("serving redirects by HTTPS", "listen")
        balancer.seen = 0
        yield balancer


def last_line(balancer):
    """Of the access log, which has one more than before."""
    balancer.seen += 1
    log = balancer.folder / "access.log"
    assert patiently(lambda: log.exists() and log.read_bytes().count(b"\n") >= balancer.seen)
    return json.loads(log.read_text().splitlines()[-1])


@pytest.mark.parametrize("cut", ["together", "in the header", "behind the header", "in the preface", "behind the preface", "byte by byte"])
@pytest.mark.parametrize("header", [V1, V2], ids=["v1", "v2"])
def test_a_proxy_names_the_client_of_a_plain_connection(proxied, header, cut):
    sent = header + PREFACE + frame(SETTINGS) + get(1)
    places = {"together": [], "in the header": [14], "behind the header": [len(header)], "in the preface": [len(header) + 10],
              "behind the preface": [len(header) + 24], "byte by byte": range(1, len(sent))}[cut]
    with Connection(proxied.listen, hello=b"") as connection:
        start = 0
        for end in [*places, len(sent)]:
            connection.send(sent[start:end])
            start = end
            time.sleep(0.05 if cut != "byte by byte" else 0.001)
        assert connection.answer(1)["location"] == LOCATION
        line = last_line(proxied)
        assert (line["client"], line["protocol"]) == ("192.0.2.7", "h2")
        # Requests that the slow path answers are the same client's.
        assert connection.ask(3, "/s1/a", ("accept", "application/json")).status == 301
        assert last_line(proxied)["client"] == "192.0.2.7"


@pytest.mark.parametrize("cut", [None, 14])
@pytest.mark.parametrize("header", [V1, V2], ids=["v1", "v2"])
def test_a_proxy_names_the_client_of_a_connection_by_TLS(proxied, header, cut):
    wire = socket.create_connection(("127.0.0.1", int(proxied.secure.rsplit(":", 1)[1])), timeout=20)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    # The header and the ClientHello in one packet, or the header in two.
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing)
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    sent = header + outgoing.read()
    if cut:
        wire.sendall(sent[:cut])
        time.sleep(0.05)
    wire.sendall(sent[cut or 0:])
    while True:
        incoming.write(wire.recv(65_536))
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            wire.sendall(outgoing.read())
    tls.write(PREFACE + frame(SETTINGS) + get(1))
    wire.sendall(outgoing.read())
    assert tls.selected_alpn_protocol() == "h2"
    with wire, Connection("", wire=Decrypting(tls, incoming, wire), hello=b"") as connection:
        assert connection.answer(1)["location"] == LOCATION
    line = last_line(proxied)
    assert (line["client"], line["protocol"], line["tls"]) == ("192.0.2.7", "h2", "1.3")


class Decrypting:
    """A session in memory as a socket to read from."""

    def __init__(self, tls, incoming, wire):
        self.tls, self.incoming, self.wire = tls, incoming, wire

    def recv(self, count):
        while True:
            try:
                return self.tls.read(count)
            except ssl.SSLWantReadError:
                self.incoming.write(self.wire.recv(65_536))

    def close(self):
        pass


def test_without_its_header_a_connection_is_not_served(proxied):
    with Connection(proxied.listen) as connection:
        connection.end()
        assert connection.frames == []


# Stopping.

@pytest.fixture
def stopping(begin):
    def stopping(*flags):
        balancer = begin("--http2", "any", "--listen-tls", "127.0.0.1:0", "--tls-certificate", "self-signed", *flags, ORIGIN_EVERY="0")
        balancer.secure = balancer.logged("serving redirects by HTTPS", "listen")
        return balancer
    return stopping


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
def test_a_node_that_stops_answers_what_is_under_way(stopping, secure):
    balancer = stopping("--drain-timeout", "10")
    address = balancer.secure if secure else balancer.listen
    with Connection(address, secure) as idle, Connection(address, secure) as busy, Connection(address, secure) as late:
        assert idle.ask(1).status == late.ask(1).status == 301
        # A body that is not whole, and an answer that may not be sent.
        busy.send(frame(SETTINGS, 0, 0, setting(4, 0)) + post(1) + get(3, "/openapi.json"))
        assert busy.settle()
        balancer.begin_stopping()
        for connection in (idle, busy, late):
            first = connection.read_until(lambda got: got.kind == GOAWAY)
            assert (first.last, first.code) == (0x7FFFFFFF, NO_ERROR)
        # A request that was on its way is answered; then the client says that it knows.
        assert late.ask(3)["location"] == LOCATION
        for connection in (idle, late):
            ping = connection.frames[-1] if connection.frames[-1].kind == PING else connection.read_until(lambda got: got.kind == PING)
            ping = ping or next(got for got in connection.frames if got.kind == PING and not got.flags)
            connection.send(frame(PING, ACK, 0, b"goodbye!"))
            last = connection.end()
            assert (last.last, last.code) == ({id(idle): 1, id(late): 3}[id(connection)], NO_ERROR) and not connection.was_reset
        # Without an answer to the first goodbye the last one comes after a second; what is under way goes on.
        busy.read_until(lambda got: got.kind == GOAWAY and got.last == 3)
        busy.send(get(5) + post(7) + frame(DATA, 1, 7, BODY))
        busy.send(frame(DATA, END_STREAM, 1, BODY))
        assert busy.answer(1).status == 301
        busy.send(frame(SETTINGS, 0, 0, setting(4, 1 << 20)))
        assert busy.answer(3).is_whole
        busy.end()
        assert 5 not in busy.answers and 7 not in busy.answers and busy.goodbye.last == 3
        balancer.stop()


def test_while_the_port_stays_open_new_connections_are_answered(stopping):
    """--lame-duck: nothing but /readyz says so yet."""
    balancer = stopping("--lame-duck", "3")
    with Connection(balancer.secure, True) as kept:
        assert kept.ask(1).status == 301
        balancer.begin_stopping()
        assert patiently(lambda: kept.ask(kept_next(kept), "/readyz").status == 503)
        with Connection(balancer.secure, True) as new:
            assert new.ask(1).status == 301 and new.goodbye is None
        assert kept.goodbye is None
        assert kept.read_until(lambda got: got.kind == GOAWAY).last == 0x7FFFFFFF
        kept.send(frame(PING, ACK, 0, b"goodbye!"))
        kept.end()
    balancer.stop()


def kept_next(connection):
    return max(connection.answers) + 2


def test_no_request_is_lost_when_the_node_stops_under_load(stopping):
    """Clients that ask without pause until they are told where it ends: whatever the last goodbye names was answered."""
    balancer = stopping("--drain-timeout", "10")
    lost, counts = [], []

    def ask_on(secure):
        with Connection(balancer.secure if secure else balancer.listen, secure) as connection:
            stream = -1
            while connection.goodbye is None:
                for stream in range(stream + 2, stream + 22, 2):
                    connection.send(get(stream))
                connection.answer(stream)
            connection.send(frame(PING, ACK, 0, b"goodbye!"))
            goodbye = connection.end()
            lost.extend(number for number in range(1, min(stream, goodbye.last) + 1, 2) if not connection.answers[number].is_whole)
            counts.append(len(connection.answers))

    threads = [threading.Thread(target=ask_on, args=(number % 2 == 0,)) for number in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    balancer.begin_stopping()
    for thread in threads:
        thread.join(30)
    assert lost == [] and len(counts) == 8 and min(counts) > 0
    balancer.stop()
