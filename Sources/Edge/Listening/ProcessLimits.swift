import CLinux
import Foundation
import Glibc

/// What the process may take from the system, looked at once before it serves.
public enum ProcessLimits {
    /// Raises the limit of open files as far as the process may, and shares it out.
    ///
    /// - Throws: `EdgeError` when it is too low.
    public static func descriptors(workers: Int, _ listeners: [Listener]) throws(EdgeError) -> DescriptorBudget {
        var limit = rlimit()
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        // The calls read and write the local that they are lent.
        unsafe getrlimit(files, &limit)
        if limit.rlim_cur < limit.rlim_max {
            limit.rlim_cur = limit.rlim_max
            unsafe setrlimit(files, &limit)
            unsafe getrlimit(files, &limit)
        }
        let used = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 16
        return try DescriptorBudget(
            limit: Int(clamping: limit.rlim_cur), used: used, workers: listeners.workers(atLeast: workers),
            listeners: listeners.count, cores: cores)
    }

    /// Tries out whether the threads can be had: a library that does not get one ends the process.
    ///
    /// - Throws: `EdgeError` when the address space (`ulimit -v`) or the number of tasks is too small.
    public static func rehearseThreads(workers: Int) throws(EdgeError) {
        clinux_spare_address_space()
        // Two a worker; event loops, blocking calls and tasks beside them, by core; databases and logs.
        let count = 2 * workers + 4 * cores + 16
        let code = clinux_rehearse_threads(CInt(count))
        guard code != 0 else { return }
        throw EdgeError(
            "cannot start \(count) threads for \(workers) workers", errno: code,
            hint: "raise `ulimit -v` or `ulimit -u`, TasksMax or the container's limit of processes, or lower --workers")
    }

    /// Marks every open descriptor close-on-exec: libraries open some without it.
    public static func closeOnExec() { _ = clinux_close_on_exec_from(3) }

    /// Lets a crash end the process at once.
    ///
    /// Swift's crash handler stops all threads, starts a program that reads the symbols, and keeps the sockets for a minute meanwhile: clients
    /// wait for nothing, and the next process cannot listen. Who wants its report sets `SWIFT_BACKTRACE`, and then it stays.
    public static func endAtCrash(environment: [String: String]) {
        if environment["SWIFT_BACKTRACE"] == nil { clinux_end_at_crash() }
    }

    private static var cores: Int { ProcessInfo.processInfo.activeProcessorCount }
}
