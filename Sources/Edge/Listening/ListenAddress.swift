import Glibc

/// An address and port to listen on: `[::]:8000`, `127.0.0.1:8000`.
public struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    /// An IPv4 address, or an IPv6 address without brackets.
    public let host: String
    /// 0 lets the system choose.
    public let port: UInt16

    public var isIPv6: Bool { host.contains(":") }
    public var isLoopback: Bool { host == "::1" || host.hasPrefix("127.") }
    public var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// - Returns: nil when the text is no literal address with a port; names are not looked up.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy(HeadByte.isDigit), let port = UInt16(digits) else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard host.contains(":") else { return nil }
        } else if host.contains(":") {
            return nil
        }
        self.init(host: host, port: port)
    }

    /// - Parameter setting: the flag that named the address, for the message.
    /// - Throws: `EdgeError` when another process listens here, or nobody can.
    public func requireFree(setting: String) throws(EdgeError) { try ListeningSocket.requireFree(self, setting: setting) }

    /// Every address of the machine, a port the system chooses.
    public static let any = ListenAddress(literal: "::", port: 0)

    private init(literal host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    init?(host: String, port: UInt16) {
        var six = in6_addr()
        var four = in_addr()
        // inet_pton writes one in_addr or in6_addr into a local of that type.
        let isAddress = unsafe host.contains(":") ? inet_pton(AF_INET6, host, &six) == 1 : inet_pton(AF_INET, host, &four) == 1
        guard isAddress else { return nil }
        self.host = host
        self.port = port
    }
}
