import NIOCore
import Playlist

/// Why a target gave no manifest, for the log: nothing of a token is in it.
public struct FetchTrouble: Sendable, Equatable {
    /// Of the target, with its port.
    public let host: String
    /// Of the manifest, below the server's root.
    public let path: String
    /// As metrics have it.
    public let reason: String
    /// In an operator's words.
    public let cause: String
}

/// What was told within the minute. Films that nobody has are asked for all day, and an outage concerns them all.
struct ToldTroubles {
    /// Lines a minute.
    static let maximum = 16

    private var begun = NIODeadline.uptimeNanoseconds(0)
    private var told: Set<String> = []

    /// Whether something is to be told now.
    mutating func isNew(_ what: String, at now: NIODeadline) -> Bool {
        if told.isEmpty || now - begun >= .minutes(1) {
            begun = now
            told = []
        }
        return told.count < ToldTroubles.maximum && told.insert(what).inserted
    }
}

extension Manifest.Refusal {
    /// Whether it says what something is, and not what is wrong.
    var isUsual: Bool { self == .media || self == .steered || self == .lowLatency }
}
