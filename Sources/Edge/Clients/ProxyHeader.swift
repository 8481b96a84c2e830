import Steering

/// The header of the PROXY protocol, versions 1 and 2 (HAProxy, doc/proxy-protocol.txt, §2.1 and §2.2): a load balancer's first bytes on a
/// connection, which name the client it speaks for.
enum ProxyHeader: Equatable {
    /// More bytes are needed.
    case incomplete
    /// No PROXY header, or none that is read here.
    case invalid
    /// A header of `length` bytes; the client is nil when the proxy speaks for itself, as in a health check, or does not know.
    case complete(length: Int, client: ClientAddress?)

    /// Longest header that is read. Version 1 has at most 107 bytes; version 2 may add fields of 64 KiB, which nobody sends.
    static let limit = 4096

    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    private static let text = Array("PROXY ".utf8)

    /// Why a connection was closed at its PROXY header.
    enum Fault {
        case untrusted, missing, late

        /// A line for the operator.
        func line(_ peer: ClientAddress) -> String {
            switch self {
            case .untrusted: "closed a connection of \(peer): it is no trusted proxy; if it is one, add it to --trusted-proxies"
            case .missing: "closed a connection of \(peer): no PROXY header; let the proxy send one, or set --proxy-protocol off"
            case .late: "closed a connection of \(peer): its PROXY header did not come in time; see --head-timeout"
            }
        }

        var kind: QuietReport.Kind { self == .untrusted ? .untrustedProxy : .proxyHeader }
    }

    /// Reads the header that the bytes begin with.
    static func read(_ bytes: borrowing Span<UInt8>, count: Int) -> ProxyHeader {
        if begins(bytes, count, with: signature) { return count < 16 ? .incomplete : binary(bytes, count) }
        if begins(bytes, count, with: text) { return count < text.count ? .incomplete : line(bytes, count) }
        return .invalid
    }

    /// Whether the bytes begin with `prefix`, as far as they go.
    private static func begins(_ bytes: borrowing Span<UInt8>, _ count: Int, with prefix: [UInt8]) -> Bool {
        for index in 0..<min(count, prefix.count) where bytes[index] != prefix[index] { return false }
        return true
    }

    // MARK: Version 1

    /// `PROXY TCP4 192.0.2.1 198.51.100.1 4711 80\r\n`
    private static func line(_ bytes: borrowing Span<UInt8>, _ count: Int) -> ProxyHeader {
        let available = min(count, 107)
        let end = bytes.firstIndex(of: .carriageReturn, in: text.count..<available)
        guard end + 1 < available else { return available == 107 ? .invalid : .incomplete }
        guard bytes[end + 1] == .lineFeed else { return .invalid }
        let length = end + 2
        let family = word(bytes, from: text.count, end)
        if bytes.equals("UNKNOWN", in: family) { return .complete(length: length, client: nil) }
        let source = word(bytes, from: family.upperBound + 1, end)
        let destination = word(bytes, from: source.upperBound + 1, end)
        let sourcePort = word(bytes, from: destination.upperBound + 1, end)
        let port = word(bytes, from: sourcePort.upperBound + 1, end)
        let isIPv6 = bytes.equals("TCP6", in: family)
        guard isIPv6 || bytes.equals("TCP4", in: family), port.upperBound == end, isPort(bytes, sourcePort), isPort(bytes, port),
            let client = address(bytes, source, isIPv6), address(bytes, destination, isIPv6) != nil
        else { return .invalid }
        return .complete(length: length, client: client)
    }

    /// The word that begins at `start`; empty when there is none.
    private static func word(_ bytes: borrowing Span<UInt8>, from start: Int, _ end: Int) -> Range<Int> {
        start >= end ? end..<end : start..<bytes.firstIndex(of: .space, in: start..<end)
    }

    /// An address written as its family's are: IPv4 with dots alone, IPv6 with colons.
    private static func address(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>, _ isIPv6: Bool) -> ClientAddress? {
        guard (bytes.firstIndex(of: UInt8(ascii: ":"), in: range) < range.upperBound) == isIPv6 else { return nil }
        return ClientAddress(bytes, range)
    }

    /// 0 to 65535, without zeros before it.
    private static func isPort(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard (1...5).contains(range.count), range.count == 1 || bytes[range.lowerBound] != UInt8(ascii: "0") else { return false }
        var port = 0
        for index in range {
            guard HeadByte.isDigit(bytes[index]) else { return false }
            port = port * 10 + Int(bytes[index] &- 0x30)
        }
        return port <= 65535
    }

    // MARK: Version 2

    private static func binary(_ bytes: borrowing Span<UInt8>, _ count: Int) -> ProxyHeader {
        let length = 16 + Int(bytes[14]) << 8 + Int(bytes[15])
        guard bytes[12] >> 4 == 2, length <= limit else { return .invalid }
        if count < length { return .incomplete }
        switch (bytes[12] & 0x0F, bytes[13]) {
        case (0, _), (1, 0x00):
            // LOCAL, or an unknown family: the peer speaks for itself, and what follows is not looked at.
            return .complete(length: length, client: nil)
        case (1, 0x31), (1, 0x32):
            // Two paths of 108 bytes.
            return hasFields(bytes, from: 16 + 216, to: length) ? .complete(length: length, client: nil) : .invalid
        case (1, 0x11):
            guard hasFields(bytes, from: 16 + 12, to: length) else { return .invalid }
            return .complete(length: length, client: ClientAddress(ipv4: UInt32(truncatingIfNeeded: word(bytes, at: 16, bytes: 4))))
        case (1, 0x21):
            guard hasFields(bytes, from: 16 + 36, to: length) else { return .invalid }
            return .complete(length: length, client: ClientAddress(high: word(bytes, at: 16, bytes: 8), low: word(bytes, at: 24, bytes: 8)))
        default: return .invalid
        }
    }

    /// Whether fields (TLVs: a type, two bytes of length, a value) fill the range, which is what is left behind the addresses.
    private static func hasFields(_ bytes: borrowing Span<UInt8>, from start: Int, to end: Int) -> Bool {
        var start = start
        while start + 3 <= end { start += 3 + Int(bytes[start + 1]) << 8 + Int(bytes[start + 2]) }
        return start == end
    }

    private static func word(_ bytes: borrowing Span<UInt8>, at start: Int, bytes count: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in start..<start + count { value = value << 8 | UInt64(bytes[index]) }
        return value
    }
}
