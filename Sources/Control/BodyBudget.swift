import HTTPTypes
import Steering
import Storage
import Synchronization

/// Bytes of bodies that are held in memory at once, over all callers: a limit for each body is none for six hundred of them. Any thread.
///
/// Viewers have a room of their own, which no number of them exceeds, so that an operator's catalog always finds space.
final class BodyBudget: Sendable {
    struct Room: Sendable {
        let maximum: Int
        let maximumOfKey: Int

        /// Questions; each may have 1 MiB.
        static let reads = Room(maximum: 8 << 20, maximumOfKey: 2 << 20)
        /// One of the longest catalogs for each of two operators.
        static let changes = Room(maximum: 2 * Document.maximumText, maximumOfKey: Document.maximumText)
    }

    private let room: Room
    private let held = Mutex<[String: Int]>([:])

    init(_ room: Room) { self.room = room }

    /// Bytes that are held now.
    var total: Int { held.withLock { $0.values.reduce(0, +) } }

    /// What one request holds; it gives everything back when nothing refers to it any more.
    final class Lease: Sendable {
        private let budget: BodyBudget
        private let key: String
        private let taken = Mutex(0)

        init(_ budget: BodyBudget, key: String) {
            self.budget = budget
            self.key = key
        }

        deinit { budget.giveBack(taken.withLock { $0 }, key) }

        /// - Throws: 503 when so many more bytes find no room.
        func take(_ count: Int) throws(Problem) {
            guard budget.take(count, key) else {
                throw Problem(
                    .serviceUnavailable, "Too many bodies are being sent at once; send this one again.", headers: [(.retryAfter, "1")])
            }
            taken.withLock { $0 += count }
        }
    }

    private func take(_ count: Int, _ key: String) -> Bool {
        held.withLock { held in
            let own = held[key] ?? 0
            guard own + count <= room.maximumOfKey, held.values.reduce(count, +) <= room.maximum else { return false }
            held[key] = own + count
            return true
        }
    }

    private func giveBack(_ count: Int, _ key: String) {
        held.withLock { held in
            let own = (held[key] ?? 0) - count
            held[key] = own > 0 ? own : nil
        }
    }
}
