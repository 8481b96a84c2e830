import Edge
import Logging

/// The process's log: lines for standard output, which a thread of their own writes. Whatever becomes of standard output, nobody who logs
/// waits for it; what is lost is counted.
public enum ProcessLog {
    /// Made with the first line.
    static let sink = LineSink(
        .standardOutput, name: "log", patience: nil,
        listener: .init(
            failed: { code in
                StandardError.say("\(StandardOutput.Fault(code: code)); the log's lines are dropped and counted (\(Metric.logLost.name))")
            },
            recovered: { lost in
                Logger(label: "video-balancer").warning("lines of this log were lost", metadata: ["count": "\(lost)"])
            }))

    /// Waits until the lines so far are written, at most half a second: for the end of the process.
    public static func finish() async { await sink.flush(within: .milliseconds(500)) }
}
