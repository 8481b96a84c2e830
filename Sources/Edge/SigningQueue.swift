import CLinux
import Dispatch
import Foundation
import NIOCore
import Steering
import Synchronization

/// Makes signatures by private keys on one thread of its own: one takes a millisecond, for which no loop may stand still. The same signature
/// is made once for all who wait for it.
///
/// Whoever asks for films that nobody watches can fill it, and then gets no signature; links whose signature is kept need none. Its thread
/// gives way to the loops. Any thread.
final class SigningQueue: Sendable {
    /// Signatures that wait; about a second of RSA.
    static let maximum = 1024

    private typealias Waiter = @Sendable () -> Void

    /// Shared with the thread.
    private final class Queue: Sendable {
        let waiting = Mutex(Waiting())
        let count = Atomic(0)
        let arrived = DispatchSemaphore(value: 0)

        /// The next signature to make, when there is one; nil when nobody is left who could add one.
        func next() -> SignatureWork? {
            arrived.wait()
            return waiting.withLock { $0.works.popFirst() }
        }

        func finish(_ work: SignatureWork) {
            count.subtract(1, ordering: .relaxed)
            for waiter in waiting.withLock({ $0.waiters.removeValue(forKey: work.key) }) ?? [] { waiter() }
        }
    }

    private struct Waiting {
        var works: Deque = Deque()
        var waiters: [SignatureWork.Key: [Waiter]] = [:]
    }

    /// First in, first out.
    private struct Deque {
        private var works: [SignatureWork] = []
        private var first = 0

        mutating func append(_ work: SignatureWork) { works.append(work) }

        mutating func popFirst() -> SignatureWork? {
            guard first < works.count else { return nil }
            defer {
                first += 1
                if first > SigningQueue.maximum {
                    works.removeFirst(first)
                    first = 0
                }
            }
            return works[first]
        }
    }

    private let queue = Queue()

    init() {
        let thread = Thread { [queue] in
            // The name is copied during the call.
            unsafe clinux_name_thread("signing")
            clinux_give_way(10)
            while let work = queue.next() {
                work.run()
                queue.finish(work)
            }
        }
        thread.start()
    }

    deinit { queue.arrived.signal() }

    /// Whether a signature would be made; takes no lock.
    var hasRoom: Bool { queue.count.load(ordering: .relaxed) < SigningQueue.maximum }

    /// Has signatures made.
    ///
    /// - Returns: done when all are there; fails at once when there is no room for one.
    func prepare(_ works: [SignatureWork], on loop: any EventLoop) -> EventLoopFuture<Void> {
        EventLoopFuture.andAllSucceed(works.map { prepare($0, on: loop) }, on: loop)
    }

    private func prepare(_ work: SignatureWork, on loop: any EventLoop) -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        let waiter: Waiter = { promise.succeed(()) }
        let outcome = queue.waiting.withLock { waiting -> Outcome in
            if waiting.waiters[work.key]?.append(waiter) != nil { return .joined }
            guard hasRoom else { return .full }
            queue.count.add(1, ordering: .relaxed)
            waiting.waiters[work.key] = [waiter]
            waiting.works.append(work)
            return .added
        }
        switch outcome {
        case .added: queue.arrived.signal()
        case .joined: break
        case .full: promise.fail(Full())
        }
        return promise.futureResult
    }

    private enum Outcome { case added, joined, full }

    private struct Full: Error {}
}
