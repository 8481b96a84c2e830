import NIOCore
import NIOPosix
import Steering

/// Finds the addresses of a target and keeps probes away from what only the machine itself should ask: link-local addresses, behind which
/// clouds keep the machine's credentials.
actor Resolver {
    /// Looking a name up blocks; a few threads bound what a dead name server can hold up.
    private let threads = NIOThreadPool(numberOfThreads: 4)
    private nonisolated let allowsLinkLocal: Bool
    /// One lookup a name at a time, however many wait for it: a name server that hangs must not pile them up.
    private var lookups: [String: Task<ClientAddress?, any Error>] = [:]

    /// Addresses of cloud metadata services outside the link-local networks.
    private static let metadata = ["100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"].compactMap { ClientAddress($0) }
    private static let linkLocal = ["169.254.0.0/16", "fe80::/10"].compactMap { Network($0) }

    init(allowsLinkLocal: Bool) {
        self.allowsLinkLocal = allowsLinkLocal
        threads.start()
    }

    func shutdown() async throws { try await threads.shutdownGracefully() }

    /// What a name could not be turned into an address for.
    struct Failure: Error {
        let reason: String
    }

    /// The address of a host, if it may be asked.
    ///
    /// - Throws: `Failure`.
    func address(of host: String) async throws -> ClientAddress {
        let found = if let literal = ClientAddress(host) { literal } else { try await known(host) }
        guard let found else { throw Failure(reason: "the name \(host) is not known") }
        guard isAllowed(found) else {
            throw Failure(reason: "\(host) is at \(found), a link-local or metadata address, which probes may not ask")
        }
        return found
    }

    private func known(_ host: String) async throws -> ClientAddress? {
        let threads = threads
        let lookup = lookups[host] ?? Task { try await threads.runIfActive { Resolver.lookUp(host) } }
        lookups[host] = lookup
        defer { lookups[host] = nil }
        return try await lookup.value
    }

    nonisolated func isAllowed(_ address: ClientAddress) -> Bool {
        allowsLinkLocal || !(Resolver.linkLocal.contains { $0.contains(address) } || Resolver.metadata.contains(address))
    }

    private static func lookUp(_ host: String) -> ClientAddress? {
        (try? SocketAddress.makeAddressResolvingHost(host, port: 0))?.ipAddress.flatMap { ClientAddress(String($0.prefix { $0 != "%" })) }
    }
}
