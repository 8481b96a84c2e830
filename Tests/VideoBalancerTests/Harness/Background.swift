import Foundation
import Synchronization

/// Work on a thread of its own, and its result.
final class Background<Value: Sendable>: Sendable {
    private let outcome = Mutex<Result<Value, any Error>?>(nil)
    private let done = DispatchSemaphore(value: 0)

    init(_ body: @escaping @Sendable () throws -> Value) {
        let thread = Thread { [self] in
            let result = Result { try body() }
            outcome.withLock { $0 = result }
            done.signal()
        }
        thread.start()
    }

    /// Waits for the end of the work. May be called again.
    func result(seconds: Double = 120) throws -> Value {
        guard done.wait(timeout: .now() + seconds) == .success else {
            throw Timeout(description: "a thread did not end within \(seconds) s")
        }
        done.signal()
        guard let outcome = outcome.withLock({ $0 }) else { throw Failure("a thread ended without a result") }
        return try outcome.get()
    }
}

/// Tells threads to end.
final class Flag: Sendable {
    private let value = Atomic(false)

    var isUp: Bool { value.load(ordering: .acquiring) }
    func raise() { value.store(true, ordering: .releasing) }
}
