import Storage
import Synchronization

/// Browsers that have traded a token for a cookie. Any thread.
///
/// The cookie is a random number that means nothing outside this process: it is kept as its hash, ends with the process, and opens only
/// what the key it was traded for still opens.
final class Sessions: Sendable {
    /// Milliseconds, from the login.
    static let lifetime: Int64 = 12 * 3_600_000
    /// Of one key. The one that would end first makes room for the next, so no key takes a session from another.
    static let maximumOfKey = 20

    private struct Session {
        let keyHash: String
        let ends: Int64
    }

    /// By the hash of the cookie's value, so that finding one tells nothing about the others.
    private let sessions = Mutex<[String: Session]>([:])

    /// - Parameter now: milliseconds by a clock that is never set.
    /// - Returns: the cookie's value.
    func begin(_ key: APIKey, now: Int64) -> String {
        let id = Token.make()
        sessions.withLock { sessions in
            sessions = sessions.filter { $0.value.ends > now }
            let own = sessions.filter { $0.value.keyHash == key.hash }
            if own.count >= Sessions.maximumOfKey, let first = own.min(by: { $0.value.ends < $1.value.ends }) { sessions[first.key] = nil }
            sessions[Token.hash(id)] = Session(keyHash: key.hash, ends: now + Sessions.lifetime)
        }
        return id
    }

    /// The hash of the key that the session was begun with; nil when there is no such session any more.
    func keyHash(of id: String, now: Int64) -> String? {
        let hash = Token.hash(id)
        guard let session = sessions.withLock({ $0[hash] }), session.ends > now else { return nil }
        return session.keyHash
    }

    func end(_ id: String) { sessions.withLock { $0[Token.hash(id)] = nil } }

    var count: Int { sessions.withLock { $0.count } }
}
