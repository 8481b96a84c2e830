import Steering
import Testing

@testable import Edge

@Suite struct ProxyHeaderTests {
    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

    private func read(_ text: String) -> ProxyHeader { read([UInt8](latin1: text)) }

    private func read(_ bytes: [UInt8]) -> ProxyHeader { ProxyHeader.read(bytes.span, count: bytes.count) }

    /// A version 2 header of a command, a family and what follows.
    private func binary(_ command: UInt8, _ family: UInt8, _ content: [UInt8]) -> [UInt8] {
        ProxyHeaderTests.signature + [command, family, UInt8(content.count >> 8), UInt8(content.count & 0xFF)] + content
    }

    @Test func `version 1 names an IPv4 or IPv6 client, or none`() {
        #expect(
            read("PROXY TCP4 192.0.2.1 198.51.100.1 4711 80\r\nGET /") == .complete(length: 43, client: ClientAddress("192.0.2.1")))
        #expect(read("PROXY TCP6 2001:db8::1 ::1 1 2\r\n") == .complete(length: 32, client: ClientAddress("2001:db8::1")))
        #expect(read("PROXY UNKNOWN\r\n") == .complete(length: 15, client: nil))
        #expect(read("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n") == .complete(length: 43, client: nil))
    }

    @Test func `version 2 names an IPv4 or IPv6 client, or none`() {
        let four: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 1, 0x12, 0x67, 0, 80]
        #expect(read(binary(0x21, 0x11, four)) == .complete(length: 28, client: ClientAddress("192.0.2.1")))
        let six = [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1] + [UInt8](repeating: 0, count: 20)
        #expect(read(binary(0x21, 0x21, six)) == .complete(length: 52, client: ClientAddress("2001:db8::1")))
        #expect(read(binary(0x20, 0x00, [])) == .complete(length: 16, client: nil))
        #expect(read(binary(0x21, 0x00, [1, 2, 3])) == .complete(length: 19, client: nil))
        // Further fields (TLVs) follow the addresses.
        #expect(read(binary(0x21, 0x11, four + [4, 0, 1, 0])) == .complete(length: 32, client: ClientAddress("192.0.2.1")))
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\n", "proxy TCP4 1.1.1.1 1.1.1.1 1 1\r\n", "PROXY TCP4 1.1.1.1 1.1.1.1 1\r\n", "PROXY TCP4 1.1.1.1\r\n",
        "PROXY TCP4 ::1 ::1 1 1\r\n", "PROXY UDP4 1.1.1.1 1.1.1.1 1 1\r\n", "PROXY TCP4 1.1.1.1 1.1.1.1 1 1 1\r\n",
        "PROXY TCP4 1.1.1.1 1.1.1.1 x 1\r\n", "PROXY TCP4  1.1.1.1 1.1.1.1 1 1\r\n", "PROXY \r\n", "PROXY TCP4 1.1.1.1 1.1.1.1 1 1\rX",
        "PROXY UNKNOWN" + String(repeating: " ", count: 100), "PROXY UNKNOWNS\r\n",
        // Ports that were counted as digits, and families that do not match.
        "PROXY TCP4 1.1.1.1 1.1.1.1 65536 1\r\n", "PROXY TCP4 1.1.1.1 1.1.1.1 1 99999\r\n", "PROXY TCP4 1.1.1.1 1.1.1.1 01 1\r\n",
        "PROXY TCP4 1.1.1.1 1.1.1.1 1 00\r\n", "PROXY TCP4 1.1.1.1 1.1.1.1 1 \r\n", "PROXY TCP4 1.1.1.1 1.1.1.1 -1 1\r\n",
        "PROXY TCP6 1.1.1.1 ::1 1 1\r\n", "PROXY TCP6 ::1 1.1.1.1 1 1\r\n", "PROXY TCP4 1.1.1.1 ::1 1 1\r\n",
        "PROXY TCP4 ::ffff:1.1.1.1 1.1.1.1 1 1\r\n", "PROXY TCP4 01.1.1.1 1.1.1.1 1 1\r\n",
    ]) func `what is no header of version 1 is invalid`(text: String) {
        #expect(read(text) == .invalid)
    }

    @Test func `what is no header of version 2 is invalid`() {
        #expect(read(binary(0x11, 0x11, [UInt8](repeating: 0, count: 12))) == .invalid)
        #expect(read(binary(0x22, 0x11, [UInt8](repeating: 0, count: 12))) == .invalid)
        #expect(read(binary(0x21, 0x12, [UInt8](repeating: 0, count: 12))) == .invalid)
        #expect(read(binary(0x21, 0x11, [UInt8](repeating: 0, count: 11))) == .invalid)
        #expect(read(binary(0x21, 0x21, [UInt8](repeating: 0, count: 35))) == .invalid)
        #expect(read(ProxyHeaderTests.signature + [0x21, 0x11, 0xFF, 0xFF]) == .invalid)
    }

    @Test func `ports go from 0 to 65535`() {
        #expect(read("PROXY TCP4 1.1.1.1 1.1.1.1 0 65535\r\n") == .complete(length: 36, client: ClientAddress("1.1.1.1")))
    }

    /// What stands behind the addresses was not looked at, and a local socket's addresses could be missing.
    @Test func `regression: lengths of version 2 must fit: addresses, then whole fields to the end`() {
        let four: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 1, 0x12, 0x67, 0, 80]
        let local = [UInt8](repeating: 0, count: 216)
        for fields in [[], [4, 0, 0], [4, 0, 1, 0], [4, 0, 2, 1, 1, 5, 0, 0]] as [[UInt8]] {
            guard case .complete = read(binary(0x21, 0x11, four + fields)) else { Issue.record("\(fields)"); continue }
            #expect(read(binary(0x21, 0x31, local + fields)) == .complete(length: 232 + fields.count, client: nil))
        }
        for fields in [[4], [4, 0], [4, 0, 1], [4, 0, 2, 1], [4, 0, 1, 0, 0], [4, 255, 255, 0]] as [[UInt8]] {
            #expect(read(binary(0x21, 0x11, four + fields)) == .invalid, "\(fields)")
            #expect(read(binary(0x21, 0x32, local + fields)) == .invalid, "\(fields)")
        }
        for (command, family) in [(0x21, 0x31), (0x21, 0x01), (0x21, 0x10), (0x21, 0x20), (0x21, 0x22), (0x21, 0x41), (0x31, 0x00)]
            as [(UInt8, UInt8)]
        {
            #expect(read(binary(command, family, four)) == .invalid, "\(command) \(family)")
        }
        // LOCAL: the receiver takes it with any family, and drops the rest.
        #expect(read(binary(0x20, 0x11, [1])) == .complete(length: 17, client: nil))
    }

    @Test func `a header is incomplete at every byte before its last`() {
        let headers = [
            [UInt8](latin1: "PROXY TCP4 192.0.2.1 198.51.100.1 4711 80\r\n"), [UInt8](latin1: "PROXY UNKNOWN\r\n"),
            binary(0x21, 0x11, [192, 0, 2, 1, 198, 51, 100, 1, 0x12, 0x67, 0, 80, 4, 0, 1, 0]), binary(0x20, 0x00, []),
        ]
        for header in headers {
            for count in 0..<header.count { #expect(read(Array(header[..<count])) == .incomplete, "\(count)") }
            guard case .complete(header.count, _) = read(header) else { Issue.record("not complete"); continue }
        }
    }

    @Test func `random bytes after any prefix never trap`() {
        var random = SplitMix64(for: "PROXY headers of random bytes")
        let starts = [ProxyHeaderTests.signature, ProxyHeaderTests.signature + [0x21, 0x11], [UInt8](latin1: "PROXY TCP4 "), []]
        for _ in 0..<50_000 {
            let letters: [UInt8] = random.below(100) < 50 ? [UInt8](latin1: "0123456789.: \r\nTCPUNKOW") : Array(0...255)
            let tail = (0..<random.below(120)).map { _ in random.one(of: letters) }
            if case .complete(let length, _) = read(random.one(of: starts) + tail) { #expect(length > 0 && length <= ProxyHeader.limit) }
        }
    }
}
