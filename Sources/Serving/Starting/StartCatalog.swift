import Logging
import Steering
import Storage

/// The catalog to begin with: the database's, else the state file's, else one from the environment.
struct StartCatalog {
    let store: SQLStore
    /// The database's, for errors.
    let place: String
    let first: FirstCatalog
    let logger: Logger

    struct Found {
        let published: Published
        /// Why the database is not followed yet.
        let trouble: NodeCondition.Trouble?
    }

    func find(_ loaded: StateFile.Loaded) async throws -> Found {
        guard let saved = loaded.state else {
            try await announcing("waiting for the database \(place)") { try await store.open() }
            if let stored = try await stored() { return stored }
            return try await firstStart(loaded)
        }
        do {
            return try await CallScope().result(within: StartCatalog.patience) {
                guard let stored = try await stored() else {
                    throw StorageError(.emptied, at: place, "the state file has revision \(saved.revision)")
                }
                try await store.requireSuccession(
                    of: saved.databaseID, in: stored.published.databaseID, at: place)
                return stored
            }
        } catch {
            guard error is StorageError || error is CallScope.Passed else { throw error }
            let trouble = NodeCondition.Trouble(error)
            logger.error(
                trouble.kind == .notFollowed
                    ? "the database is not followed; serving the last good catalog from the state file"
                    : "the database does not answer; serving the last good catalog from the state file",
                metadata: ["error": "\(error)", "database": "\(place)", "revision": "\(saved.revision)"])
            let head = Head(databaseID: saved.databaseID, revision: saved.revision, checksum: "")
            return Found(published: Published(head: head, catalog: saved.catalog), trouble: trouble)
        }
    }

    /// How long a start that could begin without the database waits for it.
    private static let patience = Duration.milliseconds(600)

    /// Says what is waited for when it takes its time, and again.
    private func announcing(_ what: String, _ body: @escaping @Sendable () async throws -> some Sendable) async throws {
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { [logger] in
                while true {
                    try await Task.sleep(for: .seconds(2))
                    logger.notice("\(what)")
                }
            }
            defer { tasks.cancelAll() }
            _ = try await body()
        }
    }

    /// Makes the first revision; of several balancers that start at once on an empty database one does.
    private func firstStart(_ loaded: StateFile.Loaded) async throws -> Found {
        if let unusable = loaded.passedOver.first {
            throw ConfigurationFault(
                "\(place) holds no catalog and the state file cannot be used (\(unusable)), so this is no first start; "
                    + "restore one of them, or remove the state files to begin anew")
        }
        let catalog = try first.catalog()
        do {
            let revision = try await store.append(catalog, expecting: 0, author: "environment", comment: "first start")
            let head = try await store.head()
            return Found(published: Published(revision, databaseID: head?.databaseID ?? ""), trouble: nil)
        } catch let error as StorageError {
            guard case .conflict = error.kind, let stored = try await stored() else { throw error }
            return stored
        }
    }

    /// What the database holds; nil when it holds no catalog yet.
    private func stored() async throws -> Found? {
        guard let head = try await store.head(), let revision = try await store.newest()?.read() else { return nil }
        let differing = first.differences(from: revision.catalog)
        if !differing.isEmpty {
            logger.warning(
                "the environment differs from the stored catalog, which wins; change it by the API or `video-balancer catalog import`",
                metadata: ["variables": "\(differing.joined(separator: ", "))"])
        }
        return Found(published: Published(revision, databaseID: head.databaseID), trouble: nil)
    }
}
