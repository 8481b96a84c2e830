import Foundation
import Glibc

/// A wait that came to its end without what was waited for.
struct Timeout: Error, CustomStringConvertible {
    let description: String
}

/// Asks again and again until there is an answer. Deadlines are generous: they bound a hang, they measure nothing.
@discardableResult
func eventually<Value>(
    _ what: String, within seconds: Double = 15, every interval: Double = 0.02, _ attempt: () throws -> Value?
) throws -> Value {
    let end = ContinuousClock.now + .seconds(seconds)
    while true {
        if let value = try attempt() { return value }
        guard ContinuousClock.now < end else { throw Timeout(description: "waited \(seconds) s in vain for \(what)") }
        pause(interval)
    }
}

func eventually(_ what: String, within seconds: Double = 15, every interval: Double = 0.02, _ isSo: () throws -> Bool) throws {
    try eventually(what, within: seconds, every: interval) { try isSo() ? () : nil }
}

/// Blocks the thread.
func pause(_ seconds: Double) { usleep(UInt32(seconds * 1e6)) }

/// Runs `body` on `count` threads at once and waits for all.
///
/// - Throws: the first error of any.
func concurrently<Value: Sendable>(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Value) throws -> [Value] {
    let tasks = (0..<count).map { index in Background { try body(index) } }
    return try tasks.map { try $0.result() }
}
