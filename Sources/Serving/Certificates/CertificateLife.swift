/// How long a certificate is valid, in seconds since 1970-01-01 UTC.
struct CertificateLife: Sendable, Equatable {
    let from: Int64
    let until: Int64

    enum State: String {
        case good, ending, expired, notYet
    }

    /// Whole days that are left; less than 0 once it has expired.
    func daysLeft(at now: Int64) -> Int { Int((Double(until - now) / 86_400).rounded(.down)) }

    /// It is ending for two weeks, or for the last third of a shorter life: whoever renews in time has done so by then.
    func state(at now: Int64) -> State {
        if now >= until { return .expired }
        if now < from { return .notYet }
        return until - now < min(14 * 86_400, (until - from) / 3) ? .ending : .good
    }
}

/// Tells of each certificate that is ending, or has ended, once a day: whoever missed it yesterday sees it today.
struct CertificateReminder<Subject: Hashable> {
    private var told: [Subject: Int] = [:]

    /// - Returns: whether it is time for another line.
    mutating func isDue(_ subject: Subject, _ life: CertificateLife, at now: Int64) -> Bool {
        switch life.state(at: now) {
        case .good, .notYet:
            told[subject] = nil
            return false
        case .ending, .expired: return told.updateValue(life.daysLeft(at: now), forKey: subject) != life.daysLeft(at: now)
        }
    }

    /// Forgets all that are none of these.
    mutating func keep(_ subjects: some Sequence<Subject>) {
        let kept = Set(subjects)
        told = told.filter { kept.contains($0.key) }
    }
}
