public import Storage
import Synchronization

/// Who may use the API: the stored keys and those set for this process. Any thread.
///
/// Tokens are compared by their SHA-256, every known one each time and without stopping at the first difference, so that the time
/// taken tells nothing.
public final class Access: Sendable {
    private let fixed: [APIKey]
    private let stored = Mutex<[APIKey]>([])
    /// When keys of the database were used that nobody has written down yet: by hash, milliseconds since 1970, UTC. As many as keys.
    private let uses = Mutex<[String: Int64]>([:])
    private let now: @Sendable () -> Int64

    /// - Parameters:
    ///   - fixed: keys of the environment; the database cannot take them away.
    ///   - now: milliseconds since 1970, UTC.
    public init(fixed: [APIKey], now: @escaping @Sendable () -> Int64) {
        self.fixed = fixed
        self.now = now
    }

    /// Takes over what the database holds.
    public func replaceStored(_ keys: [APIKey]) { stored.withLock { $0 = keys } }

    /// Refuses a key of the database from now on, until `replaceStored` brings it back.
    public func forget(named name: String) { stored.withLock { $0.removeAll { $0.name == name } } }

    /// The key of a token; nil when no key that is still valid has it.
    func key(of token: String) -> APIKey? { key(withHash: Token.hash(token)) }

    /// The key that is stored under this hash; nil when there is none that is still valid.
    func key(withHash hash: String) -> APIKey? {
        let hash = Array(hash.utf8)
        var found: APIKey?
        for key in fixed + stored.withLock({ $0 }) where Access.isEqual(hash, Array(key.hash.utf8)) { found = key }
        guard let found, found.expires.map({ $0 > now() }) ?? true else { return nil }
        if !fixed.contains(found) { uses.withLock { $0[found.hash] = now() } }
        return found
    }

    /// Uses since the last time, to be written down.
    public func takeUses() -> [String: Int64] {
        uses.withLock { uses in
            defer { uses = [:] }
            return uses
        }
    }

    /// Uses that could not be written down.
    public func putBack(_ older: [String: Int64]) { uses.withLock { $0.merge(older) { newer, _ in newer } } }

    /// When a key was used, if that is not written down yet.
    public func lastUse(ofHash hash: String) -> Int64? { uses.withLock { $0[hash] } }

    private static func isEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        var difference: UInt8 = 0
        for index in a.indices { difference |= a[index] ^ b[index] }
        return difference == 0
    }
}
