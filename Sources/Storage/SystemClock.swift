import Foundation

/// The wall clock of this machine.
public enum SystemClock {
    /// Milliseconds since 1970-01-01 UTC.
    public static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) }
}
