public import Steering

/// How the address of a client is found: its connection's peer, or what a trusted proxy before the balancer says.
public struct ClientSource: Sendable, Equatable {
    /// Proxies that are believed. Empty: no field is read, and every peer may introduce its client by a PROXY header.
    public var trustedProxies: [Network] = []
    /// The field they write. One of the two: a client could send the other through a proxy that does not know it.
    public var field = Field.xForwardedFor

    public enum Field: String, Sendable, CaseIterable {
        /// The custom of most proxies: addresses separated by commas, each proxy adds the peer it saw at the end.
        case xForwardedFor = "x-forwarded-for"
        /// RFC 7239.
        case forwarded = "forwarded"
    }

    public init() {}

    func trusts(_ address: ClientAddress) -> Bool { trustedProxies.contains { $0.contains(address) } }

    /// Whether a connection of `peer` may tell its client by a PROXY header.
    func mayIntroduce(_ peer: ClientAddress) -> Bool { trustedProxies.isEmpty || trusts(peer) }

    /// The client of a request: read from the right of the field, past the trusted proxies.
    ///
    /// - Parameter peer: of the connection, or as a PROXY header names it.
    func client(of head: RequestHead, _ bytes: borrowing Span<UInt8>, peer: ClientAddress) -> ClientAddress {
        guard head.isForwarded, trusts(peer) else { return peer }
        var chain = ForwardedChain(source: self)
        chain.read(bytes, head.fields.range)
        return chain.client ?? peer
    }

    private static let forwardedProto = Array("x-forwarded-proto".utf8)
    private static let forwarded = Array("forwarded".utf8)

    /// Whether a proxy says that its client came by HTTPS: `X-Forwarded-Proto`, or `proto` of `Forwarded` (RFC 7239 §5.4). Of a chain of proxies
    /// the first hop decides, which is the client's. Which peer says so is of no matter: a client that lies of itself gets what it would get by
    /// asking by HTTPS.
    ///
    /// - Parameter fields: of a head that has the field which names the client.
    func saysHTTPS(_ fields: Range<Int>, of bytes: borrowing Span<UInt8>) -> Bool {
        if trustedProxies.isEmpty { return false }
        let name = field == .forwarded ? ClientSource.forwarded : ClientSource.forwardedProto
        guard let value = FieldLines.value(of: name, in: fields, of: bytes) else { return false }
        let hop = value.lowerBound..<bytes.firstIndex(of: UInt8(ascii: ","), in: value)
        if field == .xForwardedFor { return bytes.equalsIgnoringCase("https", in: bytes.trimmed(hop)) }
        var start = hop.lowerBound
        while start < hop.upperBound {
            let end = bytes.firstIndex(of: UInt8(ascii: ";"), in: start..<hop.upperBound)
            let pair = bytes.trimmed(start..<end)
            if bytes.equalsIgnoringCase("proto=https", in: pair) || bytes.equalsIgnoringCase("proto=\"https\"", in: pair) { return true }
            start = end + 1
        }
        return false
    }
}
