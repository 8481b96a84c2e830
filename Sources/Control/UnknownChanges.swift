import Steering
import Storage
import Synchronization

/// Finds out what revisions changed that were stored without their changes: by an older release, by hand, or after a damaged one.
/// Any thread.
final class UnknownChanges: Sendable {
    /// Bytes of catalogs that one request reads; what is beyond stays unknown until the next one.
    private static let maximum = 4 << 20
    /// Revisions whose changes are kept.
    private static let maximumKept = 256

    private let kept = Mutex<[Key: RevisionChanges]>([:])

    /// Revisions do not change, but a restored database gives others the same number.
    private struct Key: Hashable {
        let id: Int
        let checksum: String
    }

    /// - Returns: by the revision's id, those that are known now.
    func find(in page: [RevisionSummary], _ call: Call, _ store: any RevisionHistory) async throws -> [Int: RevisionChanges] {
        var found: [Int: RevisionChanges] = [:]
        var room = UnknownChanges.maximum
        var last: StoredRevision?
        for summary in page where summary.changes == nil {
            let key = Key(id: summary.id, checksum: summary.checksum)
            if let changes = kept.withLock({ $0[key] }) {
                found[summary.id] = changes
                continue
            }
            guard room > 0 else { break }
            // Of a row of them, each was read as the one before the last.
            let known = last?.summary.id == summary.id ? last : nil
            let new = if let known { known } else { try await store.stored(summary.id) }
            let old = try await store.stored(summary.id - 1)
            last = old
            room -= (new?.size ?? 0) + (old?.size ?? 0)
            guard let new, let changes = try await call.compute({ UnknownChanges.changes(from: old, to: new) }) else { continue }
            found[summary.id] = changes
            keep(changes, key)
        }
        return found
    }

    /// Nil where one of them is damaged.
    private static func changes(from old: StoredRevision?, to new: StoredRevision) -> RevisionChanges? {
        guard let old else { return RevisionChanges.none }
        guard let before = try? old.read(), let after = try? new.read() else { return nil }
        return RevisionChanges(from: before.catalog.document, to: after.catalog.document)
    }

    private func keep(_ changes: RevisionChanges, _ key: Key) {
        kept.withLock { kept in
            if kept.count >= UnknownChanges.maximumKept { kept = [:] }
            kept[key] = changes
        }
    }
}
