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
}
