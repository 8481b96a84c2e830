import CLinux
import Foundation
import Glibc
import NIOCore
import Synchronization

/// Accepts the connections of one listener on a thread of its own, reads what has come with each, and hands them over.
///
/// `TCP_DEFER_ACCEPT` makes the kernel wait for the first byte, so a read right after accept nearly always has the whole request.
/// When descriptors run out the listener leaves the epoll set for a moment: a level-triggered set would otherwise spin.
final class Acceptor: Sendable {
    private let listener: CInt
    private let epoll: CInt
    private let wake: CInt
    private let isStopping = Atomic(false)
    private let accepted = Atomic<UInt64>(0)
    private let handOver: @Sendable (CInt, ByteBuffer) -> Void
    private let report: @Sendable (String) -> Void

    private enum Tag {
        static let listener: UInt64 = 1
        static let wake: UInt64 = 2
    }

    /// Connections accepted in one turn of the loop.
    private static let batch = 64
    private static let readCapacity = 16 * 1024
    /// How long accepting rests when descriptors or memory have run out.
    private static let restMilliseconds: CInt = 100

    /// - Parameters:
    ///   - listener: owned by the acceptor from now on.
    ///   - handOver: called on the acceptor's thread; owns the descriptor.
    ///   - report: told once when accepting has to rest, in a line for the operator.
    init(
        listener: CInt, handOver: @escaping @Sendable (CInt, ByteBuffer) -> Void, report: @escaping @Sendable (String) -> Void
    ) throws(EdgeError) {
        self.listener = listener
        self.handOver = handOver
        self.report = report
        epoll = clinux_epoll_create()
        wake = clinux_eventfd()
        guard epoll >= 0, wake >= 0, clinux_epoll_add(epoll, wake, Tag.wake) == 0, clinux_epoll_add(epoll, listener, Tag.listener) == 0
        else {
            throw EdgeError("cannot watch the listening socket", errno: errno, hint: "raise the limit of open files")
        }
    }

    deinit {
        close(epoll)
        close(wake)
    }

    /// Connections accepted so far; any thread.
    var count: UInt64 { accepted.load(ordering: .relaxed) }

    /// Runs until `stop()`, on a thread of its own; then calls `ended` there.
    func start(name: String, ended: @escaping @Sendable () -> Void) {
        let thread = Thread { [self] in
            run()
            ended()
        }
        thread.name = name
        thread.start()
    }

    /// Ends accepting: what is queued in the kernel is still accepted, then the listener closes. Returns at once.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        var one: UInt64 = 1
        // Eight bytes of a local; an eventfd that is already readable is as good as a write.
        _ = unsafe write(wake, &one, 8)
    }

    private func run() {
        var tags = [UInt64](repeating: 0, count: 8)
        var isResting = false
        while !isStopping.load(ordering: .acquiring) {
            // The array outlives the call, and its capacity is passed with it.
            let count = unsafe clinux_epoll_wait(epoll, &tags, CInt(tags.count), isResting ? Acceptor.restMilliseconds : -1)
            if isResting {
                isResting = false
                _ = clinux_epoll_add(epoll, listener, Tag.listener)
            }
            guard count > 0, tags.prefix(Int(count)).contains(Tag.listener) else { continue }
            if acceptBatch() == .exhausted {
                _ = clinux_epoll_remove(epoll, listener)
                isResting = true
            }
        }
        Listener.stopDeferring(listener)
        while acceptBatch() == .more {}
        close(listener)
    }

    private enum Turn { case drained, more, exhausted }

    private func acceptBatch() -> Turn {
        for _ in 0..<Acceptor.batch {
            let number = clinux_accept(listener)
            guard number < 0 else {
                accepted.wrappingAdd(1, ordering: .relaxed)
                adopt(Descriptor(owning: number))
                continue
            }
            switch errno {
            case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                let reason = EdgeError("cannot accept connections", errno: errno, hint: "raise the limit of open files")
                report("\(reason); accepting rests for \(Acceptor.restMilliseconds) ms")
                return .exhausted
            case EAGAIN: return .drained
            default: continue
            }
        }
        return .more
    }

    /// Reads once. A peer that has gone already is closed without troubling anybody.
    private func adopt(_ connection: consuming Descriptor) {
        var on: CInt = 1
        // The kernel copies the integer during the call.
        _ = unsafe setsockopt(connection.number, CInt(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<CInt>.size))
        var buffer = ByteBufferAllocator().buffer(capacity: Acceptor.readCapacity)
        let number = connection.number
        var failure: CInt = 0
        let read = unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Acceptor.readCapacity) { bytes in
            // recv writes at most the count it is given.
            let count = unsafe recv(number, bytes.baseAddress, bytes.count, 0)
            if count < 0 { failure = errno }
            return max(0, count)
        }
        if read == 0, failure != EAGAIN, failure != EINTR { return }
        handOver(connection.release(), buffer)
    }
}
