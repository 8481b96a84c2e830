"""What a TLS client may say at the wrong moment: data before the handshake, a second handshake, new keys, messages that nobody asked for.

Whatever it is, it is refused by an alert or passed over, is never answered twice, and nobody else notices.
"""

import json
import socket
import time

import pytest

import libssl
from balancer import VIDEO, Balancer, patiently
from client import API
from http2 import PREFACE, SETTINGS, Connection, frame, get
from libssl import REJECTED, TLS12, Failed, Session, with_another_ticket
from test_http2_floods import memory

pytestmark = pytest.mark.skipif(libssl.IS_MISSING, reason="libssl.so.3 is not installed")

GET = f"GET /?video={VIDEO} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
BODY = json.dumps({"video": VIDEO}).encode()
POST = b"POST /origin HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
# Of a page, which is the slow path's.
PAGE = b"HEAD /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
# What belongs to a record of early data: head, kind, tag.
AROUND = 5 + 1 + 16
MOST = 16_384


@pytest.fixture(scope="module", params=[[], ["--fast-path", "off"]], ids=["fast path", "slow path"])
def node(request, tmp_path_factory):
    flags = ["--workers", "1", "--listen-tls", "127.0.0.1:0", "--tls-certificate", "self-signed", *request.param]
    with Balancer(tmp_path_factory.mktemp("sessions"), *flags, ORIGIN_EVERY="0") as balancer:
        balancer.secure = balancer.logged("serving redirects by HTTPS", "listen")
        with API(balancer.admin, balancer.token) as api:
            balancer.api = api
            yield balancer
        assert balancer.process.poll() is None


@pytest.fixture(autouse=True)
def witness(node):
    """Another client, who is answered before and afterwards, in the same connection."""
    with Session(node.secure).handshake() as witness:
        assert witness.ask(GET).startswith(b"HTTP/1.1 301 ")
        yield witness
        assert witness.ask(GET).startswith(b"HTTP/1.1 301 ")


class Wire:
    """What `Connection` speaks HTTP/2 over.

    `updates`: each piece of what is said has keys of its own.
    """

    def __init__(self, session, updates=False):
        self.session, self.updates = session, updates
        self.close = session.wire.close

    def sendall(self, data):
        for start in range(0, len(data), 5):
            if self.updates:
                self.session.update_keys(asks=start % 2 == 0)
            self.session.say(data[start:start + 5])
        self.session.send()

    def recv(self, _):
        return self.session.read()


def count(node, metric):
    lines = node.api.get("/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(metric))


def redirects(node):
    return count(node, "balancer_redirects_total")


def failures(node, reason):
    return count(node, f'balancer_tls_handshake_failures_total{{reason="{reason}"}}')


def ticket(node, kind):
    with Session(node.secure).handshake() as session:
        session.ask(GET)
        good = session.ticket()
    changes = {"its own": None, "of unknown keys": lambda old: bytes([old[0] ^ 1]) + old[1:], "damaged": lambda old: old[:-1] + bytes([old[-1] ^ 1])}
    return with_another_ticket(good, changes[kind]) if changes[kind] else good


def early(session, sizes):
    """A hello and records of early data: requests, as far as they fit."""
    for size in sizes:
        session.early((GET * (size // len(GET) + 1))[:size])
    return session.take()


# MARK: Early data (RFC 8446 §4.2.10, RFC 8470 §3)

TICKETS = ["its own", "of unknown keys", "damaged"]
#: P-521 is not spoken, so the first hello is answered by HelloRetryRequest.
GROUPS = pytest.mark.parametrize("groups", [None, "P-521:X25519"], ids=["", "second hello"])


@GROUPS
@pytest.mark.parametrize("kind", TICKETS)
@pytest.mark.parametrize("sizes", [[len(GET)], [1], [1000] * 16, [10] * 500, [MOST - AROUND]], ids=["one", "byte", "many", "tiny", "most"])
def test_early_data_is_passed_over_and_the_request_behind_it_is_answered_once(node, kind, sizes, groups):
    with Session(node.secure, groups=groups, resumes=ticket(node, kind), early_limit=1 << 30) as session:
        before = redirects(node)
        session.send(early(session, sizes))
        assert session.fill() and redirects(node) == before, "answered before the handshake"
        session.handshake()
        assert session.early_status == REJECTED and session.is_resumed == (kind == "its own")
        assert session.ask(GET).count(b"HTTP/1.1 301 ") == 1
        # The slow path goes on with the session.
        assert session.ask(POST).count(b"HTTP/1.1 301 ") == 1
        assert session.read_all() == b"" and redirects(node) == before + 2


@GROUPS
def test_early_data_of_HTTP2_is_passed_over_too(node, groups):
    with Session(node.secure, protocol="h2").handshake() as session, Connection(None, wire=Wire(session)) as connection:
        assert connection.ask(1).status == 301
        known = session.ticket()
    was = redirects(node)
    with Session(node.secure, groups=groups, resumes=known, early_limit=1 << 30, protocol="h2") as session:
        session.early(PREFACE + frame(SETTINGS) + get(1) + get(3))
        session.send()
        session.handshake()
        assert session.early_status == REJECTED and session.is_resumed
        with Connection(None, wire=Wire(session)) as connection:
            assert connection.ask(1).status == 301 and connection.settle() and list(connection.answers) == [1]
    assert redirects(node) == was + 1


@GROUPS
def test_early_data_in_segments_of_any_cut_is_passed_over(node, groups):
    known = ticket(node, "its own")

    def begin():
        return Session(node.secure, groups=groups, resumes=known, early_limit=1 << 30)

    with begin() as session:
        flight = early(session, [300] * 2)
    hello = 5 + int.from_bytes(flight[3:5], "big")
    cuts = {*range(1, 8), *range(hello - 2, hello + 14), *range(hello, len(flight), 23)}
    for cut in sorted(cuts):
        with begin() as session:
            flight = early(session, [300] * 2)
            session.send(flight[:cut])
            time.sleep(0.002)
            session.send(flight[cut:])
            session.handshake()
            assert session.early_status == REJECTED and session.ask(GET).startswith(b"HTTP/1.1 301 "), cut
    with begin() as session:
        for byte in early(session, [300] * 2):
            session.send(bytes([byte]))
        assert session.handshake().ask(GET).startswith(b"HTTP/1.1 301 ")


@GROUPS
@pytest.mark.parametrize("kind", TICKETS)
@pytest.mark.parametrize("sizes", [[MOST - AROUND + 1], [MOST - AROUND, 1], [1] * 713, [16_000] * 20], ids=["one", "two", "tiny", "flood"])
def test_too_much_early_data_is_ended_by_an_alert(node, kind, sizes, groups):
    before, failed, held = redirects(node), failures(node, "early-data"), memory(node)
    known = ticket(node, kind)
    for _ in range(5):
        with Session(node.secure, groups=groups, resumes=known, early_limit=1 << 30) as session:
            session.send(early(session, sizes))
            with pytest.raises(Failed, match="alert unexpected message"):
                session.handshake().read()
    assert failures(node, "early-data") == failed + 5 and redirects(node) == before + 1
    assert memory(node) - held < 4 << 20


def test_early_data_that_stops_halfway_costs_no_more_than_any_half_record(node):
    known, held, kept = ticket(node, "its own"), memory(node), []
    for _ in range(100):
        session = Session(node.secure, resumes=known, early_limit=1 << 30)
        session.send(early(session, [MOST - AROUND])[:-1])
        assert session.fill()
        kept.append(session)
    assert memory(node) - held < 100 * 65_536
    for session in kept:
        session.__exit__()


def test_a_connection_that_says_nothing_is_no_handshake_that_failed(node):
    """A load balancer that looks whether the port is open, every few seconds. Regression: the slow path counted it."""
    failed = failures(node, "closed")
    for _ in range(20):
        socket.create_connection(("127.0.0.1", int(node.secure.rsplit(":", 1)[1]))).close()
    # Behind them in the queue.
    with Session(node.secure) as session:
        session.hello()
        session.send(session.take()[:20])
    assert patiently(lambda: failures(node, "closed") == failed + 1)
    assert failures(node, "closed") == failed + 1


# MARK: A second handshake (TLS 1.2)


@pytest.mark.parametrize(
    ("before", "together", "answers"),
    [(b"", False, 0), (GET[:20], False, 0), (GET[:20], True, 0), (GET, False, 1), (GET, True, 0), (GET * 2, True, 0), (POST[:-7], False, 0),
     (POST[:-7], True, 0), (POST, True, 0), (PAGE, False, 1)],
    ids=["at once", "in a head", "in a head, one segment", "behind an answer", "behind a request", "behind two requests", "in a body",
         "in a body, one segment", "behind a body", "behind an answer of the slow path"])
def test_a_second_handshake_is_refused_by_an_alert_that_says_so_wherever_it_begins(node, before, together, answers):
    was, failed = redirects(node), failures(node, "renegotiation")
    with Session(node.secure, version=TLS12).handshake() as session:
        if answers:
            session.ask(before)
        elif before:
            session.say(before)
            if not together:
                session.send()
                time.sleep(0.02)
        session.renegotiate()
        session.send()
        with pytest.raises(Failed, match="alert no renegotiation"):
            session.read_all()
        assert not session.fill(), "the connection goes on"
    assert failures(node, "renegotiation") == failed + 1
    # Regression: the slow path decided requests, and counted their redirects, whose answers the session could not carry any more.
    assert redirects(node) == was + (answers if b"video" in before else 0)


def test_a_second_hello_in_the_first_handshake_is_refused(node):
    failed = failures(node, "malformed")
    for version in (TLS12, libssl.TLS13):
        with Session(node.secure, version=version) as session, Session(node.secure, version=version) as other:
            session.hello()
            other.hello()
            session.send()
            assert session.fill()
            session.send(other.take())
            while session.fill():
                pass
    assert failures(node, "malformed") == failed + 2


@pytest.mark.parametrize("length", [1, 5, 60, 200])
@pytest.mark.parametrize("version", [TLS12, libssl.TLS13], ids=["1.2", "1.3"])
def test_a_hello_in_many_records_is_one(node, version, length):
    """As clients send it who hide the name in it from whoever looks at packets."""
    with Session(node.secure, version=version) as session:
        session.hello()
        hello = session.take()[5:]
        for start in range(0, len(hello), length):
            part = hello[start:start + length]
            session.send(b"\x16\3\1" + len(part).to_bytes(2, "big") + part)
        assert session.handshake().ask(GET).startswith(b"HTTP/1.1 301 ")


@pytest.mark.parametrize("version", [TLS12, libssl.TLS13], ids=["1.2", "1.3"])
@pytest.mark.parametrize("asked", [[], [GET], [POST[:-5]], [PAGE]], ids=["at once", "behind an answer", "in a body", "behind an answer of the slow path"])
def test_a_client_that_says_goodbye_is_told_goodbye(node, version, asked):
    """Some wait for it, and call its want an error. Regression: the fast path just closed."""
    with Session(node.secure, version=version).handshake() as session:
        for request in asked:
            session.say(request)
            session.send()
            if request in (GET, PAGE):
                session.read()
        session.end()
        session.send()
        assert session.read_all() == b"" and session.has_ended


# MARK: New keys and other messages behind the handshake (TLS 1.3)


@pytest.mark.parametrize("asks", [False, True], ids=["", "both sides"])
def test_new_keys_come_between_any_two_bytes_of_a_request(node, asks):
    with Session(node.secure).handshake() as session:
        for cut in range(1, len(GET), 2):
            session.update_keys(asks)
            session.say(GET[:cut])
            session.update_keys(asks)
            assert session.ask(GET[cut:]).count(b"HTTP/1.1 301 ") == 1, cut
    for cut in range(1, len(POST), 5):
        with Session(node.secure).handshake() as session:
            session.say(POST[:cut])
            session.send()
            session.update_keys(asks)
            assert session.ask(POST[cut:]).startswith(b"HTTP/1.1 301 "), cut


def test_new_keys_come_between_the_frames_of_HTTP2(node):
    with Session(node.secure, protocol="h2").handshake() as session, Connection(None, wire=Wire(session, updates=True)) as connection:
        assert [connection.ask(stream).status for stream in (1, 3, 5)] == [301] * 3


def message(kind, body):
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


UPDATE = message(24, b"\0")
# Records of what kind and content; the last of them is refused.
UNASKED = {
    "HelloRequest": [(22, message(0, b""))],
    "NewSessionTicket": [(22, message(4, bytes(20)))],
    "EndOfEarlyData": [(22, message(5, b""))],
    "EncryptedExtensions": [(22, message(8, b"\0\0"))],
    "Certificate": [(22, message(11, b"\0\0\0\0"))],
    "CertificateRequest": [(22, message(13, bytes(5)))],
    "CertificateVerify": [(22, message(15, bytes(70)))],
    "Finished": [(22, message(20, bytes(32)))],
    "CompressedCertificate": [(22, message(25, bytes(8)))],
    "a message of no known kind": [(22, message(99, b"x"))],
    "a message without end": [(22, b"\x63\xff\xff\xff" + bytes(1000))],
    "new keys of no known kind": [(22, message(24, b"\2"))],
    "new keys without a word": [(22, message(24, b""))],
    "new keys with too much": [(22, message(24, b"\0\0"))],
    "new keys and more in one record": [(22, UPDATE + UPDATE)],
    "data inside a message": [(22, UPDATE[:2]), (23, b"GET")],
    "empty messages without end": [(22, b"")] * 100,
    "a change of cipher": [(20, b"\1")],
    "a heartbeat": [(24, b"\1\0\4abcd")],
    "a record of no kind": [(0, b"")],
    "an alert of half its length": [(21, b"\1")],
    "two alerts in one": [(21, b"\1\x5a\1\x5a")],
}


@pytest.mark.parametrize("name", UNASKED)
@pytest.mark.parametrize("begun", [b"", GET[:30], POST[:-9]], ids=["", "in a head", "in a body"])
def test_what_nobody_asked_for_ends_the_session_by_an_alert(node, name, begun):
    was = redirects(node)
    with Session(node.secure).handshake() as session:
        session.send(session.seal(23, begun) if begun else b"")
        for kind, content in UNASKED[name]:
            time.sleep(0.002)
            session.send(session.seal(kind, content))
        with pytest.raises(Failed, match="alert "):
            session.read_all()
        assert not session.fill(), "the connection goes on"
    assert redirects(node) == was


def test_new_keys_in_pieces_are_new_keys(node):
    with Session(node.secure).handshake() as session:
        for byte in UPDATE:
            session.send(session.seal(22, bytes([byte])))
        session.renew()
        session.send(session.seal(23, GET))
        assert session.read().startswith(b"HTTP/1.1 301 ")


def test_a_long_message_is_refused_before_it_is_kept(node):
    held = memory(node)
    for _ in range(20):
        with Session(node.secure).handshake() as session:
            session.send(session.seal(22, b"\x0b\x00\x40\x01"))
            for _ in range(20):
                session.send(session.seal(22, bytes(16_000)))
            with pytest.raises(Failed, match="alert "):
                session.read_all()
    assert memory(node) - held < 4 << 20
