"""A client of TLS on the system's OpenSSL by ctypes, for what no tool does: early data without leave, second handshakes, new keys at any moment.

It keeps what it says apart from the wire, so that a test cuts it anywhere.
"""

import contextlib
import ctypes
import hmac
import socket

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

try:
    _ssl, _crypto = ctypes.CDLL("libssl.so.3"), ctypes.CDLL("libcrypto.so.3")
except OSError:
    _ssl = _crypto = None
IS_MISSING = _ssl is None

TLS12, TLS13 = 0x303, 0x304
#: What a client may learn of its early data.
NOT_SENT, REJECTED, ACCEPTED = range(3)
_SET_MINIMUM, _SET_MAXIMUM, _SET_GROUPS, _WANT_READ, _ZERO_RETURN, _PENDING = 123, 124, 92, 2, 6, 10


def _call(name, *arguments, result=ctypes.c_int):
    function = getattr(_ssl, name, None) or getattr(_crypto, name)
    function.restype = result
    return function(*[ctypes.c_void_p(each.value) if isinstance(each, ctypes.c_void_p) else each for each in arguments])


def _pointer(name, *arguments):
    got = ctypes.c_void_p(_call(name, *arguments, result=ctypes.c_void_p))
    assert got.value, name
    return got


class Failed(Exception):
    """The session has failed; the text is OpenSSL's."""


def _expand(secret, label, length):
    """HKDF-Expand-Label (RFC 8446 §7.1), of one block."""
    label = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes([len(label)]) + label + b"\0"
    return hmac.digest(secret, info + b"\1", "sha256")[:length]


@ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)
def _note_secret(session, line):
    """A line of a key log."""
    label, _, secret = line.decode().split()
    _secrets[session, label] = bytes.fromhex(secret)


_secrets = {}


class Session:
    """One session over a connected socket."""

    def __init__(self, address, version=TLS13, groups=None, resumes=None, early_limit=None, protocol=None):
        """`early_limit`: bytes of early data that the ticket is said to allow."""
        host, port = address.rsplit(":", 1)
        self.wire = socket.create_connection((host, int(port)), timeout=20)
        self.wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.context = _pointer("SSL_CTX_new", _pointer("TLS_client_method"))
        for control in (_SET_MINIMUM, _SET_MAXIMUM):
            assert _call("SSL_CTX_ctrl", self.context, control, ctypes.c_long(version), None, result=ctypes.c_long) == 1
        if groups:
            assert _call("SSL_CTX_ctrl", self.context, _SET_GROUPS, ctypes.c_long(0), groups.encode(), result=ctypes.c_long) == 1
        # It offers to authenticate itself later, which nobody should ask of it.
        _call("SSL_CTX_set_post_handshake_auth", self.context, 1, result=None)
        _call("SSL_CTX_set_keylog_callback", self.context, _note_secret, result=None)
        self.ssl = _pointer("SSL_new", self.context)
        self.input, self.output = (_pointer("BIO_new", _pointer("BIO_s_mem")) for _ in range(2))
        _call("SSL_set_bio", self.ssl, self.input, self.output, result=None)
        _call("SSL_set_connect_state", self.ssl, result=None)
        if protocol:
            name = bytes([len(protocol)]) + protocol.encode()
            assert _call("SSL_set_alpn_protos", self.ssl, name, len(name)) == 0
        if resumes:
            copy = _pointer("SSL_SESSION_dup", resumes)
            if early_limit is not None:
                assert _call("SSL_SESSION_set_max_early_data", copy, ctypes.c_uint32(early_limit)) == 1
            assert _call("SSL_set_session", self.ssl, copy) == 1
            _call("SSL_SESSION_free", copy, result=None)
        self.has_ended, self._secret, self._sealed = False, None, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.close()
        _call("SSL_free", self.ssl, result=None)
        _call("SSL_CTX_free", self.context, result=None)

    # What it says and hears, apart from the wire.

    def take(self):
        """Records to be sent."""
        count = _call("BIO_ctrl", self.output, _PENDING, ctypes.c_long(0), None, result=ctypes.c_long)
        room = ctypes.create_string_buffer(max(1, count))
        count = _call("BIO_read", self.output, room, count)
        return room.raw[:max(0, count)]

    def _wants(self, result):
        """Whether it waits for the peer; what else was wrong is raised."""
        why = _call("SSL_get_error", self.ssl, result)
        if why == _WANT_READ:
            return True
        if why == _ZERO_RETURN:
            self.has_ended = True
            return False
        text = ctypes.create_string_buffer(256)
        _call("ERR_error_string_n", ctypes.c_ulong(_call("ERR_get_error", result=ctypes.c_ulong)), text, ctypes.c_size_t(256), result=None)
        _call("ERR_clear_error", result=None)
        raise Failed(text.value.decode())

    def hello(self):
        """Begins."""
        self._wants(_call("SSL_do_handshake", self.ssl))

    def early(self, data):
        """Says it before the handshake; the first call says hello as well."""
        written = ctypes.c_size_t()
        if _call("SSL_write_early_data", self.ssl, data, ctypes.c_size_t(len(data)), ctypes.byref(written)) != 1:
            self._wants(0)

    @property
    def early_status(self):
        return _call("SSL_get_early_data_status", self.ssl)

    @property
    def is_resumed(self):
        return _call("SSL_session_reused", self.ssl) == 1

    def say(self, data):
        result = _call("SSL_write", self.ssl, data, len(data))
        if result != len(data):
            self._wants(result)

    def update_keys(self, asks=False):
        """Says so with the next bytes; `asks`: the peer is to have new ones too."""
        assert _call("SSL_key_update", self.ssl, int(asks)) == 1

    def end(self):
        """Says that it says no more (close_notify)."""
        assert _call("SSL_shutdown", self.ssl) == 0

    def renegotiate(self):
        """Says hello once more, inside the session (TLS 1.2)."""
        assert _call("SSL_renegotiate", self.ssl) == 1
        self._wants(_call("SSL_do_handshake", self.ssl))

    def seal(self, kind, content):
        """A record of TLS 1.3 with AES-128 and any content. What `say` makes afterwards is not understood any more."""
        self._secret = secret = self._secret or _secrets[self.ssl.value, "CLIENT_TRAFFIC_SECRET_0"]
        number = int.from_bytes(_expand(secret, b"iv", 12), "big") ^ self._sealed
        self._sealed += 1
        head = b"\x17\3\3" + (len(content) + 17).to_bytes(2, "big")
        return head + AESGCM(_expand(secret, b"key", 16)).encrypt(number.to_bytes(12, "big"), content + bytes([kind]), head)

    def renew(self):
        """The keys that `seal` takes from now on (RFC 8446 §7.2)."""
        self._secret, self._sealed = _expand(self._secret, b"traffic upd", 32), 0

    # The wire.

    def send(self, data=None):
        """What stands in its way is told by what is read next."""
        with contextlib.suppress(ConnectionError):
            self.wire.sendall(self.take() if data is None else data)

    def fill(self):
        """Reads once from the wire; false at its end."""
        with contextlib.suppress(ConnectionError):
            if got := self.wire.recv(1 << 16):
                assert _call("BIO_write", self.input, got, len(got)) == len(got)
                return True
        return False

    def handshake(self):
        while (result := _call("SSL_do_handshake", self.ssl)) != 1:
            self._wants(result)
            self.send()
            if not self.fill():
                raise Failed("the wire has ended")
        self.send()
        return self

    def read(self):
        """What comes next; nothing at the end."""
        room = ctypes.create_string_buffer(1 << 16)
        while (result := _call("SSL_read", self.ssl, room, len(room))) <= 0:
            waits = self._wants(result)
            # Answers to key updates.
            self.send()
            if not waits or not self.fill():
                return b""
        return room.raw[:result]

    def read_all(self):
        got = b""
        while more := self.read():
            got += more
        return got

    def ask(self, request):
        """The head that answers it."""
        self.say(request)
        self.send()
        got = b""
        while b"\r\n\r\n" not in got:
            more = self.read()
            assert more, f"ended after {got}"
            got += more
        return got

    def ticket(self):
        """To be resumed from, once an answer has been read. A copy, since OpenSSL spoils that of a session that ends early; it is never freed."""
        return _pointer("SSL_SESSION_dup", _pointer("SSL_get_session", self.ssl))


def with_another_ticket(session, change):
    """The same session with the bytes of its ticket changed."""
    size = _call("i2d_SSL_SESSION", session, None)
    room = ctypes.create_string_buffer(size)
    _call("i2d_SSL_SESSION", session, ctypes.byref(ctypes.c_void_p(ctypes.addressof(room))))
    ticket, length = ctypes.c_void_p(), ctypes.c_size_t()
    _call("SSL_SESSION_get0_ticket", session, ctypes.byref(ticket), ctypes.byref(length), result=None)
    old = ctypes.string_at(ticket, length.value)
    changed = room.raw.replace(old, change(old))
    assert len(changed) == size and changed != room.raw
    return _pointer("d2i_SSL_SESSION", None, ctypes.byref(ctypes.c_char_p(changed)), ctypes.c_long(size))
