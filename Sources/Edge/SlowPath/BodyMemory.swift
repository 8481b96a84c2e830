import Synchronization

/// Counts the bytes of all bodies, or of all manifests, under way against their sum's limit. Any thread.
///
/// The limit of one body, times the connections that there may be, is more memory than any machine has.
final class BodyMemory: Sendable {
    /// Bytes.
    let limit: Int
    private let held = Atomic(0)

    init(limit: Int) { self.limit = limit }

    /// - Parameter body: most bytes of one body.
    convenience init(body: Int) { self.init(limit: max(16 << 20, 64 * body)) }

    /// - Returns: false when there is no room; nothing is taken then.
    func take(_ bytes: Int) -> Bool {
        guard held.wrappingAdd(bytes, ordering: .relaxed).newValue > limit else { return true }
        give(bytes)
        return false
    }

    func give(_ bytes: Int) { held.wrappingSubtract(bytes, ordering: .relaxed) }
}
