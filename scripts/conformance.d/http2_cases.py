#!/usr/bin/env python3
"""Sends every redirect case by HTTP/1, by HTTP/2 without TLS, and by HTTP/2 and HTTP/1 over TLS, and compares the answers.
   http2_cases.py --port N --tls-port N cases.jsonl
Status, Location and body must be the same, but for whose turn it is: an address at the CDN counts as that at the origin. Frames are made and read by hand: no library repairs what was asked. Loopback only."""
import argparse, json, re, socket, ssl, sys

arguments = argparse.ArgumentParser()
arguments.add_argument('--port', type=int, required=True)
arguments.add_argument('--tls-port', type=int, required=True)
arguments.add_argument('cases')
A = arguments.parse_args()

NAMES = {20: 'access-control-allow-origin', 22: 'allow', 24: 'cache-control', 28: 'content-length', 31: 'content-type', 33: 'date',
         45: 'link', 46: 'location', 53: 'retry-after', 59: 'vary'}
STATUSES = {0x88: '200', 0x89: '204', 0x8C: '400', 0x8D: '404'}
BATCH = 50
CDN, ORIGIN = 'http://cdn.example.com/s1', 'http://s1.origin-cluster'


def connect(port, protocol=None):
    wire = socket.create_connection(('127.0.0.1', port), 5)
    if protocol:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols([protocol])
        wire = context.wrap_socket(wire)
        assert wire.selected_alpn_protocol() == protocol
    wire.settimeout(5)
    return wire


def frame(kind, flags, stream, payload=b''):
    return len(payload).to_bytes(3, 'big') + bytes([kind, flags]) + stream.to_bytes(4, 'big') + payload


def number(value, bits, upper=0):
    most = (1 << bits) - 1
    if value < most:
        return bytes([upper | value])
    out, value = bytearray([upper | most]), value - most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def field(name, value):
    return b'\0' + number(len(name), 7) + name + number(len(value), 7) + value


def read_number(block, at, bits):
    most = (1 << bits) - 1
    value, at = block[at] & most, at + 1
    if value < most:
        return value, at
    shift = 0
    while True:
        value, shift, at = value + ((block[at] & 127) << shift), shift + 7, at + 1
        if block[at - 1] < 128:
            return value, at


def read_string(block, at):
    length, at = read_number(block, at, 7)
    return block[at:at + length].decode('latin-1'), at + length


def fields_of(block):
    at, fields = 0, []
    while at < len(block):
        first = block[at]
        if first == 0x20:
            at += 1
        elif first in STATUSES:
            fields.append((':status', STATUSES[first]))
            at += 1
        else:
            index, at = read_number(block, at, 4)
            name = ':status' if index == 8 else NAMES.get(index)
            if index == 0:
                name, at = read_string(block, at)
            value, at = read_string(block, at)
            fields.append((name, value))
    return fields


class HTTP2:
    def __init__(self, port, secure):
        self.port, self.secure = port, secure
        self.open()

    def open(self):
        self.wire, self.buffer, self.stream = connect(self.port, 'h2' if self.secure else None), b'', 1
        self.wire.sendall(b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' + frame(4, 0, 0) + frame(8, 0, 0, (1 << 30).to_bytes(4, 'big')))

    def take(self):
        while len(self.buffer) < 9 or len(self.buffer) < 9 + int.from_bytes(self.buffer[:3], 'big'):
            more = self.wire.recv(1 << 16)
            if not more:
                raise ConnectionError('ended')
            self.buffer += more
        length = 9 + int.from_bytes(self.buffer[:3], 'big')
        head, payload, self.buffer = self.buffer[:9], self.buffer[9:length], self.buffer[length:]
        return head[3], head[4], int.from_bytes(head[5:9], 'big'), payload

    def ask(self, targets):
        """The answers to many requests at once; an error code where there is none."""
        if self.stream > 1 << 20:
            self.open()
        first, out = self.stream, b''
        for target in targets:
            block = b''.join([field(b':method', b'GET'), field(b':scheme', b'https'), field(b':path', target),
                              field(b':authority', b'localhost')])
            out += frame(1, 5, self.stream, block)
            self.stream += 2
        self.wire.sendall(out)
        answers, left = {}, len(targets)
        while left:
            kind, flags, stream, payload = self.take()
            if kind == 7:
                raise ConnectionError(f'goodbye, code {int.from_bytes(payload[4:8], "big")}')
            if kind == 3:
                answers[stream] = f'reset, code {int.from_bytes(payload, "big")}'
                left -= 1
            if kind == 1:
                assert flags & 4
                answers[stream] = [fields_of(payload), b'']
            if kind == 0:
                answers[stream][1] += payload
            if kind in (0, 1) and flags & 1:
                left -= 1
        return [self.told(answers[first + 2 * index]) for index in range(len(targets))]

    @staticmethod
    def told(answer):
        if isinstance(answer, str):
            return answer
        fields, body = answer
        values = dict(fields)
        return int(values[':status']), [value for name, value in fields if name == 'location'], body


class HTTP1:
    def __init__(self, port, secure):
        self.port, self.secure = port, secure
        self.wire, self.buffer = connect(port, 'http/1.1' if secure else None), b''

    def ask(self, targets):
        return [self.one(target) for target in targets]

    def one(self, target):
        self.wire.sendall(b'GET ' + target + b' HTTP/1.1\r\nHost: localhost\r\n\r\n')
        while b'\r\n\r\n' not in self.buffer:
            self.read()
        head, self.buffer = self.buffer.split(b'\r\n\r\n', 1)
        length = int(re.search(rb'(?im)^content-length: (\d+)', head).group(1))
        while len(self.buffer) < length:
            self.read()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        locations = [value.decode('latin-1') for value in re.findall(rb'(?im)^location: ([^\r]*)\r?$', head + b'\r')]
        if re.search(rb'(?im)^connection: close', head):
            self.wire.close()
            self.wire, self.buffer = connect(self.port, 'http/1.1' if self.secure else None), b''
        return int(head[9:12]), locations, body

    def read(self):
        more = self.wire.recv(1 << 16)
        if not more:
            raise ConnectionError('ended')
        self.buffer += more


peers = {'HTTP/1': HTTP1(A.port, False), 'HTTP/2': HTTP2(A.port, False), 'HTTP/1 over TLS': HTTP1(A.tls_port, True),
         'HTTP/2 over TLS': HTTP2(A.tls_port, True)}
cases = [json.loads(line) for line in open(A.cases)]
failures = redirects = 0
for start in range(0, len(cases), BATCH):
    batch = cases[start:start + BATCH]
    targets = [case['target'].encode() for case in batch]
    answers = {name: peer.ask(targets) for name, peer in peers.items()}
    for name in peers:
        answers[name] = [one if isinstance(one, str) else (one[0], [value.replace(CDN, ORIGIN, 1) for value in one[1]], one[2])
                         for one in answers[name]]
    for index, case in enumerate(batch):
        told = answers['HTTP/1'][index]
        redirects += bool(told[1])
        for name in peers:
            if answers[name][index] != told:
                failures += 1
                if failures <= 20:
                    print(f'{case["id"]}: {name} says {answers[name][index]}, HTTP/1 {told}')
print(f'{len(cases)} cases by {len(peers)} protocols, {redirects} redirects, {failures} differences')
sys.exit(failures > 0)
