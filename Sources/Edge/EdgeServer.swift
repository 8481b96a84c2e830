import CLinux
import NIOCore
import NIOPosix
public import Steering
public import TLS
import Synchronization

/// The data plane: listeners, workers, and the table they answer from.
///
/// Each worker is two threads: a fast loop that accepts and answers what is plain, and a NIO event loop, the slow path, for all else.
///
/// Life: `init` → any number of `publish` → `drain` → `stopAccepting` → `finish`.
public final class EdgeServer: Sendable {
    public struct Configuration: Sendable {
        /// At least 1.
        public var listeners: [Listener]
        /// What listeners with TLS show their clients; needed by those alone.
        public var identity: TLSIdentity?
        /// Threads, each with a socket of every listener and an event loop of its own; at least 1.
        public var workers: Int
        /// Most connections at once; see `DescriptorBudget`.
        public var connections = Int.max
        public var limits: Limits
        public var http2 = HTTP2Use.off
        public var clientSource: ClientSource
        /// Nil: clients may send what they like.
        public var clientRate: ClientRate?
        public var accessLog: AccessLog?
        /// Origins whose pages may send credentials, as browsers write them: `https://player.example.com`.
        public var credentialOrigins: [String] = []
        /// Documentation, by path.
        public var pages: [EdgePage]
        /// Fetches manifests; nil: none is served, all are redirected.
        public var upstream: (any Upstream)?
        /// False: every connection goes to the slow path as it is accepted.
        public var usesFastPath: Bool

        public init(
            listeners: [Listener], workers: Int, limits: Limits = Limits(),
            clientSource: ClientSource = ClientSource(),
            clientRate: ClientRate? = nil, accessLog: AccessLog? = nil, pages: [EdgePage] = [], usesFastPath: Bool = true
        ) {
            self.clientSource = clientSource
            self.clientRate = clientRate
            self.accessLog = accessLog
            self.pages = pages
            self.usesFastPath = usesFastPath
            self.listeners = listeners
            self.workers = workers
            self.limits = limits
        }
    }

    /// The listeners' addresses, in their order, with the ports that the system chose where 0 was asked for.
    public let addresses: [ListenAddress]
    /// Of the first listener.
    public var address: ListenAddress { addresses[0] }
    /// The service manager keeps all sockets: what waits in them is the next process's.
    private let isInherited: Bool
    private let offersHTTP2: Bool
    private let group: MultiThreadedEventLoopGroup
    let workers: [Worker]
    private let open: OpenConnections
    /// What was answered last, once the threads have ended.
    private let lastTraffic = Mutex<[TrafficCounts]?>(nil)

    /// Two threads: the fast loop, and the event loop with the state of its slow path.
    struct Worker: Sendable {
        let fast: FastLoop
        let loop: any EventLoop
        let slow: NIOLoopBound<SlowLoop>
    }

    /// Listens and begins to answer.
    ///
    /// - Parameters:
    ///   - table: the first table; there is no answer before there is a table.
    ///   - report: told lines for the operator, on any thread.
    /// - Throws: `EdgeError` when it cannot listen.
    public init(
        _ configuration: Configuration, table: RoutingTable, sequences: SequenceSet, report: @escaping @Sendable (String) -> Void
    ) async throws {
        if configuration.identity == nil, configuration.listeners.contains(where: { $0.transport == .tls }) {
            throw EdgeError("there is no certificate to speak TLS with; set --tls-certificate")
        }
        let (sockets, addresses) = try ListeningSocket.open(configuration.listeners, workers: max(1, configuration.workers))
        self.addresses = addresses
        isInherited = configuration.listeners.allSatisfy(\.isInherited)
        let offersHTTP2 = configuration.http2 != .off
        self.offersHTTP2 = offersHTTP2
        let knowsHTTP2 = configuration.http2 == .any
        let contexts = try sockets.map { _ in try configuration.identity?.context(offersHTTP2: offersHTTP2) }
        group = MultiThreadedEventLoopGroup(numberOfThreads: sockets.count)
        let open = OpenConnections(limit: configuration.connections)
        let bodies = BodyMemory(body: configuration.limits.body)
        self.open = open
        let report = QuietReport(to: report)
        let limits = configuration.limits
        let manifests = BodyMemory(limit: Limits.manifestBytes)
        let links = LinkMemory()
        let signing = SigningQueue()
        let upstream = configuration.upstream
        let makeResponder = { @Sendable in
            var responder = Responder(
                table: table, sequences: sequences, clientSource: configuration.clientSource, rate: configuration.clientRate,
                credentialOrigins: configuration.credentialOrigins, log: configuration.accessLog, pages: configuration.pages,
                manifests: manifests, links: links, signing: signing)
            responder.upstream = upstream
            return responder
        }
        var workers: [Worker] = []
        for (listeners, loop) in zip(sockets, group.makeIterator().map { $0 }) {
            let slow = try await loop.submit {
                clinux_take_short_turns()
                let slowLoop = SlowLoop(responder: makeResponder(), limits: limits, bodies: bodies)
                slowLoop.knowsHTTP2 = knowsHTTP2
                slowLoop.upstream = upstream
                return NIOLoopBound(slowLoop, eventLoop: loop)
            }.get()
            let fast = try FastLoop(
                listeners: listeners, open: open,
                handOver: { handOver in EdgeServer.adopt(handOver, loop, slow, open, report) }, report: report)
            workers.append(Worker(fast: fast, loop: loop, slow: slow))
        }
        self.workers = workers
        // A sixteenth of all connections at a time, an equal share by each thread.
        let share = min(max(1, open.limit / 16 / (2 * workers.count)), 32)
        let makeRoom = { @Sendable [workers] in
            for worker in workers {
                worker.fast.post { worker.fast.endIdle(&$0, atMost: share) }
                worker.loop.execute { worker.slow.value.endIdle(atMost: share) }
            }
        }
        for (index, worker) in workers.enumerated() {
            worker.fast.start(name: "fast-\(index)") {
                var state = FastLoop.State(
                    responder: makeResponder(), limits: limits, answersPlain: configuration.usesFastPath, makeRoom: makeRoom)
                state.tls = contexts[index].map { FastTLS(context: $0) }
                state.knowsHTTP2 = knowsHTTP2
                return state
            }
        }
    }

    /// How long a client that has sent its SYN may take to end the handshake; longer on a bad line, and then it is refused.
    private static let handshakeTime = Duration.milliseconds(200)

    /// Every worker answers from the new table from its next event on; returns when all do.
    ///
    /// - Returns: what was counted with the old table and not taken yet.
    /// - Throws: `EdgeError` once the workers have ended.
    @discardableResult
    public func publish(_ table: RoutingTable, sequences: SequenceSet) async throws -> [TrafficCounts] {
        try await onEveryResponder { $0.replaceTable(table, sequences) }
    }

    /// Handshakes that begin from now on show other certificates; those under way, and sessions, go on. Any thread; no worker waits.
    ///
    /// - Throws: `EdgeError` once the workers have ended, `TLSError` when there is no memory for it: all workers keep theirs then.
    public func publish(_ identity: TLSIdentity) async throws {
        try requireWorkers()
        let contexts = try workers.map { _ in try identity.context(offersHTTP2: offersHTTP2) }
        for (worker, context) in zip(workers, contexts) { await worker.fast.perform { $0.tls?.context = context } }
    }

    /// What was answered since the last time, for the history of traffic; once more after the end. Any thread; no worker waits.
    public func takeTraffic() async throws -> [TrafficCounts] {
        let last = lastTraffic.withLock { last in
            defer { if last != nil { last = [] } }
            return last
        }
        if let last { return last }
        return try await onEveryResponder { $0.takeTraffic() }
    }

    /// What client networks have reported of their CDNs since the last time. Any thread; no worker waits.
    public func takeReports() async throws -> [String: PlayerReports.Networks] {
        PlayerReports.networks(try await onEveryResponder { $0.takeReports() })
    }

    /// Gives what workers hold for the access log to its thread. Any thread; no worker waits.
    public func flushLog() async throws { _ = try await onEveryResponder { $0.flushLog() } }

    /// What all workers have done so far.
    ///
    /// - Throws: `EdgeError` once the workers have ended.
    public func counters() async throws -> Counters {
        try requireWorkers()
        var sum = Counters()
        for worker in workers {
            let slow = worker.slow
            sum.add(try await worker.loop.submit { slow.value.responder.total }.get())
            sum.add(await worker.fast.perform { $0.counters } ?? Counters())
        }
        sum.connectionsOpen = open.count
        sum.connectionsLimit = open.limit
        return sum
    }

    /// Lame duck: `/readyz` says 503, everything else is answered as before.
    ///
    /// Connections are accepted before their first byte from now on: closing a listener resets those that it still waits for.
    public func drain() async throws {
        for worker in workers { await worker.fast.stopDeferring() }
        _ = try await onEveryResponder { $0.isDraining = true }
    }

    /// Accepts what is queued, closes the listeners, and ends each connection with its next answer.
    ///
    /// A handshake that ends between the last accept and the close would be reset, so none may begin for a moment before. Inherited
    /// sockets are let go as they are.
    public func stopAccepting() async throws {
        if !isInherited {
            for worker in workers { await worker.fast.refuseHandshakes() }
            try await Task.sleep(for: EdgeServer.handshakeTime)
        }
        for worker in workers {
            await worker.fast.stopAccepting()
            let slow = worker.slow
            try await worker.loop.submit { slow.value.drain() }.get()
        }
    }

    /// Waits until no connection is open, at most for `seconds`; then closes what is left.
    ///
    /// - Returns: how many connections were cut.
    public func finish(within seconds: Int) async throws -> Int {
        let left = await open.waitUntilEmpty(seconds: seconds)
        let traffic = try await takeTraffic()
        try await flushLog()
        lastTraffic.withLock { $0 = traffic }
        for worker in workers { await worker.fast.perform { $0.isQuitting = true } }
        try await group.shutdownGracefully()
        return left
    }

    /// A loop that has ended takes a task and never runs it: whoever waited for it would wait for ever.
    private func requireWorkers() throws(EdgeError) {
        if lastTraffic.withLock({ $0 != nil }) { throw EdgeError("the workers have ended: this balancer is stopping") }
    }

    /// - Returns: what `change` returned on each thread that still runs.
    private func onEveryResponder<Value: Sendable>(
        _ change: @escaping @Sendable (inout Responder) -> Value
    ) async throws -> [Value] {
        try requireWorkers()
        var values: [Value] = []
        for worker in workers {
            let slow = worker.slow
            if let value = await worker.fast.perform({ change(&$0.responder) }) { values.append(value) }
            values.append(try await worker.loop.submit { change(&slow.value.responder) }.get())
        }
        return values
    }

    /// From the socket inwards: a transport, and who reads what it carries.
    private static func handlers(
        of client: ClientAddress, _ content: HandOver.Content, _ slowLoop: SlowLoop, _ loop: any EventLoop, _ report: QuietReport
    ) -> [any ChannelHandler] {
        // What follows the last answer is no request.
        let input = content.closes ? ByteBuffer() : content.input
        if content.awaitsProxyHeader {
            let handler = ProxyHeaderHandler(slowLoop: slowLoop, of: client, before: content.session, report: report)
            return [PlainTransport(slowLoop: slowLoop, received: input), handler]
        }
        let handler: any ChannelHandler
        if let http2 = content.http2, !content.closes {
            handler = HTTP2Handler(slowLoop: slowLoop, http2, unsent: content.output, over: content.session)
        } else {
            handler = ConnectionHandler(
                slowLoop: slowLoop, of: client, unsent: content.output, closes: content.closes, over: content.session, on: loop)
        }
        guard let session = content.session, !session.isWithoutTLS else {
            return [PlainTransport(slowLoop: slowLoop, received: input), handler]
        }
        let transport = TLSTransport(
            slowLoop: slowLoop, session: session, of: client, decrypted: input, sealed: content.output.readableBytes)
        return [PlainTransport(slowLoop: slowLoop, received: ByteBuffer()), transport, handler]
    }

    /// Makes a NIO channel of a connection. Called on the fast loop's thread; owns the descriptor.
    private static func adopt(
        _ handOver: consuming HandOver, _ loop: any EventLoop, _ slowLoop: NIOLoopBound<SlowLoop>, _ open: OpenConnections,
        _ report: QuietReport
    ) {
        let (client, content) = (handOver.client, handOver.content)
        ClientBootstrap(group: loop)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        handlers(of: client, content, slowLoop.value, channel.eventLoop, report))
                }
            }
            .withConnectedSocket(handOver.descriptor.release())
            .whenComplete { result in
                switch result {
                case .success(let channel): channel.closeFuture.whenComplete { _ in open.closed() }
                case .failure: open.closed()
                }
            }
    }
}
