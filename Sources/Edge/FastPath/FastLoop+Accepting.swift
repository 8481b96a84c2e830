import CLinux
import Glibc
import NIOCore
import Steering
import TLS

extension FastLoop {
    /// Connections accepted in one turn.
    private static let acceptBatch = 64

    /// What is left in the queue: nothing, perhaps more, or more than may be accepted now.
    enum Queue { case drained, more, mustRest }

    /// Accepts what is queued, a bounded number, and answers each at once: nothing is owed then.
    func accept(from listener: ListeningSocket, _ state: inout State, _ second: UInt32) -> Queue {
        for accepted in 0..<FastLoop.acceptBatch {
            if open.isFull {
                // After the first nobody knows whether more wait; the listener will tell.
                guard accepted == 0 else { return .more }
                reportLimit(&state)
                return .mustRest
            }
            var peer = clinux_address()
            // The peer is a local that the call fills.
            let number = unsafe clinux_accept(listener.descriptor, &peer)
            guard number < 0 else {
                state.responder.counters.connectionsAccepted += 1
                let address = ClientAddress(high: peer.high, low: peer.low)
                welcome(Descriptor(owning: number), of: address, from: listener, &state, second)
                continue
            }
            switch errno {
            case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                let reason = EdgeError("cannot accept connections", errno: errno, hint: "raise the limit of open files")
                report(.exhausted, "\(reason); accepting rests for \(FastLoop.restNanoseconds / 1_000_000) ms at a time")
                state.pausesExhausted += 1
                return .mustRest
            case EAGAIN: return .drained
            default: continue
            }
        }
        return .more
    }

    /// A level-triggered listener that cannot be accepted from would make the loop spin.
    func rest(_ state: inout State, _ now: UInt64) {
        state.restsUntil = now + FastLoop.restNanoseconds
        for listener in listeners { _ = clinux_epoll_remove(epoll, listener.descriptor) }
    }

    func endRest(_ state: inout State, _ now: UInt64) {
        guard now >= state.restsUntil, state.isAccepting else { return }
        state.restsUntil = 0
        _ = FastLoop.watch(listeners, in: epoll)
    }

    /// New clients wait; idle ones make room for them.
    private func reportLimit(_ state: inout State) {
        state.pausesAtLimit += 1
        report(
            .limit,
            "all \(open.limit) connections are open: idle ones are ended early and new ones wait; raise the limit of open files "
                + "(LimitNOFILE), or lower --idle-timeout")
        if open.mayAskForRoom(at: FastLoop.nanoseconds()) { state.makeRoom() }
    }

    /// Ends connections that have been idle for a second at least and have sent nothing new: those first whose time is over first.
    func endIdle(_ state: inout State, atMost count: Int) {
        // Deadlines are kept in whole seconds: of one second's difference a moment may be all that has passed.
        let now = FastLoop.second(FastLoop.nanoseconds())
        let latest = now &+ UInt32(clamping: max(2, state.limits.idleSeconds) - 2)
        // A handshake has less time than an idle connection, so it would be the first to go: one that has just begun is not idle.
        let latestHandshake = now &+ UInt32(clamping: max(2, state.limits.headSeconds) - 2)
        let soonest = state.connections.soonest(count, until: latest) { descriptor, deadline in
            deadline <= latestHandshake || state.connections.session(of: descriptor)?.isEstablished != false
        }
        for descriptor in soonest where !hasInput(descriptor) {
            dropIdle(descriptor, &state)
            state.responder.counters.idleConnectionsEnded += 1
        }
    }

    private func hasInput(_ descriptor: CInt) -> Bool {
        var byte: UInt8 = 0
        // One byte of a local.
        return unsafe recv(descriptor, &byte, 1, CInt(MSG_PEEK) | CInt(MSG_DONTWAIT)) > 0
    }

    /// Reads at once: the kernel hands a connection over when its first bytes are there.
    private func welcome(
        _ descriptor: consuming Descriptor, of peer: ClientAddress, from listener: ListeningSocket, _ state: inout State, _ second: UInt32
    ) {
        let expectsProxyHeader = listener.expectsProxyHeader
        let session = listener.isTLS ? makeSession(state) : nil
        if listener.isTLS, session == nil { return }
        if expectsProxyHeader, !state.responder.clientSource.mayIntroduce(peer) { return refuse(.untrusted, peer, &state) }
        guard state.answersPlain else {
            let content = HandOver.Content(awaitsProxyHeader: expectsProxyHeader, session: session)
            open.opened()
            return leave(descriptor, of: peer, content, .fastPathOff, &state)
        }
        let count = receive(descriptor.number, &state)
        if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) { return }
        var client = peer
        var used = 0
        if expectsProxyHeader {
            switch ProxyHeader.read(state.input.span, count: max(0, count)) {
            case .invalid: return refuse(.missing, peer, &state)
            case .incomplete:
                let content = HandOver.Content(
                    input: .init(bytes: state.input[0..<max(0, count)]), awaitsProxyHeader: true, session: session)
                open.opened()
                return leave(descriptor, of: peer, content, .proxyHeader, &state)
            case .complete(let length, let named):
                client = named ?? peer
                used = length
            }
        }
        var fate = Fate.stays
        state.current = nil
        if used < count {
            let filled = count == FastLoop.readCapacity
            let intent =
                if let session {
                    answer(used..<count, by: session, filled: filled, of: client, &state)
                } else {
                    answer(used..<count, filled: filled, of: client, &state)
                }
            fate = send(WrittenRange(range: 0..<state.responder.writer.bytes.count), to: descriptor.number, intent, &state)
            state.responder.writer.bytes.removeAll(keepingCapacity: true)
        }
        if case .ends = fate { return }
        open.opened()
        switch fate {
        case .ends: break
        case .leaves(var content, let reason):
            content.session = session
            content.http2 = state.current
            leave(descriptor, of: client, content, reason, &state)
        case .stays, .waits:
            var seconds = used < count ? state.limits.idleSeconds : state.limits.headSeconds
            if case .waits = fate { seconds = state.limits.headSeconds }
            let number = descriptor.number
            let tag = state.connections.insert(descriptor, of: client, until: second &+ UInt32(clamping: seconds))
            if let session { state.connections.setSession(session, of: number) }
            keepHTTP2(of: number, &state)
            if clinux_epoll_add_edge(epoll, number, tag) != 0 { drop(number, &state) }
        }
    }

    private func refuse(_ fault: ProxyHeader.Fault, _ peer: ClientAddress, _ state: inout State) {
        state.responder.counters.proxyHeadersRefused += 1
        report(fault.kind, fault.line(peer))
    }

    // MARK: Stopping

    /// Accepts connections before their first byte.
    func stopDeferring() async { await perform { [self] _ in for listener in own { listener.stopDeferring() } } }

    /// The listening sockets that nobody else accepts from.
    private var own: [ListeningSocket] { listeners.filter { !$0.isShared } }

    /// Lets no new handshake begin; those under way end in the queue, which is accepted as before.
    func refuseHandshakes() async {
        await perform { [self] _ in
            for listener in own {
                listener.stopDeferring()
                _ = clinux_refuse_handshakes(listener.descriptor)
            }
        }
    }

    /// Ends accepting: what is queued in the kernel is accepted unless others will, then the listeners close. Every connection ends with its
    /// next answer from now on: one of the fast path speaks HTTP/1, which has no other goodbye.
    func stopAccepting() async {
        await perform { [self] state in
            guard state.isAccepting else { return }
            state.isDraining = true
            sayGoodbye(&state)
            for listener in own { while accept(from: listener, &state, FastLoop.second(FastLoop.nanoseconds())) == .more {} }
            state.isAccepting = false
            for listener in listeners { _ = clinux_epoll_remove(epoll, listener.descriptor) }
            closeListeners()
        }
    }
}
