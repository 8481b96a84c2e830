/// Where clients connect, and how they are spoken to there.
public struct Listener: Sendable, Equatable {
    public var source: Source
    public var transport = Transport.plain
    /// Each connection begins with a PROXY protocol header, version 1 or 2; one without is closed.
    public var expectsProxyHeader = false

    public enum Source: Sendable, Equatable {
        case address(ListenAddress)
        /// Sockets that are open already.
        case inherited(InheritedSockets)
    }

    /// What carries the bytes.
    public enum Transport: Sendable, Equatable {
        /// TCP alone.
        case plain
        /// TLS 1.2 and 1.3 over TCP, with the certificates of the server's configuration.
        case tls
    }

    public init(_ address: ListenAddress) { source = .address(address) }
    public init(tls address: ListenAddress) {
        source = .address(address)
        transport = .tls
    }

    public init(_ sockets: InheritedSockets) { source = .inherited(sockets) }

    /// The same, with PROXY headers or without.
    public func expecting(proxyHeader: Bool) -> Listener {
        var listener = self
        listener.expectsProxyHeader = proxyHeader
        return listener
    }

    /// The flag that named it, for messages.
    var setting: String { transport == .tls ? "--listen-tls" : "--listen" }
    var isInherited: Bool { if case .inherited = source { true } else { false } }
}

extension [Listener] {
    /// As many as are asked for, or one for each socket that is inherited: none may be left without.
    func workers(atLeast count: Int) -> Int {
        var count = count
        for case .inherited(let sockets) in map(\.source) { count = Swift.max(count, sockets.count) }
        return count
    }
}
