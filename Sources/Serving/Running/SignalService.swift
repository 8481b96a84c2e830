import Foundation
import Logging
import ServiceLifecycle
import Synchronization
import UnixSignals

/// SIGTERM and SIGINT stop gracefully, a second one at once; SIGHUP looks at the database and the GeoIP databases now and opens
/// the access log anew. Before anything is served each of the first two ends the start.
final class SignalService: Sendable {
    /// What signals do to a balancer that serves.
    struct Actions: Sendable {
        let reload: @Sendable () async -> Void
        let stop: @Sendable () async -> Void
    }

    private enum State {
        case starting
        /// The data plane answers, the rest is on its way: whether it was asked to stop meanwhile.
        case opening(isStopAsked: Bool)
        case serving(Actions)
        case stopping
    }

    /// Trapped before the first listener opens: a signal's default action would cut every connection.
    private let signals: UnixSignalsSequence
    private let state = Mutex(State.starting)
    private let logger: Logger
    /// Ends the process at once with this exit code.
    private let quit: @Sendable (CInt) async -> Void

    init(_ signals: UnixSignalsSequence, logger: Logger, quit: @escaping @Sendable (CInt) async -> Void) {
        self.signals = signals
        self.logger = logger
        self.quit = quit
    }

    static func trap() async -> UnixSignalsSequence { await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup) }

    /// From now on connections may be open: a stop waits for `serve`.
    func opens() { state.withLock { $0 = .opening(isStopAsked: false) } }

    func serve(_ actions: Actions) async {
        let isStopAsked = state.withLock { state in
            guard case .opening(isStopAsked: true) = state else {
                state = .serving(actions)
                return false
            }
            state = .stopping
            return true
        }
        if isStopAsked { await actions.stop() }
    }

    func run() async {
        await withDiscardingTaskGroup { reloads in
            for await signal in signals {
                if signal == .sighup {
                    guard case .serving(let actions) = state.withLock({ $0 }) else { continue }
                    logger.notice("reloading")
                    // Beside: what it looks at may hang, and the next signal must be heard.
                    reloads.addTask { await actions.reload() }
                } else {
                    await stop()
                }
            }
        }
    }

    private func stop() async {
        let before = state.withLock { state in
            let before = state
            state = if case .opening(isStopAsked: false) = before { .opening(isStopAsked: true) } else { .stopping }
            return before
        }
        switch before {
        case .starting:
            logger.notice("stopped before it served")
            await quit(0)
        case .opening(isStopAsked: false): break
        case .serving(let actions): await actions.stop()
        case .opening(isStopAsked: true), .stopping:
            logger.warning("second signal: quitting at once")
            await quit(1)
        }
    }
}

/// Signals reach a balancer as soon as its services run.
struct Signalled: Service {
    let signals: SignalService
    let actions: SignalService.Actions

    func run() async throws {
        await signals.serve(actions)
        try? await gracefulShutdown()
    }
}
