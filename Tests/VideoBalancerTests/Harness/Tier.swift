import Foundation

/// How much is tried: the default run must stay short; `SOAK=1` is for hours without anybody waiting.
enum Tier {
    static let isSoak = ProcessInfo.processInfo.environment["SOAK"] == "1"

    static func runs(_ count: Int, soak: Int) -> Int { isSoak ? soak : count }
}
