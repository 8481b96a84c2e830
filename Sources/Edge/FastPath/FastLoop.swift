import CLinux
import Foundation
import Glibc
import NIOCore
import Steering
import Synchronization

/// Accepts, reads, answers and sends on a thread of its own: accept4, recv, send, close and a shared epoll_wait for a one-request
/// connection. What is not plain goes to the slow path.
///
/// A turn reads all connections that are ready, then sends all their answers: the kernel's code for either stays in the cache, and a client
/// of many connections gets its answers together.
///
/// The loop holds no partial state. A request that is not whole, an answer that does not fit the socket, bytes after a closing request:
/// each leaves the epoll set first and is handed over with all its bytes.
final class FastLoop: Sendable {
    let listeners: [ListeningSocket]
    let epoll: CInt
    private let wake: CInt
    /// Nil once the thread has ended.
    private let mail = Mutex<[@Sendable (inout State) -> Void]?>([])
    let open: OpenConnections

    /// What the thread owns.
    struct State {
        var responder: Responder
        var connections = ConnectionTable()
        let limits: Limits
        /// False: every connection is handed over as it is accepted.
        let answersPlain: Bool
        /// Asks all workers to end idle connections; must not block.
        let makeRoom: @Sendable () -> Void
        var isAccepting = true
        var restsUntil: UInt64 = 0
        /// Each connection ends with its next answer: the node is stopping.
        var isDraining = false
        /// The thread ends, and with it what is still open.
        var isQuitting = false
        /// By `HandOver.Reason`.
        var handOvers = [UInt64](repeating: 0, count: HandOver.Reason.allCases.count)
        var turns = LoopTurns()
        /// Seconds since 1970, UTC, when the turn began: of its answers, too.
        var now: Int
        var pausesAtLimit: UInt64 = 0
        var pausesExhausted: UInt64 = 0
        /// What was read in this turn, up to `inputUsed`.
        var input = [UInt8](repeating: 0, count: 4 * FastLoop.readCapacity)
        var inputUsed = 0
        /// What of the input is to be answered.
        var heard: [Heard] = []
        /// What the writer holds, in its order.
        var owed: [Owed] = []
        /// Read from the connection that leaves, not answered.
        var unread = ByteBuffer()
        /// Nil when no listener speaks TLS.
        var tls: FastTLS?
        /// HTTP/2 without TLS is spoken too.
        var knowsHTTP2 = false
        /// Of the connection that is answered; nil for HTTP/1.
        var current: HTTP2Connection?
        /// What HTTP/2 connections of the loop work with.
        var http2 = HTTP2Workspace()

        init(responder: Responder, limits: Limits, answersPlain: Bool, makeRoom: @escaping @Sendable () -> Void) {
            self.responder = responder
            now = responder.now
            self.limits = limits
            self.answersPlain = answersPlain
            self.makeRoom = makeRoom
        }

        /// All that was counted so far.
        var counters: Counters {
            var counters = responder.total
            for reason in HandOver.Reason.allCases { counters.handOvers[reason.name] = handOvers[reason.rawValue] }
            counters.loopTurns = turns
            counters.acceptPauses = ["limit": pausesAtLimit, "exhausted": pausesExhausted]
            return counters
        }
    }

    /// One read a connection and turn, so that no client starves the others.
    static let readCapacity = 16 * 1024
    /// How long accepting rests at the limit of connections, or when descriptors or memory have run out.
    static let restNanoseconds: UInt64 = 10_000_000

    let handOver: @Sendable (consuming HandOver) -> Void
    let report: QuietReport

    /// - Parameters:
    ///   - listeners: owned by the loop from now on.
    ///   - open: shared by all loops; a connection that is handed over stays counted.
    ///   - handOver: called on the loop's thread.
    ///   - report: told what an operator should know, in a line.
    init(
        listeners: [ListeningSocket], open: OpenConnections, handOver: @escaping @Sendable (consuming HandOver) -> Void,
        report: QuietReport
    ) throws(EdgeError) {
        self.listeners = listeners
        self.open = open
        self.handOver = handOver
        self.report = report
        epoll = clinux_epoll_create()
        wake = clinux_eventfd()
        guard epoll >= 0, wake >= 0, clinux_epoll_add(epoll, wake, ConnectionTable.wakeTag) == 0,
            FastLoop.watch(listeners, in: epoll)
        else {
            throw EdgeError("cannot watch the listening socket", errno: errno, hint: "raise the limit of open files")
        }
    }

    static func watch(_ listeners: [ListeningSocket], in epoll: CInt) -> Bool {
        for (index, listener) in listeners.enumerated() {
            let add = listener.isShared ? clinux_epoll_add_shared : clinux_epoll_add
            if add(epoll, listener.descriptor, ConnectionTable.listenerTags.upperBound - UInt64(index)) != 0 { return false }
        }
        return true
    }

    deinit {
        close(epoll)
        close(wake)
    }

    /// Starts the thread. It ends when it is told to quit.
    func start(name: String, _ makeState: @escaping @Sendable () -> State) {
        let thread = Thread { [self] in
            // For `top -H`; the name is copied during the call.
            unsafe clinux_name_thread(name)
            clinux_take_short_turns()
            var state = makeState()
            run(&state)
            let late = mail.withLock { letters in
                defer { letters = nil }
                return letters ?? []
            }
            for letter in late { letter(&state) }
        }
        thread.start()
    }

    /// Runs `body` on the thread between two batches of events and returns when it has.
    ///
    /// - Returns: nil when the thread has ended.
    @discardableResult
    func perform<Value: Sendable>(_ body: @escaping @Sendable (inout State) -> Value) async -> Value? {
        await withCheckedContinuation { continuation in
            if !post({ state in continuation.resume(returning: body(&state)) }) { continuation.resume(returning: nil) }
        }
    }

    /// Runs `body` on the thread between two batches of events. Any thread; does not block.
    ///
    /// - Returns: false when the thread has ended.
    @discardableResult
    func post(_ body: @escaping @Sendable (inout State) -> Void) -> Bool {
        let isOver = mail.withLock { letters in
            letters?.append(body)
            return letters == nil
        }
        if isOver { return false }
        var one: UInt64 = 1
        // Eight bytes of a local; an eventfd that is already readable is as good as a write.
        _ = unsafe write(wake, &one, 8)
        return true
    }

    // MARK: The loop

    private func run(_ state: inout State) {
        var events = [clinux_event](repeating: clinux_event(), count: 256)
        var swept: UInt32 = 0
        var began: UInt64 = 0
        while !state.isQuitting {
            let timeout: CInt = state.restsUntil == 0 ? 1000 : CInt(FastLoop.restNanoseconds / 1_000_000)
            if began != 0 { state.turns.count(FastLoop.nanoseconds() &- began) }
            // The array outlives the call, and its capacity is passed with it.
            let count = unsafe clinux_epoll_wait(epoll, &events, CInt(events.count), timeout)
            began = FastLoop.nanoseconds()
            state.now = state.responder.now
            let second = FastLoop.second(began)
            for index in 0..<max(0, Int(count)) {
                let event = events[index]
                switch event.tag {
                case ConnectionTable.listenerTags:
                    finishTurn(&state, second)
                    let listener = listeners[Int(ConnectionTable.listenerTags.upperBound - event.tag)]
                    if accept(from: listener, &state, second) == .mustRest { rest(&state, began) }
                case ConnectionTable.wakeTag:
                    finishTurn(&state, second)
                    deliver(&state)
                default:
                    switch state.connections.owner(of: event.tag) {
                    case .connection(let descriptor): hear(descriptor, event, &state, second)
                    // A descriptor that did not close as it should, because close failed or a child process has it for a moment, would
                    // be reported with all that comes.
                    case .nobody(let descriptor): _ = clinux_epoll_remove(epoll, descriptor)
                    case .another: break
                    }
                }
            }
            finishTurn(&state, second)
            if state.restsUntil != 0 { endRest(&state, began) }
            if second != swept {
                swept = second
                for descriptor in state.connections.expired(at: second) { dropIdle(descriptor, &state) }
            }
        }
        for descriptor in state.connections.all { drop(descriptor, &state) }
        if state.isAccepting { closeListeners() }
    }

    func closeListeners() { for listener in listeners { close(listener.descriptor) } }

    private func deliver(_ state: inout State) {
        var count: UInt64 = 0
        // Eight bytes into a local; nothing to read is fine.
        _ = unsafe read(wake, &count, 8)
        let letters = mail.withLock { letters in
            defer { letters = [] }
            return letters ?? []
        }
        for letter in letters { letter(&state) }
    }

    /// A clock that only goes forward, from an unknown start; never 0.
    static func nanoseconds() -> UInt64 {
        var time = timespec()
        // The pointer is to a local and used for the call alone.
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec) + 1
    }

    /// The second that deadlines are kept in.
    static func second(_ nanoseconds: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: nanoseconds / 1_000_000_000) }
}
