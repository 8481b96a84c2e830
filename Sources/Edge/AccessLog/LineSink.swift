import Foundation
import Glibc
import Synchronization

/// Lines on their way to a file: they wait in buffers of a fixed size, and a thread of its own writes them. A file that is slow, full or
/// gone costs lines, which are counted, and never the time of those who log.
public final class LineSink: Sendable {
    /// Lines that were written, and lines that were not for want of space or time.
    public struct Totals: Sendable, Equatable {
        public internal(set) var written: UInt64 = 0
        public internal(set) var dropped: UInt64 = 0
    }

    /// What the owner of the lines wants to hear; called on the sink's thread.
    public struct Listener: Sendable {
        /// Writing fails from now on, with this errno.
        let failed: @Sendable (CInt) -> Void
        /// Writing works again, after so many lines were lost.
        let recovered: @Sendable (UInt64) -> Void

        public init(failed: @escaping @Sendable (CInt) -> Void, recovered: @escaping @Sendable (UInt64) -> Void = { _ in }) {
            self.failed = failed
            self.recovered = recovered
        }
    }

    /// A buffer that is exchanged holds this much.
    static let bufferBytes = 128 * 1024
    /// Lines that were added one by one may wait up to this size together.
    static let maximumWaitingBytes = 512 * 1024

    private struct Queue {
        var spare: [[UInt8]]
        var full: [[UInt8]] = []
        var lines: [UInt8] = []
        var totals = Totals()
        /// Since the last time that they were told.
        var untold: UInt64 = 0
        var reopening: (@Sendable () -> Void)?
        var isWriting = false
        var isClosing = false
        /// Nobody waits for the rest any more.
        var isAbandoned = false
        var hasEnded = false

        var isEmpty: Bool { full.isEmpty && lines.isEmpty }

        mutating func drop(_ count: UInt64) {
            totals.dropped += count
            untold += count
        }
    }

    private let file: LineFile
    private let patience: Duration?
    private let listener: Listener
    private let queue: Mutex<Queue>
    private let wake = DispatchSemaphore(value: 0)

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - name: the thread's.
    ///   - spareBuffers: how many exchanged buffers may wait to be written.
    ///   - patience: how long a file may take nothing before lines are given up; nil is for ever.
    public init(_ file: LineFile, name: String, spareBuffers: Int = 0, patience: Duration?, listener: Listener) {
        self.file = file
        self.patience = patience
        self.listener = listener
        queue = Mutex(Queue(spare: (0..<spareBuffers).map { _ in LineSink.makeBuffer() }))
        let thread = Thread { [self] in run() }
        thread.name = name
        thread.start()
    }

    static func makeBuffer() -> [UInt8] {
        var buffer: [UInt8] = []
        buffer.reserveCapacity(bufferBytes)
        return buffer
    }

    public var totals: Totals { queue.withLock { $0.totals } }

    /// Adds a line, which ends in a line feed. It is dropped and counted when too many wait; any thread.
    public func add(_ line: [UInt8]) {
        let isFirst = queue.withLock { queue in
            guard queue.lines.count + line.count <= LineSink.maximumWaitingBytes else {
                queue.drop(1)
                return false
            }
            defer { queue.lines += line }
            return queue.lines.isEmpty
        }
        if isFirst { wake.signal() }
    }

    /// Takes a buffer of lines and leaves an empty one, without allocating.
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

    /// Counts lines that had no buffer.
    func countDropped(_ lines: UInt64) { queue.withLock { $0.drop(lines) } }

    /// Opens the file anew before the next line is written; what waits for the old file's other side is given up.
    func reopen(by action: @escaping @Sendable () -> Void) {
        queue.withLock { $0.reopening = action }
        wake.signal()
    }

    /// Waits until all lines so far are written, at most so long.
    public func flush(within limit: Duration) async { await wait(within: limit) { $0.isEmpty && !$0.isWriting } }

    /// Writes what is left, for at most so long, and ends.
    func close(within limit: Duration) async {
        queue.withLock { $0.isClosing = true }
        wake.signal()
        await wait(within: limit) { $0.hasEnded }
        queue.withLock { $0.isAbandoned = true }
    }

    private func wait(within limit: Duration, for isDone: (borrowing Queue) -> Bool) async {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end, !queue.withLock({ isDone($0) }) {
            // A task that is cancelled cannot sleep, and this is called when things end.
            do { try await Task.sleep(for: .milliseconds(5)) } catch { usleep(5000) }
        }
    }

    // MARK: The thread

    private func run() {
        var isFailing = false
        while true {
            wake.wait()
            if let reopening = queue.withLock({ $0.reopening.take() }) { reopening() }
            while var chunk = next() { write(&chunk.lines, isExchanged: chunk.isExchanged, &isFailing) }
            if queue.withLock({ $0.isClosing && $0.isEmpty }) { break }
        }
        file.close()
        queue.withLock { $0.hasEnded = true }
    }

    private func next() -> (lines: [UInt8], isExchanged: Bool)? {
        queue.withLock { queue in
            // A reopening comes first; its signal is still to be taken.
            guard !queue.isEmpty, queue.reopening == nil else { return nil }
            queue.isWriting = true
            if !queue.full.isEmpty { return (queue.full.removeFirst(), true) }
            defer { queue.lines = [] }
            return (queue.lines, false)
        }
    }

    private func write(_ lines: inout [UInt8], isExchanged: Bool, _ isFailing: inout Bool) {
        let end = patience.map { ContinuousClock.now + $0 }
        let outcome = file.write(lines) {
            if let end, ContinuousClock.now >= end { return true }
            return queue.withLock { $0.reopening != nil || $0.isAbandoned }
        }
        let count = LineFile.count(lines[...])
        let untold = queue.withLock { queue in
            queue.totals.written += count - outcome.lost
            queue.drop(outcome.lost)
            if isExchanged {
                lines.removeAll(keepingCapacity: true)
                queue.spare.append(lines)
                lines = []
            }
            queue.isWriting = false
            guard outcome.code == 0 else { return UInt64(0) }
            defer { queue.untold = 0 }
            return queue.untold
        }
        if outcome.code != 0, !isFailing { listener.failed(outcome.code) }
        isFailing = outcome.code != 0
        if untold > 0 { listener.recovered(untold) }
    }
}
