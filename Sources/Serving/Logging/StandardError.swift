import Edge

/// The process's standard error, for a person who waits in front of it.
public enum StandardError {
    /// Writes one or more lines, each with the program's name. They are lost when nobody takes them within half a second.
    public static func say(_ text: String) {
        let lines = text.split(separator: "\n").map { "video-balancer: \($0)\n" }.joined()
        let end = ContinuousClock.now + .milliseconds(500)
        _ = LineFile.standardError.write(Array(lines.utf8)) { ContinuousClock.now >= end }
    }
}
