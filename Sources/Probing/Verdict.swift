/// What one probe found.
public struct Verdict: Sendable, Equatable {
    public let outcome: Outcome
    /// Why, in a few words for an operator: `200`, `connection refused`, `no whole answer within 2 s`.
    public let reason: String

    public enum Outcome: String, Sendable {
        case good, bad
        /// The probe failed for a reason of this machine's own, such as its limit of open files: it says nothing of the target.
        case unknown
    }

    public var isGood: Bool { outcome == .good }

    static func good(_ reason: String) -> Verdict { Verdict(outcome: .good, reason: reason) }
    static func bad(_ reason: String) -> Verdict { Verdict(outcome: .bad, reason: reason) }
    static func unknown(_ reason: String) -> Verdict { Verdict(outcome: .unknown, reason: reason) }
}
