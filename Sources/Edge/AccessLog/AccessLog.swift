import Foundation
import Glibc
import Synchronization

/// The access log: workers leave lines in buffers, and a thread of its own writes them. A disk that is slow or full costs lines, which are
/// counted, and never time.
public final class AccessLog: Sendable {
    /// What is logged and how.
    public struct Configuration: Sendable {
        /// A file that is appended to, or `-` for the standard output.
        public var path: String
        /// Every which answer of a worker has a line, at least 1.
        public var every: Int
        /// Clients are shown as their network: /24 of IPv4, /48 of IPv6.
        public var masksClients: Bool

        public init(path: String, every: Int = 1, masksClients: Bool = false) {
            self.path = path
            self.every = every
            self.masksClients = masksClients
        }
    }

    /// Lines of buffers that were written, and lines that were not for want of space or time.
    public struct Totals: Sendable, Equatable {
        public internal(set) var written: UInt64 = 0
        public internal(set) var dropped: UInt64 = 0
    }

    /// A worker hands a buffer over when it is this full, or when a moment has passed.
    static let bufferBytes = 128 * 1024

    private struct Queue {
        var spare: [[UInt8]]
        var full: [[UInt8]] = []
        var totals = Totals()
        var reopens = false
        var isClosing = false
        var hasEnded = false
    }

    let configuration: Configuration
    private let queue: Mutex<Queue>
    private let wake = DispatchSemaphore(value: 0)
    private let report: QuietReport

    /// Opens the file and starts the thread.
    ///
    /// - Parameters:
    ///   - spareBuffers: how many buffers may wait to be written.
    ///   - report: told lines for the operator, on the log's thread.
    /// - Throws: `EdgeError` naming the file when it cannot be opened.
    public init(_ configuration: Configuration, spareBuffers: Int, report: @escaping @Sendable (String) -> Void) throws(EdgeError) {
        self.configuration = configuration
        self.report = QuietReport(to: report)
        queue = Mutex(Queue(spare: (0..<max(1, spareBuffers)).map { _ in AccessLog.makeBuffer() }))
        let file = try AccessLog.open(configuration.path)
        let thread = Thread { [self] in write(to: file) }
        thread.name = "access-log"
        thread.start()
    }

    static func makeBuffer() -> [UInt8] {
        var buffer: [UInt8] = []
        buffer.reserveCapacity(bufferBytes)
        return buffer
    }

    private static func open(_ path: String) throws(EdgeError) -> CInt {
        // The path is copied during the call. Without waiting: a named pipe that nobody reads is an error and no hang.
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK
        let descriptor = path == "-" ? fcntl(1, F_DUPFD_CLOEXEC, 3) : unsafe Glibc.open(path, flags, 0o600)
        guard descriptor >= 0 else {
            throw EdgeError("cannot open the access log \(path)", errno: errno, hint: "name a file in a folder that this user may write to")
        }
        return descriptor
    }

    public var totals: Totals { queue.withLock { $0.totals } }

    /// Opens the file anew, after a rotation moved it away.
    public func reopen() {
        queue.withLock { $0.reopens = true }
        wake.signal()
    }

    /// Writes what is left and ends; at most a few seconds.
    public func close() async {
        queue.withLock { $0.isClosing = true }
        wake.signal()
        for _ in 0..<200 where !queue.withLock({ $0.hasEnded }) { try? await Task.sleep(for: .milliseconds(10)) }
    }

    /// Takes a worker's buffer and leaves an empty one.
    ///
    /// - Returns: false when the thread is so far behind that there is none.
    func exchange(_ buffer: inout [UInt8]) -> Bool {
        let isTaken = queue.withLock { queue in
            guard let spare = queue.spare.popLast() else { return false }
            queue.full.append(buffer)
            buffer = spare
            return true
        }
        if isTaken { wake.signal() }
        return isTaken
    }

    /// Counts a line that a worker has to drop.
    func countDropped(_ lines: UInt64) { queue.withLock { $0.totals.dropped += lines } }

    // MARK: The thread

    private func write(to first: CInt) {
        var file = first
        var isMidLine = false
        var chunk: [UInt8] = []
        while true {
            wake.wait()
            let (isThere, reopens, ends) = queue.withLock { queue in
                defer { queue.reopens = false }
                if queue.full.isEmpty { return (false, queue.reopens, queue.isClosing) }
                chunk = queue.full.removeFirst()
                return (true, queue.reopens, false)
            }
            if reopens {
                do throws(EdgeError) {
                    let new = try AccessLog.open(configuration.path)
                    Glibc.close(file)
                    file = new
                    isMidLine = false
                } catch {
                    report(.accessLog, "\(error); going on with the old one")
                }
            }
            if isThere {
                let lines = UInt64(chunk.count { $0 == 0x0A })
                let lost = write(&chunk, to: file, &isMidLine)
                chunk.removeAll(keepingCapacity: true)
                queue.withLock { queue in
                    queue.totals.written += lines - lost
                    queue.totals.dropped += lost
                    queue.spare.append(chunk)
                }
                chunk = []
            }
            if ends { break }
        }
        Glibc.close(file)
        queue.withLock { $0.hasEnded = true }
    }

    /// Writes a buffer, as far as there is space.
    ///
    /// - Returns: lines that are lost; one that was written in part is ended before the next.
    private func write(_ chunk: inout [UInt8], to file: CInt, _ isMidLine: inout Bool) -> UInt64 {
        if isMidLine { _ = unsafe Glibc.write(file, "\n", 1) }
        var used = 0
        while used < chunk.count {
            // The bytes outlive the call, and their count goes with them.
            let count = unsafe chunk[used...].withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
            if count >= 0 {
                used += count
                continue
            }
            if errno == EINTR { continue }
            let reason = EdgeError(
                "cannot write the access log \(configuration.path)", errno: errno, hint: "its lines are dropped and counted")
            report(.accessLog, "\(reason)")
            break
        }
        if used > 0 { isMidLine = chunk[used - 1] != 0x0A }
        return UInt64(chunk[used...].count { $0 == 0x0A })
    }
}
