import Foundation

/// The clocks of this machine: one that people and NTP set, for labels, and one that only goes on, for durations.
public enum SystemClock {
    /// Milliseconds since 1970-01-01 UTC.
    public static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

    /// How long this process runs, asleep or not.
    public static func uptime() -> Duration { ContinuousClock.now - start }

    private static let start = ContinuousClock.now
}
