import Glibc
import Synchronization

/// An open file, pipe or terminal that whole lines are written to.
///
/// It never waits in write(2): a pipe is asked first whether it takes bytes, and gets at most as many as it then takes at once
/// (`PIPE_BUF`, pipe(7)), so that it need not be non-blocking, which its other owners would notice. A line that was written in part is
/// completed before the next one.
public final class LineFile: Sendable {
    /// How far a write came.
    public struct Outcome: Equatable, Sendable {
        /// Lines of which nothing was written.
        public var lost: UInt64
        /// Why, as errno; `EAGAIN` when the other side took nothing for too long, 0 when everything is written.
        public var code: CInt
    }

    private struct State {
        var descriptor: CInt
        var isRegular: Bool
        /// The rest of a line whose beginning is written.
        var remainder: [UInt8] = []
    }

    private let state: Mutex<State>

    /// The process's standard output: one, however many logs go there, so that their lines do not mix.
    public static let standardOutput = LineFile(descriptor: 1)
    public static let standardError = LineFile(descriptor: 2)

    /// - Parameter descriptor: stays open until another one takes its place.
    init(descriptor: CInt) { state = Mutex(State(descriptor: descriptor, isRegular: LineFile.isRegular(descriptor))) }

    /// Writes to `descriptor` from now on, and closes the one before.
    func replace(with descriptor: CInt) {
        state.withLock { state in
            Glibc.close(state.descriptor)
            state = State(descriptor: descriptor, isRegular: LineFile.isRegular(descriptor))
        }
    }

    /// Standard output stays open: other logs write to it.
    func close() {
        state.withLock { state in
            guard state.descriptor > 2 else { return }
            Glibc.close(state.descriptor)
            state.descriptor = -1
        }
    }

    /// Writes lines, each ended by a line feed. Blocks its thread while the other side takes nothing.
    ///
    /// - Parameter gaveUp: asked ten times a second whether to stop waiting.
    public func write(_ lines: [UInt8], until gaveUp: () -> Bool) -> Outcome {
        state.withLock { state in
            let rest = LineFile.push(state.remainder, to: state, until: gaveUp)
            state.remainder.removeFirst(rest.used)
            guard state.remainder.isEmpty else { return Outcome(lost: LineFile.count(lines[...]), code: rest.code) }
            let pushed = LineFile.push(lines, to: state, until: gaveUp)
            var unwritten = lines[pushed.used...]
            if pushed.used > 0, lines[pushed.used - 1] != 0x0A {
                let end = unwritten.firstIndex(of: 0x0A).map { $0 + 1 } ?? lines.count
                state.remainder = Array(unwritten[..<end])
                unwritten = lines[end...]
            }
            return Outcome(lost: LineFile.count(unwritten), code: pushed.code)
        }
    }

    static func count(_ lines: ArraySlice<UInt8>) -> UInt64 { UInt64(lines.count { $0 == 0x0A }) }

    private static func push(_ bytes: [UInt8], to file: State, until gaveUp: () -> Bool) -> (used: Int, code: CInt) {
        var used = 0
        while used < bytes.count {
            guard file.isRegular || isWritable(file.descriptor, until: gaveUp) else { return (used, EAGAIN) }
            let end = file.isRegular ? bytes.count : endOfPiece(bytes, from: used)
            // unsafe: write reads only the bytes of the slice it is lent for the call.
            let count = unsafe bytes[used..<end].withUnsafeBytes { unsafe Glibc.write(file.descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                used += count
            } else if count < 0, errno == EAGAIN {
                // Another writer was faster.
                usleep(10_000)
            } else if count == 0 || errno != EINTR {
                return (used, count == 0 ? EIO : errno)
            }
        }
        return (used, 0)
    }

    private static func isWritable(_ descriptor: CInt, until gaveUp: () -> Bool) -> Bool {
        while !gaveUp() {
            var asked = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            // unsafe: poll fills the one struct it is lent for the call. An end of the other side shows in the write that follows.
            if unsafe poll(&asked, 1, 100) > 0 { return true }
        }
        return false
    }

    /// After the last line that fits as a whole, else as much as fits.
    private static func endOfPiece(_ bytes: [UInt8], from start: Int) -> Int {
        let end = min(start + Int(PIPE_BUF), bytes.count)
        return bytes[start..<end].lastIndex(of: 0x0A).map { $0 + 1 } ?? end
    }

    private static func isRegular(_ descriptor: CInt) -> Bool {
        var status = stat()
        // unsafe: fstat fills the struct it is lent for the call.
        return unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }
}
