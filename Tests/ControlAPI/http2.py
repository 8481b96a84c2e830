"""A client of HTTP/2 that writes its frames by hand, so that none is too wrong to be sent, and reads strictly what comes back."""

import socket
import ssl

from hpack import Decoder

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RESET, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITISED = 1, 1, 4, 8, 0x20
# RFC 9113 §7.
NO_ERROR, PROTOCOL, INTERNAL, FLOW, TIMEOUT, CLOSED, SIZE, REFUSED, CANCEL, COMPRESSION, CONNECT_ERROR, CALM = range(12)
# Flags that a frame from a server may have (§6).
_FLAGS = {DATA: 1, HEADERS: 5, RESET: 0, SETTINGS: 1, PING: 1, GOAWAY: 0, WINDOW: 0, CONTINUATION: 4}
_LENGTHS = {RESET: (4,), PING: (8,), WINDOW: (4,), GOAWAY: (8,)}


def u32(number):
    return number.to_bytes(4, "big")


def frame(kind, flags=0, stream=0, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + u32(stream) + payload


def setting(name, value):
    return name.to_bytes(2, "big") + u32(value)


def number(value, bits, upper=0):
    """An integer of RFC 7541 §5.1."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([upper | value])
    out, value = bytearray([upper | most]), value - most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def field(name, value, kind=0x00):
    """A field written out; `kind`: 0x00 not stored, 0x10 never stored, 0x40 stored."""
    name, value = (text.encode("latin-1") if isinstance(text, str) else text for text in (name, value))
    return bytes([kind]) + number(len(name), 7) + name + number(len(value), 7) + value


def block(*fields):
    return b"".join(field(*each) for each in fields)


def request(path="/s1/a", *fields, method="GET", authority="b", scheme="https"):
    """The fields of a request; a pseudo-header field that is None is left out."""
    pseudo = [(":method", method), (":scheme", scheme), (":path", path), (":authority", authority)]
    return block(*[each for each in pseudo if each[1] is not None], *fields)


def get(stream, path="/s1/a", *fields, flags=END_STREAM | END_HEADERS, **pseudo):
    return frame(HEADERS, flags, stream, request(path, *fields, **pseudo))


def post(stream, path="/origin", *fields, flags=END_HEADERS, **pseudo):
    """A request whose body follows; /origin waits for it."""
    return frame(HEADERS, flags, stream, request(path, *fields, method="POST", **pseudo))


class Frame:
    def __init__(self, kind, flags, stream, payload):
        self.kind, self.flags, self.stream, self.payload = kind, flags, stream, payload

    @property
    def code(self):
        return int.from_bytes(self.payload[-4:], "big")

    @property
    def last(self):
        """Of a GOAWAY: the last stream that may have been answered."""
        return int.from_bytes(self.payload[:4], "big")

    def __repr__(self):
        return f"{self.kind}/{self.flags:x} on {self.stream}: {self.payload[:24].hex()}"


class Answer:
    def __init__(self):
        self.fields, self.body, self.is_whole, self.reset, self.interim = [], b"", False, None, []

    @property
    def status(self):
        return int(dict(self.fields)[":status"])

    def __getitem__(self, name):
        return dict(self.fields).get(name)


def connect(address, secure, protocol="h2", before=b"", source=None):
    """`before`: what a proxy says first, outside of TLS."""
    host, port = address.rsplit(":", 1)
    wire = socket.create_connection((host, int(port)), timeout=20, source_address=source and (source, 0))
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if before:
        wire.sendall(before)
    if not secure:
        return wire
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols([protocol])
    # An end without close_notify is an error.
    wire = context.wrap_socket(wire, suppress_ragged_eofs=False)
    assert wire.selected_alpn_protocol() == protocol
    return wire


class Connection:
    """One connection; every frame that comes is checked against what a server may send (RFC 9113 §4 to §6, §8.1)."""

    def __init__(self, address, secure=False, hello=PREFACE + frame(SETTINGS), wire=None):
        self.wire = wire or connect(address, secure)
        self.decoder, self.buffer, self.frames, self.answers = Decoder(), b"", [], {}
        self.has_ended = self.was_reset = False
        self.goodbye = None
        self._block = None
        if hello:
            self.send(hello)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.close()

    def send(self, *pieces):
        try:
            for piece in pieces:
                self.wire.sendall(piece)
        except (ConnectionError, ssl.SSLError):
            self.was_reset = True

    def _fill(self):
        try:
            more = self.wire.recv(1 << 16)
        except ConnectionError:
            self.was_reset, more = True, b""
        self.buffer += more
        self.has_ended = not more
        return bool(more)

    def next(self):
        """The next frame; None at the end."""
        while len(self.buffer) < 9 or len(self.buffer) < 9 + int.from_bytes(self.buffer[:3], "big"):
            if not self._fill():
                assert not self.buffer, f"ended inside a frame: {self.buffer[:40]}"
                return None
        length = 9 + int.from_bytes(self.buffer[:3], "big")
        head, payload, self.buffer = self.buffer[:9], self.buffer[9:length], self.buffer[length:]
        got = Frame(head[3], head[4], int.from_bytes(head[5:], "big"), payload)
        self.frames.append(got)
        self._check(got)
        return got

    def _check(self, got):
        assert self.goodbye is None or self.goodbye.last == 0x7FFFFFFF or got.kind != GOAWAY or got.last <= self.goodbye.last, got
        assert len(got.payload) <= 16_384 and got.kind in _FLAGS and got.flags & ~_FLAGS[got.kind] == 0, got
        assert len(got.payload) in _LENGTHS.get(got.kind, (len(got.payload),)), got
        assert (got.stream == 0) == (got.kind in (SETTINGS, PING, GOAWAY)) or got.kind == WINDOW, got
        assert self._block is None or (got.kind == CONTINUATION and got.stream == self._block[0]), f"inside a header block: {got}"
        assert len(self.frames) > 1 or (got.kind == SETTINGS and not got.flags), f"the first frame is {got}"
        if got.kind == GOAWAY:
            self.goodbye = got
        if got.kind == WINDOW:
            assert 0 < got.code <= 0x7FFFFFFF, got
        if got.stream == 0 or got.kind == WINDOW:
            return
        answer = self.answers.setdefault(got.stream, Answer())
        assert answer.reset is None, f"behind a reset: {got}"
        if got.kind == RESET:
            answer.reset = got.code
            return
        assert not answer.is_whole or got.kind == CONTINUATION, f"behind the end of the stream: {got}"
        if got.kind == DATA:
            assert answer.fields, f"no head before {got}"
            answer.body += got.payload
        else:
            self._block = (got.stream, (self._block[1] if self._block else b"") + got.payload)
            if got.flags & END_HEADERS:
                fields, self._block = self.decoder.decode(self._block[1]), None
                assert fields[0][0] == ":status" and all(name == name.lower() and name[0] != ":" for name, _ in fields[1:]), fields
                assert not {"connection", "keep-alive", "transfer-encoding", "upgrade"} & {name for name, _ in fields}
                if fields[0][1].startswith("1"):
                    answer.interim.append(int(fields[0][1]))
                else:
                    assert not answer.fields, f"a second head: {fields}"
                    answer.fields = fields
        if got.kind in (DATA, HEADERS) and got.flags & END_STREAM:
            answer.is_whole = True

    def read_until(self, found):
        """Reads until `found(frame)`; the frame, or None at the end."""
        while (got := self.next()) is not None:
            if found(got):
                return got
        return None

    def answer(self, stream):
        """The whole answer on a stream, or what it was reset with."""
        def known():
            return (mine := self.answers.get(stream)) and (mine.is_whole or mine.reset is not None) and self._block is None

        while not known():
            assert self.next() is not None, f"ended without an answer on {stream}: {self.frames[-3:]}"
        return self.answers[stream]

    def ask(self, stream, *words, **options):
        self.send(get(stream, *words, **options))
        return self.answer(stream)

    def settle(self, text=b"settled!"):
        """Reads what has been said so far: a PING is answered behind it."""
        self.send(frame(PING, 0, 0, text))
        return self.read_until(lambda got: got.kind == PING and got.flags and got.payload == text)

    def end(self):
        """Reads to the end; the last goodbye."""
        self.read_until(lambda _: False)
        return self.goodbye
