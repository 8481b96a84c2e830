import Edge
import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

/// SIGTERM and SIGINT stop gracefully, a second one at once; SIGHUP looks at the database and the GeoIP databases now and opens
/// the access log anew.
struct SignalService: Service {
    /// Trapped before the first listener opens: a signal's default action would cut every connection.
    let signals: UnixSignalsSequence
    let watcher: DatabaseWatcher
    let geoIP: GeoIPWatcher
    let manager: ServiceManager
    let accessLog: AccessLog?
    let stop: @Sendable () async -> Void
    let logger: Logger

    static func trap() async -> UnixSignalsSequence { await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup) }

    func run() async throws {
        var isStopping = false
        for await signal in signals {
            if signal == .sighup {
                logger.notice("reloading")
                manager.reloading()
                accessLog?.reopen()
                // First, since a database that does not answer takes its time.
                await geoIP.look()
                await watcher.look()
                manager.reloaded()
            } else if isStopping {
                logger.warning("second signal: quitting at once")
                await ProcessLog.finish()
                exit(1)
            } else {
                isStopping = true
                manager.stopping()
                await stop()
            }
        }
    }
}
