/// A network in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3): `192.0.2.0/24`, `2001:db8::/32`; a plain address is a network of one.
public struct Network: Sendable, Hashable, CustomStringConvertible {
    public let address: ClientAddress
    /// Leading bits of the 128 that count; an IPv4 `/24` is 120.
    public let bits: Int

    /// - Returns: nil when the text is no network, or has bits set beyond its prefix: `10.0.0.1/8` is more likely a mistake than meant.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = ClientAddress(String(parts[0])) else { return nil }
        // Dotted quads alone have the short prefixes; `::ffff:192.0.2.0` is written as IPv6 and counted as such.
        let offset = parts[0].contains(":") ? 0 : 96
        var bits = 128
        if parts.count == 2 {
            guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy(URLByte.isDigit), let length = Int(parts[1]),
                length + offset <= 128
            else { return nil }
            bits = length + offset
        }
        guard address.prefix(bits) == address else { return nil }
        self.address = address
        self.bits = bits
    }

    public func contains(_ client: ClientAddress) -> Bool { client.prefix(bits) == address }

    public var description: String { "\(address)/\(address.isIPv4 && bits >= 96 ? bits - 96 : bits)" }
}
