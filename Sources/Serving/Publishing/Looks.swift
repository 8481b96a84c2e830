/// The order of looks at the database and of writes to it. A look takes its time; what it found is dropped when something newer was taken over
/// meanwhile.
struct Looks: Sendable {
    /// One look, from the moment before its first question.
    struct Look: Sendable {
        fileprivate let number: UInt64
    }

    private var begun: UInt64 = 0
    private var takenKeys: UInt64 = 0
    private var takenCatalog: UInt64 = 0

    mutating func begin() -> Look {
        begun += 1
        return Look(number: begun)
    }

    /// A write is done: looks that have begun so far may have missed it.
    mutating func catalogWritten() { takenCatalog = begun }
    mutating func keysWritten() { takenKeys = begun }

    /// - Returns: whether nothing newer was taken over; then this is the newest.
    mutating func mayTakeCatalog(of look: Look) -> Bool { Looks.advance(&takenCatalog, to: look) }
    mutating func mayTakeKeys(of look: Look) -> Bool { Looks.advance(&takenKeys, to: look) }

    private static func advance(_ taken: inout UInt64, to look: Look) -> Bool {
        guard look.number > taken else { return false }
        taken = look.number
        return true
    }
}
