/// The address a request comes from: 128 bits in network order. IPv4 is held as `::ffff:a.b.c.d` (RFC 4291 §2.5.5.2), so that a client has
/// one address whichever listener took it.
public struct ClientAddress: Sendable, Hashable {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// An IPv4 address, its first octet in the highest byte.
    public init(ipv4: UInt32) { self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(ipv4)) }

    /// `::`, of connections that have no address, such as those of a local socket.
    public static let unknown = ClientAddress(high: 0, low: 0)

    public var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// What is left when all but the first `bits` of the 128 are cleared.
    ///
    /// - Parameter bits: 0 to 128; of an IPv4 address the first 96 are the same for all.
    public func prefix(_ bits: Int) -> ClientAddress {
        ClientAddress(high: high & ClientAddress.mask(bits), low: low & ClientAddress.mask(bits - 64))
    }

    /// Ones in the first `bits` of 64; all or none when out of range.
    private static func mask(_ bits: Int) -> UInt64 { bits <= 0 ? 0 : bits >= 64 ? .max : ~(.max >> UInt64(bits)) }
}

// MARK: - Text

extension ClientAddress {
    /// Reads an address as a person or a proxy writes it: `192.0.2.1`, `2001:db8::1`, without brackets, port or zone.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        self.init(bytes.span, 0..<bytes.count)
    }

    /// Reads `range` as an address. Allocates nothing.
    public init?(_ text: borrowing Span<UInt8>, _ range: Range<Int>) {
        if let four = ClientAddress.ipv4(text, range) {
            self.init(ipv4: four)
        } else if let address = ClientAddress.ipv6(text, range) {
            self = address
        } else {
            return nil
        }
    }

    /// Four decimal octets without leading zeros: some read those as octal.
    private static func ipv4(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> UInt32? {
        guard (7...15).contains(range.count) else { return nil }
        var address: UInt32 = 0
        var start = range.lowerBound
        for octet in 0..<4 {
            let end = text.firstIndex(of: UInt8(ascii: "."), in: start..<range.upperBound)
            guard (1...3).contains(end - start), end - start == 1 || text[start] != UInt8(ascii: "0") else { return nil }
            var value: UInt32 = 0
            for index in start..<end {
                guard URLByte.isDigit(text[index]) else { return nil }
                value = value * 10 + UInt32(text[index] &- 0x30)
            }
            guard value <= 255, (end == range.upperBound) == (octet == 3) else { return nil }
            address = address << 8 | value
            start = end + 1
        }
        return address
    }

    /// RFC 4291 §2.2: up to eight groups of up to four digits, one `::`, the last two groups perhaps as IPv4.
    private static func ipv6(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> ClientAddress? {
        guard (2...45).contains(range.count) else { return nil }
        // Before and after the `::`; without one all stand before it.
        var before = Groups()
        var after = Groups()
        var hasGap = false
        var index = range.lowerBound
        while index < range.upperBound {
            if text[index] == UInt8(ascii: ":") {
                guard index + 1 < range.upperBound, text[index + 1] == UInt8(ascii: ":"), !hasGap else { return nil }
                hasGap = true
                index += 2
                continue
            }
            let end = text.firstIndex(of: UInt8(ascii: ":"), in: index..<range.upperBound)
            if end == range.upperBound, let four = ipv4(text, index..<end) {
                hasGap ? after.append(four, bits: 32) : before.append(four, bits: 32)
            } else {
                guard let group = group(text, index..<end) else { return nil }
                hasGap ? after.append(group, bits: 16) : before.append(group, bits: 16)
            }
            // One colon is skipped here; of two the second is seen above, and one at the end has nothing to part.
            index = end
            if end + 1 == range.upperBound { return nil }
            if end < range.upperBound, text[end + 1] != UInt8(ascii: ":") { index += 1 }
        }
        let bits = before.bits + after.bits
        guard hasGap ? bits <= 112 : bits == 128 else { return nil }
        let head = before.shifted(left: 128 - before.bits)
        return ClientAddress(high: head.high | after.high, low: head.low | after.low)
    }

    private static func group(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> UInt32? {
        guard (1...4).contains(range.count) else { return nil }
        var value: UInt32 = 0
        for index in range {
            guard let digit = URLByte.hexValue(text[index]) else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    /// Bits pushed in from the right. More than 128 are noticed by their count.
    private struct Groups {
        var high: UInt64 = 0
        var low: UInt64 = 0
        var bits = 0

        mutating func append(_ value: UInt32, bits count: Int) {
            high = high << UInt64(count) | low >> UInt64(64 - count)
            low = low << UInt64(count) | UInt64(value)
            bits += count
        }

        func shifted(left count: Int) -> (high: UInt64, low: UInt64) {
            if count >= 128 { return (0, 0) }
            if count >= 64 { return (low << UInt64(count - 64), 0) }
            return count == 0 ? (high, low) : (high << UInt64(count) | low >> UInt64(64 - count), low << UInt64(count))
        }
    }
}

extension ClientAddress {
    /// Appends the text of `description`; of an IPv4 address without allocating.
    public func append(to bytes: inout [UInt8]) {
        guard isIPv4 else {
            bytes += description.utf8
            return
        }
        for shift: UInt64 in [24, 16, 8, 0] {
            let octet = UInt8(truncatingIfNeeded: low >> shift)
            if octet >= 100 { bytes.append(0x30 + octet / 100) }
            if octet >= 10 { bytes.append(0x30 + octet / 10 % 10) }
            bytes.append(0x30 + octet % 10)
            if shift > 0 { bytes.append(UInt8(ascii: ".")) }
        }
    }
}

extension ClientAddress: CustomStringConvertible {
    /// As `ClientAddress(_:)` reads it; IPv6 in the form of RFC 5952.
    public var description: String {
        if isIPv4 { return [24, 16, 8, 0].map { String(UInt8(truncatingIfNeeded: low >> $0)) }.joined(separator: ".") }
        let groups = [high, low].flatMap { half in [48, 32, 16, 0].map { UInt16(truncatingIfNeeded: half >> $0) } }
        let gap = ClientAddress.longestZeros(groups)
        let text = { (range: Range<Int>) in groups[range].map { String($0, radix: 16) }.joined(separator: ":") }
        return gap.isEmpty ? text(0..<8) : text(0..<gap.lowerBound) + "::" + text(gap.upperBound..<8)
    }

    /// The first of the longest runs of two or more zero groups (RFC 5952 §4.2).
    private static func longestZeros(_ groups: [UInt16]) -> Range<Int> {
        var longest = 0..<0
        var start = 0
        for index in 0...8 where index == 8 || groups[index] != 0 {
            if index - start > max(1, longest.count) { longest = start..<index }
            start = index + 1
        }
        return longest
    }
}
