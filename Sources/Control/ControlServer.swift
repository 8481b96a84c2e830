import CLinux
import HummingbirdCore
public import Logging
import NIOCore
import NIOPosix
public import ServiceLifecycle
import Storage

/// The control plane: an HTTP server of its own, on its own port and its own threads.
public enum ControlServer {
    /// - Parameters:
    ///   - host: a literal address.
    ///   - tls: nil: clients speak without.
    ///   - connections: most at once; further ones wait in the kernel's queue.
    ///   - names: more names that it answers to, beside addresses and those that nobody outside can own.
    ///   - store: what is read past the node.
    ///   - pages: documentation and dashboard, served to everybody.
    ///   - now: milliseconds since 1970, UTC.
    ///   - started: told the port once it listens.
    public static func service(
        host: String, port: Int, tls: ControlTLS? = nil, connections: Int, names: HostNames, node: any Node,
        store: any RevisionHistory & KeyList & TrafficHistory, access: Access, pages: [Page], logger: Logger,
        now: @escaping @Sendable () -> Int64, started: @escaping @Sendable (Int) -> Void
    ) -> some Service {
        let catalog = CatalogEndpoints(node: node, store: store)
        let queue = ComputeQueue()
        for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() { loop.execute { giveWay() } }
        let gate = Gate(access: access, isSecure: tls != nil, now: Gate.monotonic())
        let feed = StatusFeed(node: node, queue: queue)
        var endpoints =
            NodeEndpoints(node: node, feed: feed, isExposed: !ControlServer.isLoopback(host)).all + catalog.all
            + RevisionEndpoints(store: store).all + [catalog.restore]
        endpoints +=
            KeyEndpoints(node: node, store: store, access: access, now: now).all + [TrafficEndpoint(store: store, now: now).endpoint]
        endpoints.append(DatabaseEndpoint(node: node).endpoint)
        endpoints += [EventsEndpoint(feed: feed, gate: gate).endpoint] + SessionEndpoints(gate: gate).all + pages.map(\.endpoint)
        let dispatcher = Dispatcher(endpoints: endpoints, gate: gate, names: names, queue: queue)
        let connection = HTTP1Channel(
            responder: { request, writer, channel in
                let response = await dispatcher.respond(to: request, from: channel.remoteAddress?.ipAddress ?? "", logger: logger)
                try await writer.write(response: response.head, body: response.body)
            },
            configuration: .init(
                additionalChannelHandlers: [CloseOnExec(), RequestDeadline(), ParserAnswer()], idleTimeout: .seconds(60),
                httpDecoderConfiguration: .init(maxHeaderFieldSize: 8192, maxHeaderListSize: 16384, maxHeaderFieldCount: 100)))
        return HummingbirdCore.Server(
            childChannelSetup: SecureChannel(base: connection, tls: tls),
            configuration: .init(
                address: .hostname(host, port: port), availableConnectionsDelegate: MaximumAvailableConnections(connections)),
            onServerRunning: { channel in started(channel.localAddress?.port ?? port) },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger)
    }

    /// Of a core that redirects want too, the calling thread gets a quarter: whatever is asked of the control plane, players come first.
    static func giveWay() { clinux_give_way(5) }

    private static func isLoopback(_ host: String) -> Bool { host == "::1" || host.hasPrefix("127.") }
}
