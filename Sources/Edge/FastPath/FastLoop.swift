import CLinux
import Foundation
import Glibc
import NIOCore
import Steering
import Synchronization

/// Accepts, reads, answers and sends on a thread of its own: accept4, recv, send, close and a shared epoll_wait for a one-request
/// connection. What is not plain goes to the slow path.
///
/// The loop holds no partial state. A request that is not whole, an answer that does not fit the socket, bytes after a closing request:
/// each leaves the epoll set first and is handed over with all its bytes.
final class FastLoop: Sendable {
    private let listener: CInt
    private let epoll: CInt
    private let wake: CInt
    /// Nil once the thread has ended.
    private let mail = Mutex<[@Sendable (inout State) -> Void]?>([])
    private let openCount = Atomic(0)

    /// What the thread owns.
    struct State {
        var responder: Responder
        var connections = ConnectionTable()
        let limits: Limits
        /// False: every connection is handed over as it is accepted.
        let answersPlain: Bool
        var isAccepting = true
        var restsUntil: UInt64 = 0
        /// Answers end their connections: the node is stopping.
        var closesConnections = false
        /// The thread ends, and with it what is still open.
        var isQuitting = false
        fileprivate var input = [UInt8](repeating: 0, count: FastLoop.readCapacity)

        init(responder: Responder, limits: Limits, answersPlain: Bool) {
            self.responder = responder
            self.limits = limits
            self.answersPlain = answersPlain
        }
    }

    /// Connections accepted in one turn.
    private static let acceptBatch = 64
    /// One read a connection and turn, so that no client starves the others.
    private static let readCapacity = 16 * 1024
    /// How long accepting rests when descriptors or memory have run out.
    private static let restMilliseconds: UInt64 = 100

    private let handOver: @Sendable (HandOver) -> Void
    private let report: @Sendable (String) -> Void

    /// - Parameters:
    ///   - listener: owned by the loop from now on.
    ///   - handOver: called on the loop's thread.
    ///   - report: told when accepting has to rest, in a line for the operator.
    init(
        listener: CInt, handOver: @escaping @Sendable (HandOver) -> Void, report: @escaping @Sendable (String) -> Void
    ) throws(EdgeError) {
        self.listener = listener
        self.handOver = handOver
        self.report = report
        epoll = clinux_epoll_create()
        wake = clinux_eventfd()
        guard epoll >= 0, wake >= 0, clinux_epoll_add(epoll, wake, ConnectionTable.wakeTag) == 0,
            clinux_epoll_add(epoll, listener, ConnectionTable.listenerTag) == 0
        else {
            throw EdgeError("cannot watch the listening socket", errno: errno, hint: "raise the limit of open files")
        }
    }

    deinit {
        close(epoll)
        close(wake)
    }

    /// Connections open on this loop, as of its last turn; any thread.
    var connectionsOpen: Int { openCount.load(ordering: .relaxed) }

    /// Starts the thread. It ends when it is told to quit.
    func start(name: String, _ makeState: @escaping @Sendable () -> State) {
        let thread = Thread { [self] in
            // For `top -H`; the name is copied during the call.
            unsafe clinux_name_thread(name)
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
            let isOver = mail.withLock { letters in
                letters?.append { state in continuation.resume(returning: body(&state)) }
                return letters == nil
            }
            if isOver { return continuation.resume(returning: nil) }
            var one: UInt64 = 1
            // Eight bytes of a local; an eventfd that is already readable is as good as a write.
            _ = unsafe write(wake, &one, 8)
        }
    }

    /// Accepts connections before their first byte.
    func stopDeferring() async { await perform { [listener] _ in Listener.stopDeferring(listener) } }

    /// Lets no new handshake begin; those under way end in the queue, which is accepted as before.
    func refuseHandshakes() async {
        await perform { [listener] _ in
            Listener.stopDeferring(listener)
            _ = clinux_refuse_handshakes(listener)
        }
    }

    /// Ends accepting: what is queued in the kernel is accepted, then the listener closes.
    func stopAccepting() async {
        await perform { [self] state in
            guard state.isAccepting else { return }
            state.closesConnections = true
            while accept(&state) == .more {}
            state.isAccepting = false
            _ = clinux_epoll_remove(epoll, listener)
            close(listener)
        }
    }

    // MARK: The loop

    private func run(_ state: inout State) {
        var tags = [UInt64](repeating: 0, count: 256)
        var swept: UInt32 = 0
        while !state.isQuitting {
            let timeout: CInt = state.restsUntil == 0 ? 1000 : CInt(FastLoop.restMilliseconds)
            // The array outlives the call, and its capacity is passed with it.
            let count = unsafe clinux_epoll_wait(epoll, &tags, CInt(tags.count), timeout)
            let second = UInt32(truncatingIfNeeded: FastLoop.milliseconds() / 1000)
            for index in 0..<max(0, Int(count)) {
                switch tags[index] {
                case ConnectionTable.listenerTag: if accept(&state) == .exhausted { rest(&state) }
                case ConnectionTable.wakeTag: deliver(&state)
                default: if let descriptor = state.connections.descriptor(of: tags[index]) { serve(descriptor, &state, second) }
                }
            }
            if state.restsUntil != 0 { endRest(&state) }
            if second != swept {
                swept = second
                for descriptor in state.connections.expired(at: second) { drop(descriptor, &state) }
            }
            openCount.store(state.connections.count, ordering: .relaxed)
        }
        for descriptor in state.connections.all { drop(descriptor, &state) }
        if state.isAccepting { close(listener) }
        openCount.store(0, ordering: .relaxed)
    }

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

    private static func milliseconds() -> UInt64 {
        var time = timespec()
        // The pointer is to a local and used for the call alone.
        unsafe clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
        return UInt64(time.tv_sec) * 1000 + UInt64(time.tv_nsec) / 1_000_000 + 1
    }

    // MARK: Accepting

    private enum Turn { case drained, more, exhausted }

    private func accept(_ state: inout State) -> Turn {
        let second = UInt32(truncatingIfNeeded: FastLoop.milliseconds() / 1000)
        for _ in 0..<FastLoop.acceptBatch {
            let descriptor = clinux_accept(listener)
            guard descriptor < 0 else {
                state.responder.counters.connectionsAccepted += 1
                welcome(descriptor, &state, second)
                continue
            }
            switch errno {
            case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                let reason = EdgeError("cannot accept connections", errno: errno, hint: "raise the limit of open files")
                report("\(reason); accepting rests for \(FastLoop.restMilliseconds) ms")
                return .exhausted
            case EAGAIN: return .drained
            default: continue
            }
        }
        return .more
    }

    /// A level-triggered listener that cannot be accepted from would make the loop spin.
    private func rest(_ state: inout State) {
        state.restsUntil = FastLoop.milliseconds() + FastLoop.restMilliseconds
        _ = clinux_epoll_remove(epoll, listener)
    }

    private func endRest(_ state: inout State) {
        guard FastLoop.milliseconds() >= state.restsUntil, state.isAccepting else { return }
        state.restsUntil = 0
        _ = clinux_epoll_add(epoll, listener, ConnectionTable.listenerTag)
    }

    /// Reads at once: the kernel hands a connection over when its first bytes are there.
    private func welcome(_ descriptor: CInt, _ state: inout State, _ second: UInt32) {
        guard state.answersPlain else {
            return handOver(HandOver(descriptor: descriptor, input: ByteBuffer(), output: ByteBuffer(), closes: false))
        }
        let count = receive(descriptor, &state.input)
        if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) {
            close(descriptor)
            return
        }
        if count > 0, !answer(descriptor, count, &state) { return }
        let seconds = count > 0 ? state.limits.idleSeconds : state.limits.headSeconds
        let tag = state.connections.insert(descriptor, until: second &+ UInt32(clamping: seconds))
        if clinux_epoll_add(epoll, descriptor, tag) != 0 { drop(descriptor, &state) }
    }

    // MARK: Answering

    private func serve(_ descriptor: CInt, _ state: inout State, _ second: UInt32) {
        let count = receive(descriptor, &state.input)
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0 else { return drop(descriptor, &state) }
        if answer(descriptor, count, &state) {
            state.connections.setDeadline(descriptor, second &+ UInt32(clamping: state.limits.idleSeconds))
        }
    }

    private func receive(_ descriptor: CInt, _ input: inout [UInt8]) -> Int {
        // recv writes at most the count of the buffer that it is given.
        unsafe input.withUnsafeMutableBytes { bytes in unsafe recv(descriptor, bytes.baseAddress, bytes.count, 0) }
    }

    /// Answers what is plain of the bytes read, with one send.
    ///
    /// - Returns: whether the connection stays on this loop.
    private func answer(_ descriptor: CInt, _ count: Int, _ state: inout State) -> Bool {
        var used = 0
        var closes = false
        let input = state.input
        while used < count, !closes {
            guard let head = PlainScanner.scan(input.span, used..<count, limits: state.limits) else { break }
            closes = head.closes || state.closesConnections
            // A page or a body: the request goes along unanswered.
            guard state.responder.respond(to: head, input.span, closes: closes) == .answered else {
                closes = false
                break
            }
            used += head.length
        }
        let answers = state.responder.writer.bytes.count
        let sent = answers == 0 ? 0 : send(descriptor, state.responder.writer.bytes)
        // A read that filled the buffer may have left bytes in the socket, and closing then would reset the answer away.
        let mayHaveMore = closes && count == FastLoop.readCapacity
        if sent == answers, used == count, !mayHaveMore {
            state.responder.writer.bytes.removeAll(keepingCapacity: true)
            if closes { drop(descriptor, &state) }
            return !closes
        }
        if sent < 0 {
            state.responder.writer.bytes.removeAll(keepingCapacity: true)
            drop(descriptor, &state)
            return false
        }
        return leave(descriptor, input[used..<count], from: sent, closes: closes, &state)
    }

    /// - Returns: bytes taken by the socket, 0 when it is full, -1 when the peer is gone.
    private func send(_ descriptor: CInt, _ bytes: [UInt8]) -> Int {
        // send reads at most the count of the buffer that it is given.
        let sent = unsafe bytes.withUnsafeBytes { bytes in
            unsafe Glibc.send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
        }
        if sent >= 0 { return sent }
        return errno == EAGAIN || errno == EINTR ? 0 : -1
    }

    /// Gives the connection to the slow path, with what is unread and unsent.
    private func leave(_ descriptor: CInt, _ rest: ArraySlice<UInt8>, from sent: Int, closes: Bool, _ state: inout State) -> Bool {
        let output = ByteBuffer(bytes: state.responder.writer.bytes[sent...])
        state.responder.writer.bytes.removeAll(keepingCapacity: true)
        _ = clinux_epoll_remove(epoll, descriptor)
        state.connections.forget(descriptor)
        handOver(HandOver(descriptor: descriptor, input: ByteBuffer(bytes: rest), output: output, closes: closes))
        return false
    }

    private func drop(_ descriptor: CInt, _ state: inout State) {
        state.connections.forget(descriptor)
        close(descriptor)
    }
}
