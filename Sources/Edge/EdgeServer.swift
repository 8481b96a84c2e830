import NIOCore
import NIOPosix
public import Steering
import Synchronization

/// The data plane: listeners, workers, and the table they answer from.
///
/// Life: `init` → `start` → any number of `publish` → `drain` → `stopAccepting` → `finish`.
public final class EdgeServer: Sendable {
    public struct Configuration: Sendable {
        public var address: ListenAddress
        /// Threads, each with a listener and an event loop of its own; at least 1.
        public var workers: Int
        public var limits: Limits
        /// Documentation, by path.
        public var pages: [EdgePage]

        public init(address: ListenAddress, workers: Int, limits: Limits = Limits(), pages: [EdgePage] = []) {
            self.pages = pages
            self.address = address
            self.workers = workers
            self.limits = limits
        }
    }

    /// The address with the port that the system chose, if 0 was asked for.
    public let address: ListenAddress
    private let group: MultiThreadedEventLoopGroup
    private let seats: [Seat]
    private let open: OpenConnections

    /// One worker's place: its loop, its state, its acceptor.
    private struct Seat: Sendable {
        let loop: any EventLoop
        let worker: NIOLoopBound<Worker>
        let acceptor: Acceptor
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
        let workers = max(1, configuration.workers)
        let (descriptors, bound) = try Listener.open(configuration.address, count: workers)
        address = bound
        group = MultiThreadedEventLoopGroup(numberOfThreads: workers)
        let open = OpenConnections()
        self.open = open
        var seats: [Seat] = []
        for (descriptor, loop) in zip(descriptors, group.makeIterator().map { $0 }) {
            let limits = configuration.limits
            let pages = configuration.pages
            let worker = try await loop.submit {
                NIOLoopBound(Worker(responder: Responder(table: table, sequences: sequences, pages: pages), limits: limits), eventLoop: loop)
            }.get()
            let acceptor = try Acceptor(
                listener: descriptor,
                handOver: { descriptor, bytes in EdgeServer.adopt(descriptor, bytes, loop, worker, open) },
                report: report)
            seats.append(Seat(loop: loop, worker: worker, acceptor: acceptor))
        }
        self.seats = seats
        for (index, seat) in seats.enumerated() { seat.acceptor.start(name: "accept-\(index)") { open.acceptorEnded() } }
        open.expectAcceptors(seats.count)
    }

    /// Every worker answers from the new table from its next event on; returns when all do.
    public func publish(_ table: RoutingTable, sequences: SequenceSet) async throws {
        try await onEveryWorker { worker in
            worker.responder.table = table
            worker.responder.sequences = sequences
        }
    }

    /// What all workers have done so far.
    public func counters() async throws -> Counters {
        var sum = Counters()
        for seat in seats {
            let worker = seat.worker
            sum.add(try await seat.loop.submit { worker.value.responder.counters }.get())
            sum.connectionsAccepted += seat.acceptor.count
        }
        return sum
    }

    /// Lame duck: `/readyz` says 503, everything else is answered as before.
    public func drain() async throws { try await onEveryWorker { $0.responder.isDraining = true } }

    /// Accepts what is queued, closes the listeners, and ends each connection with its next answer.
    public func stopAccepting() async throws {
        for seat in seats { seat.acceptor.stop() }
        await open.waitForAcceptors()
        try await onEveryWorker { $0.closesConnections = true }
    }

    /// Waits until no connection is open, at most until `deadline`; then closes what is left.
    ///
    /// - Returns: how many connections were cut.
    public func finish(within seconds: Int) async throws -> Int {
        let left = await open.waitUntilEmpty(seconds: seconds)
        try await group.shutdownGracefully()
        return left
    }

    private func onEveryWorker(_ change: @escaping @Sendable (Worker) -> Void) async throws {
        for seat in seats {
            let worker = seat.worker
            try await seat.loop.submit { change(worker.value) }.get()
        }
    }

    /// Makes a NIO channel of an accepted connection. Called on the acceptor's thread; owns the descriptor.
    private static func adopt(
        _ descriptor: CInt, _ bytes: ByteBuffer, _ loop: any EventLoop, _ worker: NIOLoopBound<Worker>, _ open: OpenConnections
    ) {
        open.opened()
        ClientBootstrap(group: loop)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ConnectionHandler(worker: worker.value, firstBytes: bytes))
                }
            }
            .withConnectedSocket(descriptor)
            .whenComplete { result in
                switch result {
                case .success(let channel): channel.closeFuture.whenComplete { _ in open.closed() }
                case .failure: open.closed()
                }
            }
    }
}
