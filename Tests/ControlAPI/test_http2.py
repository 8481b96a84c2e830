"""What RFC 9113 §3 to §8 and RFC 7541 ask of a server, requirement by requirement, on the wire; and what a flood of each kind comes to.

Each line of the table says what is sent behind the client's preface and what must come of it."""

import pytest

from http2 import *

LOCATION = "http://cdn.example.com/s1/a"
#: A stream that no case uses.
NEXT = 2001


# What must come of it.

def goes_on(check=lambda connection: True):
    """Nothing is ended: the next request is answered."""
    def judge(connection, sent):
        answer = connection.ask(NEXT)
        assert answer.status == 301 and answer["location"] == LOCATION
        assert all(each.reset is None for each in connection.answers.values()), connection.frames
        assert connection.goodbye is None and check(connection), connection.frames
    return judge


def answers(stream, status, reset=None, check=lambda answer: True):
    """A request is answered, and the next one."""
    def judge(connection, sent):
        answer = connection.answer(stream)
        assert answer.is_whole or answer.fields, f"reset with {answer.reset}"
        assert answer.status == status and check(answer)
        assert connection.ask(NEXT).status == 301 and connection.goodbye is None
        assert answer.reset == reset
    return judge


def resets(stream, code):
    """A stream error (§5.4.2): of this stream alone."""
    def judge(connection, sent):
        answer = connection.ask(NEXT)
        assert answer.status == 301 and connection.goodbye is None
        assert connection.answers[stream].reset == code and not connection.answers[stream].fields, connection.frames
    return judge


def dies(code, last=None):
    """A connection error (§5.4.1): GOAWAY, then the end; the last stream that it names may have been answered, none behind it was."""
    def judge(connection, sent):
        goodbye = connection.end()
        assert goodbye is not None, f"no goodbye: {connection.frames}, reset {connection.was_reset}"
        assert goodbye.code == code, connection.frames
        assert connection.frames[-1] is goodbye and not connection.was_reset
        answered = max(connection.answers, default=0)
        assert answered <= goodbye.last <= max(streams(sent), default=0) and (last is None or goodbye.last == last), goodbye
    return judge


def streams(sent):
    """The numbers of a client's that a script has opened."""
    sent, found = sent.removeprefix(PREFACE), [0]
    while len(sent) >= 9:
        length = int.from_bytes(sent[:3], "big")
        if sent[3] == HEADERS:
            found.append(int.from_bytes(sent[5:9], "big") & 0x7FFFFFFF)
        sent = sent[9 + length:]
    return found


# What is sent.

GET, POST = get(1), post(1)
#: Nothing of a body may be sent, so the answer's stream stays open: half-closed (remote).
HELD = frame(SETTINGS, 0, 0, setting(4, 0)) + get(1, "/openapi.json")
SETTINGS_FRAME, PING_FRAME = frame(SETTINGS), frame(PING, 0, 0, b"12345678")
KEPT = field("x-kept", "y", 0x40)
VIDEO = b'{"video": "http://s1.origin-cluster/a"}'
BIG = 16_385


def raw(*blocks, flags=END_STREAM | END_HEADERS, stream=1):
    return frame(HEADERS, flags, stream, b"".join(blocks))


REQUIREMENTS = [
    # §3.4: the connection preface.
    ("3.4", "SETTINGS come first", PREFACE + PING_FRAME, dies(PROTOCOL, 0)),
    ("3.4", "an acknowledgement is no first frame", PREFACE + frame(SETTINGS, ACK), dies(PROTOCOL, 0)),
    ("3.4", "requests may follow at once", PREFACE + SETTINGS_FRAME + GET, answers(1, 301)),
    ("3.4", "the server's SETTINGS come first, without ACK", b"", goes_on(lambda c: c.frames[0].kind == SETTINGS)),
    ("3.4", "the client's are acknowledged", b"", goes_on(lambda c: [f.flags for f in c.frames if f.kind == SETTINGS] == [0, 1])),
    ("3.4", "a preface that is none", PREFACE[:-1] + b"x" + SETTINGS_FRAME, dies(PROTOCOL, 0)),
    # §4.1: the frame header.
    ("4.1", "the reserved bit is ignored", frame(HEADERS, 5, 1 | 1 << 31, request()), answers(1, 301)),
    ("4.1", "flags without a meaning are ignored: HEADERS", frame(HEADERS, 0xD7 & ~PADDED & ~PRIORITISED | 5, 1, request()),
     answers(1, 301)),
    ("4.1", "flags without a meaning are ignored: PING", frame(PING, 0xFE, 0, b"12345678"),
     goes_on(lambda c: any(f.kind == PING and f.flags == ACK for f in c.frames))),
    ("4.1", "flags without a meaning are ignored: SETTINGS, WINDOW_UPDATE, PRIORITY",
     frame(SETTINGS, 0xFE) + frame(WINDOW, 0xFF, 0, u32(1)) + frame(PRIORITY, 0xFF, 3, u32(0) + b"\1"), goes_on()),
    ("4.1", "flags without a meaning are ignored: RST_STREAM, GOAWAY",
     POST + frame(RESET, 0xFF, 1, u32(8)) + frame(GOAWAY, 0xFF, 0, bytes(8)), goes_on()),
    ("4.1", "a frame of an unknown type is ignored", frame(0xFE, 0xFF, 7, b"x" * 100) + frame(0x20), goes_on()),
    # §4.2: frame size.
    ("4.2", "16,384 bytes are taken", POST + frame(DATA, END_STREAM, 1, b" " * 16_384), answers(1, 400)),
    *[("4.2", f"16,385 bytes are not: {name}", before + frame(kind, 0, stream, bytes(BIG)), dies(SIZE)) for name, kind, stream, before in [
        ("DATA", DATA, 1, POST), ("HEADERS", HEADERS, 1, b""), ("SETTINGS", SETTINGS, 0, b""), ("an unknown type", 0x42, 0, b""),
        ("CONTINUATION", CONTINUATION, 1, frame(HEADERS, 0, 1, request()))]],
    # §4.3: field section compression.
    ("4.3", "a block that is no HPACK", raw(b"\xff\xff\xff\xff\xff\xff"), dies(COMPRESSION)),
    ("4.3", "a block that ends inside a field", raw(request()[:-1]), dies(COMPRESSION)),
    ("4.3", "a block that ends inside a length", raw(request(), b"\0\x7f"), dies(COMPRESSION)),
    ("4.3", "trailers that are no HPACK", POST + raw(b"\x80"), dies(COMPRESSION)),
    ("4.3", "a block in many frames is one", frame(HEADERS, 1, 1) + b"".join(
        frame(CONTINUATION, 4 * (i == len(request()) - 1), 1, request()[i:i + 1]) for i in range(20)) + frame(
        CONTINUATION, 4, 1, request()[20:]), answers(1, 301)),
    ("4.3", "the table is followed for a request that is malformed", raw(KEPT, field("X", "y")) + raw(request(), b"\xbe", stream=3),
     lambda c, sent: (answers(3, 301)(c, sent), c.answers[1].reset == PROTOCOL or pytest.fail("not reset"))),
    ("4.3", "the table is followed for a stream that was reset here",
     get(1, flags=END_HEADERS) + raw(KEPT) + raw(request(), b"\xbe", stream=3), answers(3, 301)),
    ("4.3", "the table is followed for a request that depends on itself",
     raw(u32(1) + b"\0", request(), KEPT, flags=0x25) + raw(request(), b"\xbe", stream=3), answers(3, 301)),
    # §5.1: states of streams.
    *[("5.1", f"idle: {name}", sent, dies(PROTOCOL, 0)) for name, sent in [
        ("DATA", frame(DATA, 0, 1, b"x")), ("RST_STREAM", frame(RESET, 0, 1, u32(8))), ("WINDOW_UPDATE", frame(WINDOW, 0, 1, u32(1))),
        ("CONTINUATION", frame(CONTINUATION, 4, 1, request()))]],
    *[("5.1", f"idle, since no server's stream is: {name}", get(3) + sent, dies(PROTOCOL, 3)) for name, sent in [
        ("DATA", frame(DATA, 0, 2, b"x")), ("RST_STREAM", frame(RESET, 0, 2, u32(8))), ("WINDOW_UPDATE", frame(WINDOW, 0, 2, u32(1)))]],
    ("5.1", "idle: PRIORITY", frame(PRIORITY, 0, 5, u32(3) + b"\1") + get(5), answers(5, 301)),
    ("5.1", "half-closed: DATA", HELD + frame(DATA, 0, 1, b"x"), lambda c, s: held(c, CLOSED)),
    ("5.1", "half-closed: HEADERS", HELD + raw(field("x", "y")), lambda c, s: held(c, CLOSED)),
    ("5.1", "half-closed: CONTINUATION", HELD + frame(CONTINUATION, 4, 1, b""), dies(PROTOCOL)),
    ("5.1", "half-closed: PRIORITY, WINDOW_UPDATE", HELD + frame(PRIORITY, 0, 1, u32(3) + b"\1") + frame(WINDOW, 0, 1, u32(10)),
     lambda c, s: held(c, None)),
    ("5.1", "half-closed: RST_STREAM", HELD + frame(RESET, 0, 1, u32(8)) + frame(SETTINGS, 0, 0, setting(4, 65_535)),
     goes_on(lambda c: c.answers[1].body == b"")),
    ("5.1", "closed: DATA", GET + frame(DATA, 0, 1, b"x"), dies(CLOSED, 1)),
    ("5.1", "closed: HEADERS", GET + GET, dies(CLOSED, 1)),
    ("5.1", "closed: CONTINUATION", GET + frame(CONTINUATION, 4, 1, b""), dies(PROTOCOL, 1)),
    ("5.1", "closed: PRIORITY", GET + frame(PRIORITY, 0, 1, u32(3) + b"\1"), goes_on()),
    ("5.1", "closed: RST_STREAM and WINDOW_UPDATE may be on their way",
     GET + frame(RESET, 0, 1, u32(8)) + frame(WINDOW, 0, 1, u32(10)), goes_on()),
    ("5.1", "closed: a WINDOW_UPDATE that says nothing is answered by nothing", GET + frame(WINDOW, 0, 1, u32(0)), goes_on()),
    ("5.1", "closed by the client: DATA", POST + frame(RESET, 0, 1, u32(8)) + frame(DATA, 0, 1, b"x"), dies(CLOSED, 1)),
    ("5.1", "closed by the client: HEADERS", POST + frame(RESET, 0, 1, u32(8)) + raw(field("x", "y")), dies(CLOSED, 1)),
    ("5.1", "reset here: what was on its way is passed over",
     get(1, flags=END_HEADERS) + frame(DATA, 0, 1, b"x") + frame(WINDOW, 0, 1, u32(1)) + frame(PRIORITY, 0, 1, u32(3) + b"\1")
     + raw(field("x", "y")) + frame(RESET, 0, 1, u32(8)), answers(1, 301, NO_ERROR)),
    # §5.1.1: numbers of streams.
    ("5.1.1", "an even number", get(2), dies(PROTOCOL)),
    ("5.1.1", "number 0", get(0), dies(PROTOCOL, 0)),
    ("5.1.1", "a number below one that was used", get(5) + get(3), dies(PROTOCOL, 5)),
    ("5.1.1", "a number that was used", get(5) + get(3 + 2), dies(CLOSED, 5)),
    ("5.1.1", "numbers may be left out", get(1) + get(101), answers(101, 301)),
    # §5.1.2: concurrency.
    ("5.1.2", "the 101st stream is refused", b"".join(post(2 * i + 1) for i in range(101)), lambda c, s: crowd(c)),
    # §5.3: priorities are no more, but what a frame says is checked.
    ("5.3.1", "HEADERS that depend on themselves", raw(u32(1) + b"\0", request(), flags=0x25), resets(1, PROTOCOL)),
    ("5.3.1", "PRIORITY that depends on itself", HELD + frame(PRIORITY, 0, 1, u32(1) + b"\0"), lambda c, s: held(c, PROTOCOL)),
    # §5.4: errors.
    ("5.4.1", "an error ends what is open, and nothing of it is sent", HELD + frame(PING, 0, 1, b"12345678"), dies(PROTOCOL, 1)),
    ("5.4.2", "a reset is not answered by a reset", POST + frame(RESET, 0, 1, u32(8)) * 2, goes_on(lambda c: 1 not in c.answers)),
    # §5.5: extensions.
    ("5.5", "an unknown setting is ignored", frame(SETTINGS, 0, 0, setting(0xFFF1, 7) + setting(0, 7)), goes_on()),
    ("5.5", "an unknown type inside a header block", frame(HEADERS, 1, 1, request()) + frame(0x42, 0, 1), dies(PROTOCOL)),
    ("5.5", "PRIORITY_UPDATE of RFC 9218 is ignored", frame(0x10, 0, 0, u32(1) + b"u=1") + GET, answers(1, 301)),
    # §6.1: DATA.
    ("6.1", "on stream 0", frame(DATA, 0, 0, b"x"), dies(PROTOCOL)),
    ("6.1", "padding as long as the frame", POST + frame(DATA, PADDED, 1, b"\2x"), dies(PROTOCOL)),
    ("6.1", "padding without its length", POST + frame(DATA, PADDED, 1), dies(SIZE)),
    ("6.1", "padding up to the end", POST + frame(DATA, PADDED, 1, b"\2\0\0") + frame(DATA, 9, 1, b"\xff" + VIDEO + bytes(255)),
     answers(1, 301)),
    # §6.2: HEADERS.
    ("6.2", "padding longer than the frame", raw(b"\x03\x82", flags=0xD), dies(PROTOCOL)),
    ("6.2", "padding without its length", frame(HEADERS, 0xD, 1), dies(SIZE)),
    ("6.2", "a priority that is cut", raw(u32(0), flags=0x25), dies(SIZE)),
    ("6.2", "padding over the priority", raw(b"\x06" + u32(0) + b"\1" + request()[:5], flags=0x2D), dies(PROTOCOL)),
    ("6.2", "padding and a priority", raw(b"\x05" + u32(0) + b"\1", request(), bytes(5), flags=0x2D), answers(1, 301)),
    *[("6.2", f"between HEADERS and CONTINUATION: {name}", frame(HEADERS, 1, 1, request()[:9]) + sent, dies(PROTOCOL)) for name, sent in [
        ("HEADERS", raw(request()[9:])), ("HEADERS of another stream", get(3)), ("DATA", frame(DATA, 0, 1)), ("PING", PING_FRAME),
        ("SETTINGS", SETTINGS_FRAME), ("PRIORITY", frame(PRIORITY, 0, 1, bytes(5))), ("RST_STREAM", frame(RESET, 0, 1, u32(8))),
        ("WINDOW_UPDATE", frame(WINDOW, 0, 0, u32(1))), ("GOAWAY", frame(GOAWAY, 0, 0, bytes(8)))]],
    # §6.3: PRIORITY.
    ("6.3", "on stream 0", frame(PRIORITY, 0, 0, bytes(5)), dies(PROTOCOL)),
    ("6.3", "another length: of a stream", HELD + frame(PRIORITY, 0, 1, bytes(4)), lambda c, s: held(c, SIZE)),
    ("6.3", "another length: of an idle stream, which none may reset", frame(PRIORITY, 0, 1, bytes(6)), dies(SIZE, 0)),
    ("6.3", "another length: of a closed stream", GET + frame(PRIORITY, 0, 1, bytes(6)), goes_on()),
    # §6.4: RST_STREAM.
    ("6.4", "on stream 0", frame(RESET, 0, 0, u32(8)), dies(PROTOCOL)),
    ("6.4", "another length", POST + frame(RESET, 0, 1, bytes(3)), dies(SIZE)),
    ("6.4", "of an idle stream", frame(RESET, 0, 9, u32(8)), dies(PROTOCOL)),
    ("6.4", "an unknown code is like any", POST + frame(RESET, 0, 1, u32(0xFFFFFFFF)), goes_on()),
    # §6.5: SETTINGS.
    ("6.5", "on a stream", frame(SETTINGS, 0, 1), dies(PROTOCOL)),
    ("6.5", "ACK with a payload", frame(SETTINGS, ACK, 0, setting(1, 1)), dies(SIZE)),
    ("6.5", "no multiple of six", frame(SETTINGS, 0, 0, bytes(7)), dies(SIZE)),
    ("6.5.2", "ENABLE_PUSH 2", frame(SETTINGS, 0, 0, setting(2, 2)), dies(PROTOCOL)),
    ("6.5.2", "ENABLE_PUSH 0 and 1", frame(SETTINGS, 0, 0, setting(2, 1) + setting(2, 0)), goes_on()),
    ("6.5.2", "INITIAL_WINDOW_SIZE 2^31", frame(SETTINGS, 0, 0, setting(4, 1 << 31)), dies(FLOW)),
    ("6.5.2", "INITIAL_WINDOW_SIZE 2^31-1", frame(SETTINGS, 0, 0, setting(4, (1 << 31) - 1)), goes_on()),
    ("6.5.2", "MAX_FRAME_SIZE 16,383", frame(SETTINGS, 0, 0, setting(5, 16_383)), dies(PROTOCOL)),
    ("6.5.2", "MAX_FRAME_SIZE 2^24", frame(SETTINGS, 0, 0, setting(5, 1 << 24)), dies(PROTOCOL)),
    ("6.5.2", "all others, as large as they go", frame(SETTINGS, 0, 0, b"".join(setting(i, (1 << 32) - 1) for i in (1, 3, 6, 7, 8))),
     goes_on()),
    ("6.5.3", "each is acknowledged once", SETTINGS_FRAME * 5,
     goes_on(lambda c: sum(f.kind == SETTINGS and f.flags == ACK for f in c.frames) == 6)),
    ("6.5.3", "values take effect in their order, the last one stays",
     frame(SETTINGS, 0, 0, setting(4, 0) + setting(4, 7)) + get(1, "/openapi.json"), lambda c, s: sized(c, 7)),
    # §6.6: PUSH_PROMISE.
    ("6.6", "no client may promise", POST + frame(PUSH, 4, 1, u32(2) + request()), dies(PROTOCOL)),
    # §6.7: PING.
    ("6.7", "is answered with its bytes", frame(PING, 0, 0, b"\0\xffabcdef"),
     goes_on(lambda c: [f.payload for f in c.frames if f.kind == PING] == [b"\0\xffabcdef"])),
    ("6.7", "an answer is not answered", frame(PING, ACK, 0, b"12345678"), goes_on(lambda c: all(f.kind != PING for f in c.frames))),
    ("6.7", "on a stream", POST + frame(PING, 0, 1, b"12345678"), dies(PROTOCOL)),
    ("6.7", "another length", frame(PING, 0, 0, b"1234567"), dies(SIZE)),
    # §6.8: GOAWAY.
    ("6.8", "on a stream", frame(GOAWAY, 0, 1, bytes(8)), dies(PROTOCOL)),
    ("6.8", "too short", frame(GOAWAY, 0, 0, bytes(7)), dies(SIZE)),
    ("6.8", "open streams are answered behind a client's", POST + frame(GOAWAY, 0, 0, bytes(8) + b"bye") + frame(DATA, 1, 1, VIDEO),
     answers(1, 301)),
    # §6.9: WINDOW_UPDATE and flow control.
    ("6.9", "0 for the connection", frame(WINDOW, 0, 0, u32(0)), dies(PROTOCOL)),
    ("6.9", "0 for a stream", HELD + frame(WINDOW, 0, 1, u32(0)), lambda c, s: held(c, PROTOCOL)),
    ("6.9", "the reserved bit is ignored", HELD + frame(WINDOW, 0, 1, u32(1 << 31 | 9)), lambda c, s: sized(c, 9)),
    ("6.9", "another length", HELD + frame(WINDOW, 0, 1, bytes(5)), dies(SIZE)),
    ("6.9.1", "the connection's above 2^31-1", frame(WINDOW, 0, 0, u32(0x7FFFFFFF)), dies(FLOW)),
    ("6.9.1", "a stream's above 2^31-1", POST + frame(WINDOW, 0, 1, u32(0x7FFFFFFF)), resets(1, FLOW)),
    ("6.9.1", "a stream's is obeyed", frame(SETTINGS, 0, 0, setting(4, 1)) + get(1, "/openapi.json"), lambda c, s: sized(c, 1)),
    ("6.9.1", "a redirect needs none", frame(SETTINGS, 0, 0, setting(4, 0)) + GET, answers(1, 301)),
    ("6.9.1", "the connection's is obeyed", frame(SETTINGS, 0, 0, setting(4, 1 << 20)) + b"".join(
        get(2 * i + 1, "/openapi.json") for i in range(9)), lambda c, s: c.settle() and (
        sum(len(f.payload) for f in c.frames if f.kind == DATA) == 65_535 or pytest.fail(str(c.frames)))),
    ("6.9.1", "more than the server's window", post(1, "/s1/a") + b"".join(frame(DATA, 0, 1, bytes(16_384)) for _ in range(3)),
     answers(1, 405, NO_ERROR)),
    ("6.9.2", "a stream's window may become negative, and grows from there",
     frame(SETTINGS, 0, 0, setting(4, 10)) + get(1, "/openapi.json") + frame(SETTINGS, 0, 0, setting(4, 0)) + frame(
         WINDOW, 0, 1, u32(10)) + frame(WINDOW, 0, 1, u32(3)), lambda c, s: sized(c, 13)),
    ("6.9.2", "SETTINGS that take a window above 2^31-1",
     POST + frame(WINDOW, 0, 1, u32(1)) + frame(SETTINGS, 0, 0, setting(4, 0x7FFFFFFF)), dies(FLOW)),
    ("6.9.2", "the connection's window is no setting", frame(SETTINGS, 0, 0, setting(4, 0x7FFFFFFF)) * 3, goes_on()),
    # §6.10: CONTINUATION.
    ("6.10", "on stream 0", frame(HEADERS, 1, 1, request()) + frame(CONTINUATION, 4, 0), dies(PROTOCOL)),
    ("6.10", "of another stream", frame(HEADERS, 1, 1, request()) + frame(CONTINUATION, 4, 3), dies(PROTOCOL)),
    ("6.10", "without HEADERS", frame(CONTINUATION, 4, 1, request()), dies(PROTOCOL)),
    ("6.10", "behind END_HEADERS", POST + frame(CONTINUATION, 4, 1, b""), dies(PROTOCOL)),
    ("6.10", "behind DATA", POST + frame(DATA, 0, 1, b" ") + frame(CONTINUATION, 4, 1, b""), dies(PROTOCOL)),
    # §8.1: messages.
    ("8.1", "trailers", POST + frame(DATA, 0, 1, VIDEO) + raw(field("x-sum", "1")), answers(1, 301)),
    ("8.1", "trailers that end nothing", POST + raw(field("x", "y"), flags=END_HEADERS), resets(1, PROTOCOL)),
    ("8.1", "trailers with a pseudo-header field", POST + raw(field(":path", "/")), resets(1, PROTOCOL)),
    ("8.1", "trailers with a name in upper case", POST + raw(field("X", "y")), resets(1, PROTOCOL)),
    ("8.1", "an answer that waits for no body ends the stream with NO_ERROR", get(1, flags=END_HEADERS), answers(1, 301, NO_ERROR)),
    ("8.1", "a body on GET is passed over", get(1, flags=END_HEADERS) + frame(DATA, 1, 1, b"x"), answers(1, 301, NO_ERROR)),
    # §8.1.1: malformed messages.
    *[("8.1.1", f"content-length {name}", sent, resets(1, PROTOCOL)) for name, sent in [
        ("above the body", post(1, "/origin", ("content-length", "9")) + frame(DATA, 1, 1, b"12345678")),
        ("below the body", post(1, "/origin", ("content-length", "3")) + frame(DATA, 1, 1, b"1234")),
        ("below the body in pieces", post(1, "/origin", ("content-length", "3")) + frame(DATA, 0, 1, b"12") + frame(DATA, 0, 1, b"34")),
        ("above an empty body", post(1, "/origin", ("content-length", "3")) + frame(DATA, 1, 1)),
        ("above a body that ends with trailers", post(1, "/origin", ("content-length", "3")) + raw(field("x", "y"))),
        ("without a body", get(1, "/s1/a", ("content-length", "3")))]],
    ("8.1.1", "content-length 0 without a body", get(1, "/s1/a", ("content-length", "0")), answers(1, 301)),
    ("8.1.1", "content-length twice, differing", post(1, "/origin", ("content-length", "3"), ("content-length", "4")),
     answers(1, 400, NO_ERROR)),
    # §8.2.1: names and values.
    *[("8.2.1", f"{name!r}: {value!r}", raw(request(), field(name, value)), resets(1, PROTOCOL)) for name, value in [
        ("X", "y"), ("xY", "y"), ("", "y"), ("a b", "y"), ("a:b", "y"), ("x\0", "y"), ("x\x1f", "y"), ("x\x7f", "y"), ("x\x80", "y"),
        ("x\xff", "y"), ("x", "a\0"), ("x", "a\n"), ("x", "a\rb"), ("x", " a"), ("x", "a "), ("x", "\ta"), ("x", "a\t")]],
    ("8.2.1", "an empty value", get(1, "/s1/a", ("x", "")), answers(1, 301)),
    # §8.2.2: fields of a connection.
    *[("8.2.2", f"{name}: {value}", get(1, "/s1/a", (name, value)), resets(1, PROTOCOL)) for name, value in [
        ("connection", "close"), ("connection", "x"), ("keep-alive", "timeout=5"), ("proxy-connection", "keep-alive"),
        ("transfer-encoding", "chunked"), ("upgrade", "h2c"), ("te", "gzip"), ("te", "trailers, deflate"), ("te", "")]],
    ("8.2.2", "te: trailers", get(1, "/s1/a", ("te", "trailers")), answers(1, 301)),
    # §8.2.3: cookies.
    ("8.2.3", "cookies may come in crumbs", get(1, "/s1/a", *[("cookie", f"c{i}={i}") for i in range(300)]), answers(1, 301)),
    # §8.3: pseudo-header fields.
    *[("8.3", name, raw(sent), resets(1, PROTOCOL)) for name, sent in [
        ("an unknown one", request() + field(":x", "y")), ("one of an answer", request() + field(":status", "200")),
        (":protocol, which nobody was allowed", request(method="CONNECT") + field(":protocol", "websocket")),
        ("behind a field", field("x", "y") + request()), ("the last behind a field", request(authority=None) + block(("x", "y"), (":authority", "b"))),
        (":method twice", request() + field(":method", "GET")), (":scheme twice", request() + field(":scheme", "https")),
        (":path twice", request() + field(":path", "/s1/a")), (":authority twice", request() + field(":authority", "b")),
        ("no :method", request(method=None)), ("no :scheme", request(scheme=None)), ("no :path", request(path=None)),
        ("an empty :path", request(path="")), ("an empty :method", request(method="")), ("nothing", b""),
        ("upper case", request(path=None) + field(":Path", "/"))]],
    ("8.3.1", "a host that differs", get(1, "/s1/a", ("host", "c")), answers(1, 400)),
    ("8.3.1", "a host in place of :authority", get(1, "/s1/a", ("host", "b"), authority=None), answers(1, 301)),
    ("8.3.1", "neither", get(1, authority=None), answers(1, 400)),
    ("8.3.1", "userinfo", get(1, authority="me@b"), answers(1, 400)),
    ("8.3.1", "a path that is an address", get(1, "http://b/s1/a"), answers(1, 400)),
    ("8.3.1", "OPTIONS *", get(1, "*", method="OPTIONS"), answers(1, 204)),
    # §8.5: CONNECT.
    ("8.5", "with a path and scheme", get(1, method="CONNECT", authority="b:1"), resets(1, PROTOCOL)),
    ("8.5", "without :authority", raw(field(":method", "CONNECT")), resets(1, PROTOCOL)),
    ("8.5", "is not done here", raw(block((":method", "CONNECT"), (":authority", "b:443"))), answers(1, 405)),
    # RFC 7541.
    ("7541 §2.3.2", "an entry serves later requests", raw(request(), KEPT) + raw(request(), b"\xbe", stream=3), answers(3, 301)),
    ("7541 §4.2", "a size update above the limit", raw(number(4097, 5, 0x20), request()), dies(COMPRESSION)),
    ("7541 §4.2", "a size update at the limit, and two", raw(number(0, 5, 0x20), number(4096, 5, 0x20), request()), answers(1, 301)),
    ("7541 §4.2", "a size update behind a field", raw(request(), number(0, 5, 0x20)), dies(COMPRESSION)),
    ("7541 §4.2", "a size update between fields", raw(b"\x82", number(0, 5, 0x20), request()), dies(COMPRESSION)),
    ("7541 §4.3", "a smaller table forgets", raw(request(), KEPT) + raw(number(0, 5, 0x20), request(), b"\xbe", stream=3), dies(COMPRESSION)),
    ("7541 §4.4", "an entry larger than the table empties it", raw(request(), KEPT, field("x", "y" * 4096, 0x40), b"\xbe"),
     dies(COMPRESSION)),
    ("7541 §4.4", "and is no error", raw(request(), field("x", "y" * 4096, 0x40)), answers(1, 301)),
    *[("7541 §5.1", f"a number that overflows: {name}", raw(request(), sent), dies(COMPRESSION)) for name, sent in [
        ("an index", b"\xff" + b"\xff" * 9 + b"\x01"), ("a name's length", b"\0\x7f" + b"\xff" * 9 + b"\x01"),
        ("a value's length", b"\x0f\x2f\x7f" + b"\xff" * 10), ("with zeros", b"\xff" + b"\x80" * 12 + b"\0"),
        ("that does not end", b"\xff\x80")]],
    ("7541 §5.1", "a size that overflows", raw(b"\x3f" + b"\xff" * 9 + b"\x01"), dies(COMPRESSION)),
    *[("7541 §5.2", f"Huffman's code: {name}", raw(request(), b"\0\1x", sent), dies(COMPRESSION)) for name, sent in [
        ("padding of eight ones", b"\x83\x1f\xff\xff"), ("padding of zeros", b"\x81\x18"), ("an end of string inside", b"\x84\xff\xff\xff\xff"),
        ("nothing but padding, too long", b"\x82\xff\xff"), ("longer than the block", b"\x85\x1f")]],
    ("7541 §5.2", "Huffman's code: padding of seven ones", raw(request(), b"\0\1x", b"\x81\x1f"), answers(1, 301)),
    ("7541 §6.1", "index 0", raw(request(), b"\x80"), dies(COMPRESSION)),
    ("7541 §6.1", "an index beyond the table", raw(request(), b"\xbe"), dies(COMPRESSION)),
    ("7541 §6.2", "a name's index beyond the table", raw(request(), b"\x7e\1y"), dies(COMPRESSION)),
    ("7541 §6.2.2", "what is not to be stored is not", raw(request(), field("x", "y")) + raw(request(), b"\xbe", stream=3), dies(COMPRESSION)),
    ("7541 §6.2.3", "what is never to be stored is not", raw(request(), field("x", "y", 0x10)) + raw(request(), b"\xbe", stream=3),
     dies(COMPRESSION)),
]


def held(connection, code):
    """The stream that waits for its window was reset with `code`, or waits on; the connection goes on."""
    assert connection.ask(NEXT).status == 301 and connection.goodbye is None
    assert connection.answers[1].reset == code and connection.answers[1].fields
    if code is None:
        connection.send(frame(SETTINGS, 0, 0, setting(4, 65_535)))
        assert connection.answer(1).is_whole


def sized(connection, count):
    """So many bytes of the body came, then no more until the window opens."""
    assert connection.ask(NEXT).status == 301
    assert len(connection.answers[1].body) == count and not connection.answers[1].is_whole
    connection.send(frame(WINDOW, 0, 1, u32(60_000)))
    answer = connection.answer(1)
    assert len(answer.body) == int(answer["content-length"])


def crowd(connection):
    assert connection.answer(201).reset == REFUSED
    assert connection.settle() and set(connection.answers) == {201}
    # One of them makes room.
    connection.send(frame(DATA, END_STREAM, 1, VIDEO))
    assert connection.answer(1).status == 301 and connection.ask(NEXT).status == 301


@pytest.mark.parametrize(("sent", "judge"), [case[2:] for case in REQUIREMENTS], ids=[f"{case[0]}: {case[1]}" for case in REQUIREMENTS])
def test_requirement(way, sent, judge):
    if not sent.startswith(b"PRI"):
        sent = PREFACE + SETTINGS_FRAME + sent
    with Connection(*way.way, hello=sent) as connection:
        judge(connection, sent)


def test_a_beginning_in_pieces_is_one(way):
    with Connection(*way.way, hello=b"") as connection:
        for byte in PREFACE + SETTINGS_FRAME + GET:
            connection.send(bytes([byte]))
        assert connection.answer(1)["location"] == LOCATION
