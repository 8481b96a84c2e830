"""Floods of HTTP/2, each with its name: the connection that sends one is ended, soon and with a word; nobody else notices."""

import resource
import socket
import time

import pytest

from balancer import patiently
from client import API
from http2 import *

NEXT = 2_000_001
LOCATION = "http://cdn.example.com/s1/a"
POST = post(1)
ANY = range(1, 1 << 20, 2)
#: No body may be sent.
NO_WINDOW = PREFACE + frame(SETTINGS, 0, 0, setting(4, 0))
#: Entries of the table, each of 4,000 bytes; and a block that names one of them again and again.
BOMB = [frame(HEADERS, 5, 1, request() + field("x", "y" * 4000, 0x40)), frame(HEADERS, 5, 3, request() + b"\xbe" * 16_000)]


def provoked(frame_of):
    """A request that the server works on, and what has the server reset it (CVE-2025-8671, "MadeYouReset")."""
    return lambda: (post(stream) + frame_of(stream) for stream in ANY)


# Name, what is sent again and again, the reason that is counted.
FLOODS = {
    "rapid reset (CVE-2023-44487)": (lambda: (get(stream) + frame(RESET, 0, stream, u32(CANCEL)) for stream in ANY), "reset-flood"),
    "rapid reset of requests that wait": (lambda: (post(stream) + frame(RESET, 0, stream, u32(CANCEL)) for stream in ANY), "reset-flood"),
    "MadeYouReset by a window that overflows": (provoked(lambda stream: frame(WINDOW, 0, stream, u32(0x7FFFFFFF))), "error-flood"),
    "MadeYouReset by a window that says nothing": (provoked(lambda stream: frame(WINDOW, 0, stream, u32(0))), "error-flood"),
    "MadeYouReset by a priority of a wrong length": (provoked(lambda stream: frame(PRIORITY, 0, stream, b"x")), "error-flood"),
    "MadeYouReset by a priority of itself": (provoked(lambda stream: frame(PRIORITY, 0, stream, u32(stream) + b"x")), "error-flood"),
    "MadeYouReset by trailers that end nothing": (
        provoked(lambda stream: frame(HEADERS, END_HEADERS, stream, field("x", "y"))), "error-flood"),
    "MadeYouReset by a body of another length": (
        lambda: (post(stream, "/origin", ("content-length", "9")) + frame(DATA, 1, stream, b"x") for stream in ANY), "error-flood"),
    "requests that are none": (lambda: (frame(HEADERS, 5, stream, field("x", "y")) for stream in ANY), "error-flood"),
    "requests that depend on themselves": (
        lambda: (frame(HEADERS, 0x25, stream, u32(stream) + b"\0" + request()) for stream in ANY), "error-flood"),
    "more streams than were allowed": (lambda: (post(stream) for stream in ANY), "error-flood"),
    "CONTINUATION (VU#421644), empty": (
        lambda: (frame(CONTINUATION, 0, 1) if n else frame(HEADERS, 1, 1, request()) for n in range(1000)), "continuation-flood"),
    "CONTINUATION, a byte each": (
        lambda: (frame(CONTINUATION, 0, 1, b"\x82") if n else frame(HEADERS, 1, 1, request()) for n in range(1000)), "continuation-flood"),
    "CONTINUATION, large": (
        lambda: (frame(CONTINUATION, 0, 1, bytes(16_000)) if n else frame(HEADERS, 1, 1, request()) for n in range(4)), "continuation-flood"),
    "SETTINGS (CVE-2019-9515)": (lambda: (frame(SETTINGS) for _ in ANY), "settings-flood"),
    "SETTINGS, full": (lambda: (frame(SETTINGS, 0, 0, setting(4, 1) * 100) for _ in ANY), "settings-flood"),
    "acknowledgements of SETTINGS": (lambda: (frame(SETTINGS, ACK) for _ in ANY), "settings-flood"),
    "PING (CVE-2019-9512)": (lambda: (frame(PING, 0, 0, bytes(8)) for _ in ANY), "ping-flood"),
    "acknowledgements of PING": (lambda: (frame(PING, ACK, 0, bytes(8)) for _ in ANY), "ping-flood"),
    "HPACK bomb": (lambda: iter(BOMB), "header-bomb"),
    "empty DATA (CVE-2019-9518)": (lambda: (frame(DATA, 0, 1) if n else POST for n in range(3000)), "empty-frame-flood"),
    "DATA of padding": (lambda: (frame(DATA, PADDED, 1, b"\0") if n else POST for n in range(3000)), "empty-frame-flood"),
    "PRIORITY (CVE-2019-9513)": (lambda: (frame(PRIORITY, 0, 3, bytes(5)) for _ in ANY), "frame-flood"),
    "WINDOW_UPDATE": (lambda: (frame(WINDOW, 0, 0, u32(1)) for _ in ANY), "frame-flood"),
    "frames of no known type": (lambda: (frame(0x42) for _ in ANY), "frame-flood"),
    "GOAWAY": (lambda: (frame(GOAWAY, 0, 0, bytes(8)) for _ in ANY), "frame-flood"),
    "resets of streams that are over": (lambda: (frame(RESET, 0, 1, u32(8)) if n else get(1) for n in range(3000)), "reset-flood"),
    "bytes of a body that nobody reads": (
        lambda: (frame(DATA, 0, 1, b"x") if n else get(1, flags=END_HEADERS) for n in range(3000)), "frame-flood"),
    "a window by the byte (CVE-2019-9511)": (
        lambda: (frame(WINDOW, 0, 1 + 2 * (n // 500), u32(1)) if n % 500 else NO_WINDOW[len(PREFACE):] + get(1 + 2 * (n // 500), "/openapi.json")
                 for n in range(3000)), "frame-flood"),
}


def refusals(balancer, reason):
    with API(balancer.admin, balancer.token) as api:
        lines = api.get("/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(f'balancer_http2_refusals_total{{reason="{reason}"}}'))


def memory(balancer):
    """Bytes that are the process's own. "Private" pages would be code too, from the moment on that no other process runs it."""
    with open(f"/proc/{balancer.process.pid}/smaps_rollup") as rollup:
        return 1024 * sum(int(line.split()[1]) for line in rollup if line.startswith("Anonymous:"))


def send_until_it_ends(connection, pieces):
    """Sends pieces until the goodbye is there or none is left; how many it took."""
    count = 0
    while connection.goodbye is None and not connection.was_reset and count < 5_000:
        some = [piece for _, piece in zip(range(100), pieces)]
        if not some:
            return count
        count += len(some)
        connection.send(b"".join(some))
        connection.wire.settimeout(0.005)
        try:
            while connection.goodbye is None and connection.next() is not None:
                pass
        except TimeoutError:
            pass
        connection.wire.settimeout(20)
    return count


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_ends_its_connection_and_no_other(way, name):
    pieces, reason = FLOODS[name]
    before, held = refusals(way, reason), memory(way)
    with Connection(*way.way) as witness, Connection(*way.way) as connection:
        assert witness.ask(1).status == 301
        count = send_until_it_ends(connection, pieces())
        assert witness.ask(3).status == 301
        with Connection(*way.way) as another:
            assert another.ask(1).status == 301
        connection.end()
        assert connection.goodbye and connection.goodbye.code == CALM, (count, connection.frames[-3:])
        assert count <= 2500
    assert refusals(way, reason) == before + 1
    # A bomb that goes off unpacks to 64 MiB.
    assert memory(way) - held < 4 << 20


def test_the_same_now_and_then_does_no_harm(way):
    """What a good client does in a long life: pings, settings, priorities, some requests that it gives up."""
    with Connection(*way.way) as connection:
        for stream in range(1, 3001, 2):
            connection.send(get(stream))
            if stream % 40 == 1:
                connection.send(frame(RESET, 0, stream, u32(CANCEL)), frame(PING, 0, 0, bytes(8)), frame(PRIORITY, 0, stream + 2, bytes(5)))
            connection.answer(stream)
        assert connection.ask(NEXT).status == 301 and connection.goodbye is None


def test_answers_that_nobody_lets_out_are_given_up_and_cost_little(begin):
    """A stalled window (CVE-2019-9517): the largest page, a hundred times on each of many connections, and none lets a byte through."""
    balancer = begin("--http2", "any", "--workers", "1", "--idle-timeout", "2")
    with Connection(balancer.listen) as witness:
        assert witness.ask(1).status == 301
        held = memory(balancer)
        stalled = [Connection(balancer.listen, hello=NO_WINDOW) for _ in range(50)]
        for connection in stalled:
            connection.send(b"".join(get(stream, "/openapi.json") for stream in range(1, 200, 2)))
        for connection in stalled:
            assert connection.settle()
        assert witness.ask(3).status == 301
        grown = memory(balancer) - held
        assert grown < 16 << 20, f"{grown >> 10} KiB for 5,000 answers"
        for connection in stalled:
            connection.end()
            assert {answer.reset for answer in connection.answers.values()} == {CANCEL} and len(connection.answers) == 100
            assert connection.goodbye.code == NO_ERROR
            connection.wire.close()
        assert refusals(balancer, "window-timeout") == 5_000


def test_a_client_that_does_not_read_costs_little_and_gets_its_answers_in_order(way):
    held, deaf = memory(way), []
    batches = [b"".join(get(stream) for stream in range(first, first + 1_000, 2)) for first in range(1, 300_000, 1_000)]
    for _ in range(2):
        connection = Connection(*way.way)
        connection.wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        connection.wire.settimeout(2)
        try:
            # Far more than the sockets keep.
            for batch in batches:
                connection.wire.sendall(batch)
            raise AssertionError("it reads on though its answers are not taken")
        except TimeoutError:
            deaf.append(connection)
    with Connection(*way.way) as witness:
        assert witness.ask(1).status == 301
    grown = memory(way) - held
    assert grown < 4 << 20, f"{grown >> 10} KiB"
    for connection in deaf:
        connection.wire.settimeout(20)
        assert connection.answer(1_999)["location"] == LOCATION and all(connection.answers[stream].is_whole for stream in range(1, 2_000, 2))
        connection.wire.close()


@pytest.mark.parametrize(("secure", "most"), [(True, 16_384), (False, 8_192)], ids=["TLS", "plain"])
def test_an_idle_connection_costs_little(begin, secure, most):
    """User memory of 2,000 connections whose clients have filled the table for their fields, as none needs to."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit[1], 8_192), limit[1]))
    balancer = begin("--http2", "any", "--workers", "1", "--idle-timeout", "600", "--listen-tls", "127.0.0.1:0", "--tls-certificate", "self-signed")
    address = balancer.logged("serving redirects by HTTPS", "listen") if secure else balancer.listen
    fields = b"".join(field(f"x-{number}", "y" * 400, 0x40) for number in range(10))

    def idle():
        connection = Connection(address, secure)
        connection.send(frame(HEADERS, 5, 1, request() + fields))
        assert connection.answer(1).status == 301
        return connection

    warm = [idle() for _ in range(200)]
    before = memory(balancer)
    kept = [idle() for _ in range(2_000)]
    each = (memory(balancer) - before) // 2_000
    print(f"{each} bytes for an idle connection")
    assert each <= most
    # They are still there.
    assert all(connection.ask(3).status == 301 for connection in kept[::100])
    for connection in warm + kept:
        connection.wire.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, limit)


def test_half_a_header_block_ends_at_its_deadline_however_it_drips(begin):
    """Slow CONTINUATION, and half a frame."""
    balancer = begin("--http2", "any", "--workers", "1", "--head-timeout", "1")
    for start, drip in [(frame(HEADERS, 1, 1, request()[:9]), frame(CONTINUATION, 0, 1)), (get(1)[:20], b"\0")]:
        with Connection(balancer.listen) as connection, Connection(balancer.listen) as witness:
            connection.send(start)
            begun = time.monotonic()
            while connection.goodbye is None and not connection.was_reset and time.monotonic() < begun + 10:
                connection.send(drip)
                connection.wire.settimeout(0.1)
                try:
                    connection.next()
                except TimeoutError:
                    pass
            assert connection.goodbye and time.monotonic() - begun < 5
            assert witness.ask(1).status == 301
    assert patiently(lambda: refusals(balancer, "head-timeout") == 2)
