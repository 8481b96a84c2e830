import CLinux
import Glibc
import Logging

/// The service manager that started this process, told how it is (sd_notify(3)). Where there is none, nothing is told.
struct ServiceManager: Sendable {
    /// How often it wants to hear that the process works; nil when it does not.
    let watchdogInterval: Duration?
    private let socket: String?
    private let logger: Logger

    init(environment: [String: String], logger: Logger) {
        socket = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
        let isMeant = environment["WATCHDOG_PID"].map { $0 == "\(getpid())" } ?? true
        // Half of what it waits for, as the manual advises.
        watchdogInterval = environment["WATCHDOG_USEC"].flatMap { Int64($0) }
            .flatMap { $0 > 0 && isMeant ? .microseconds($0 / 2) : nil }
        self.logger = logger
    }

    func ready(_ status: String) { tell("READY=1\nSTATUS=\(status)") }
    func reloading() { tell("RELOADING=1\nMONOTONIC_USEC=\(clinux_monotonic_microseconds())") }
    func reloaded() { tell("READY=1") }
    func stopping() { tell("STOPPING=1\nSTATUS=stopping: open connections finish") }
    func works() { tell("WATCHDOG=1") }

    private func tell(_ state: String) {
        // Both texts are copied during the call.
        guard let socket, unsafe clinux_notify(socket, state) != 0 else { return }
        let reason = unsafe String(cString: strerror(errno))
        logger.warning("the service manager cannot be told", metadata: ["socket": "\(socket)", "reason": "\(reason)"])
    }
}
