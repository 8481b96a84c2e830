import Foundation

/// The process's standard error, for a person who waits in front of it.
public enum StandardError {
    /// Writes one or more lines, each with the program's name.
    public static func say(_ text: String) {
        for line in text.split(separator: "\n") { FileHandle.standardError.write(Data("video-balancer: \(line)\n".utf8)) }
    }
}
