import Edge
import Glibc

/// The process's standard output, for what commands print.
public enum StandardOutput {
    /// It takes no more.
    public struct Fault: Error, CustomStringConvertible {
        let code: CInt

        /// The reader has gone, as `head` does: it has what it wanted.
        public var isClosedPipe: Bool { code == EPIPE }

        // unsafe: strerror's text is copied at once.
        public var description: String { "standard output cannot be written: \(unsafe String(cString: strerror(code)))" }
    }

    /// Writes a text and a line feed, or another end. Waits as long as the reader takes, as every command does.
    ///
    /// - Throws: `Fault`, where Swift's own `print` says nothing.
    public static func print(_ text: String, terminator: String = "\n") throws(Fault) {
        let outcome = LineFile.standardOutput.write(Array((text + terminator).utf8)) { false }
        if outcome.code != 0 { throw Fault(code: outcome.code) }
    }
}
