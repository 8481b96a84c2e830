/// What one probe found.
public struct Verdict: Sendable, Equatable {
    public let isGood: Bool
    /// Why, in a few words for an operator: `200`, `refused`, `no answer within 2 s`.
    public let reason: String

    static func good(_ reason: String) -> Verdict { Verdict(isGood: true, reason: reason) }
    static func bad(_ reason: String) -> Verdict { Verdict(isGood: false, reason: reason) }
}
