import CLinux
import Foundation
import Glibc
import Storage
import Synchronization

/// The end of the process, whatever hangs: a thread of its own that waits for nothing but the time.
///
/// Shortly before the end it closes the scope of calls, so that whoever still waits for a database is told so.
final class StopClock: Sendable {
    /// What those who were told have to pass it on.
    private static let notice = Duration.milliseconds(700)

    private struct State {
        var end: ContinuousClock.Instant?
        var isNoticed = false
    }

    private let state = Mutex(State())
    private let scope: CallScope
    /// The last words; must return soon whatever hangs.
    private let farewell: @Sendable () -> Void

    init(scope: CallScope, farewell: @escaping @Sendable () -> Void) {
        self.scope = scope
        self.farewell = farewell
    }

    /// Ends the process after this time, or at the earlier end that was set before.
    func set(_ time: Duration) {
        let end = ContinuousClock.now + time
        let isFirst = state.withLock { state in
            defer { state.end = min(state.end ?? end, end) }
            return state.end == nil
        }
        guard isFirst else { return }
        let thread = Thread { [self] in
            while !isOver() { Thread.sleep(forTimeInterval: 0.02) }
            farewell()
            // A thread that a frozen disk keeps would keep the sockets too, and the next process could not listen.
            _ = clinux_close_from(3)
            // Not exit(3): its handlers may wait for what hangs.
            _exit(0)
        }
        thread.start()
    }

    private func isOver() -> Bool {
        let now = ContinuousClock.now
        let (isOver, isNotice) = state.withLock { state in
            guard let end = state.end else { return (false, false) }
            defer { state.isNoticed = state.isNoticed || now >= end - StopClock.notice }
            return (now >= end, !state.isNoticed && now >= end - StopClock.notice)
        }
        if isNotice { scope.end() }
        return isOver
    }
}
