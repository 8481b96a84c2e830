import Probing
import Storage

/// What the prober remembers, on the wall clock: a process that comes later has no other.
extension SavedVerdict {
    /// - Parameter now: milliseconds since 1970, UTC.
    init(_ known: Remembered, now: Int64) {
        let age = known.age.components
        self.init(
            kind: known.subject.kind, name: known.subject.name, reason: known.reason, hasBeenGood: known.hasBeenGood,
            judged: Int(now) - Int(age.seconds) * 1000)
    }

    /// - Parameter now: milliseconds since 1970, UTC.
    /// - Returns: nil for a kind that this version does not probe.
    func remembered(now: Int64) -> Remembered? {
        // A file may hold any number.
        let (age, isBeyond) = Int(now).subtractingReportingOverflow(judged)
        guard let subject = ProbeTarget.Subject(kind: kind, name: name), !isBeyond else { return nil }
        return Remembered(subject, reason: reason, hasBeenGood: hasBeenGood, age: .milliseconds(age))
    }
}
