import Foundation
import Logging
import Storage

/// The way into a new balancer: when no token is configured, one with the role admin is made at the first start and written beside the
/// database for its owner alone.
struct FirstToken {
    static let name = "first-start"

    let path: String
    let store: SQLStore
    let logger: Logger

    /// Whether anybody has made a key with `video-balancer key create`.
    ///
    /// - Throws: when the database does not answer.
    func isConfigured() async throws -> Bool { try await store.keys().contains { $0.name != FirstToken.name } }

    /// Makes one where there is no key at all. Only once the balancer serves: a start that is refused leaves none behind.
    ///
    /// - Returns: whether one was made.
    /// - Throws: when the database does not answer or the file cannot be written.
    func make(now: Int64) async throws -> Bool {
        guard try await store.keys().isEmpty else { return false }
        let token = Token.make()
        // The file comes first: a key whose token is lost would lock everybody out.
        guard FileManager.default.createFile(atPath: path, contents: Data((token + "\n").utf8), attributes: [.posixPermissions: 0o600])
        else {
            throw StorageError(.cannotOpen, at: path, "the first API token cannot be written there; or set BALANCER_ADMIN_TOKEN")
        }
        do {
            try await store.addKey(APIKey(name: FirstToken.name, role: .admin, hash: Token.hash(token), created: now, expires: nil))
        } catch let error as StorageError where error.kind == .duplicate {
            // Another balancer on the same database made the first token at the same moment; this one opens nothing.
            try? FileManager.default.removeItem(atPath: path)
            return false
        }
        logger.notice("made an API token with the role admin", metadata: ["file": "\(path)"])
        if isatty(STDERR_FILENO) == 1 { StandardError.say("API token (role admin): \(token)") }
        return true
    }
}
