import Control
import Edge
import Foundation
import Glibc

/// What the kernel knows of this process, by the names that Prometheus' own libraries use.
enum ProcessMetrics {
    /// - Parameter started: milliseconds since 1970, UTC.
    static func families(started: Int64) -> [MetricFamily] {
        var usage = rusage()
        // The pointers are to locals and used for the calls alone.
        unsafe getrusage(RUSAGE_SELF.rawValue, &usage)
        var limit = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let pages = memoryPages()
        let page = Double(sysconf(CInt(_SC_PAGESIZE)))
        let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.count ?? 0
        return [
            Metric.logLost.family(Double(ProcessLog.sink.totals.dropped)),
            Metric.build.family([([Version.current], 1)]),
            Metric.cpu.family(seconds(usage.ru_utime) + seconds(usage.ru_stime)),
            Metric.residentMemory.family(pages.resident * page),
            Metric.virtualMemory.family(pages.total * page),
            Metric.descriptors.family(Double(descriptors)),
            Metric.maximumDescriptors.family(Double(limit.rlim_cur)),
            Metric.started.family(Double(started) / 1000),
        ]
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

    /// The first two numbers of /proc/self/statm, proc_pid_statm(5).
    private static func memoryPages() -> (total: Double, resident: Double) {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let numbers = text.split(separator: " ").prefix(2).map { Double($0) ?? 0 }
        return numbers.count == 2 ? (numbers[0], numbers[1]) : (0, 0)
    }
}
