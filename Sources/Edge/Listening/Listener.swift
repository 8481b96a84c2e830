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
    }

    public init(_ address: ListenAddress) { source = .address(address) }
    public init(_ sockets: InheritedSockets) { source = .inherited(sockets) }

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
