import Glibc

/// The access log: workers leave lines in buffers, and its sink's thread writes them. A disk that is slow or full costs lines, which are
/// counted, and never time.
public final class AccessLog: Sendable {
    /// What is logged and how.
    public struct Configuration: Sendable {
        /// A file that is appended to, or `-` for the standard output.
        public var path: String
        /// Every which answer of a worker's thread has a line, at least 1.
        public var every: Int
        /// Clients are shown as their network: /24 of IPv4, /48 of IPv6.
        public var masksClients: Bool

        public init(path: String, every: Int = 1, masksClients: Bool = false) {
            self.path = path
            self.every = every
            self.masksClients = masksClients
        }
    }

    public typealias Totals = LineSink.Totals

    /// How long a reader may take nothing before lines are dropped.
    private static let patience = Duration.milliseconds(500)

    let configuration: Configuration
    private let file: LineFile
    private let sink: LineSink
    private let report: QuietReport

    /// Opens the file and starts the thread.
    ///
    /// - Parameters:
    ///   - spareBuffers: how many buffers may wait to be written.
    ///   - report: told lines for the operator, on the log's thread.
    /// - Throws: `EdgeError` naming the file when it cannot be opened.
    public init(_ configuration: Configuration, spareBuffers: Int, report: @escaping @Sendable (String) -> Void) throws(EdgeError) {
        self.configuration = configuration
        let report = QuietReport(to: report)
        self.report = report
        let path = configuration.path
        file = path == "-" ? .standardOutput : LineFile(descriptor: try AccessLog.open(path))
        sink = LineSink(
            file, name: "access-log", spareBuffers: max(1, spareBuffers), patience: AccessLog.patience,
            listener: .init(failed: { code in
                let reason = EdgeError("cannot write the access log \(path)", errno: code, hint: "its lines are dropped and counted")
                report(.accessLog, "\(reason)")
            }))
    }

    private static func open(_ path: String) throws(EdgeError) -> CInt {
        // The path is copied during the call. Without waiting: a named pipe that nobody reads is an error and no hang.
        let descriptor = unsafe Glibc.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else {
            throw EdgeError("cannot open the access log \(path)", errno: errno, hint: "name a file in a folder that this user may write to")
        }
        return descriptor
    }

    public var totals: Totals { sink.totals }

    /// Opens the file anew, after a rotation moved it away.
    public func reopen() {
        if configuration.path == "-" { return }
        sink.reopen { [configuration, file, report] in
            do throws(EdgeError) {
                file.replace(with: try AccessLog.open(configuration.path))
            } catch {
                report(.accessLog, "\(error); going on with the old one")
            }
        }
    }

    /// Writes what is left and ends; at most a second.
    public func close() async { await sink.close(within: .seconds(1)) }

    /// Takes a thread's buffer and leaves an empty one.
    ///
    /// - Returns: false when the thread is so far behind that there is none.
    func exchange(_ buffer: inout [UInt8]) -> Bool { sink.exchange(&buffer) }

    /// Counts a line that a thread has to drop.
    func countDropped(_ lines: UInt64) { sink.countDropped(lines) }
}
