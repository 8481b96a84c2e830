import Testing

@testable import Storage

/// A kind of database that `CatalogStoreTests` runs against. A new one is one more value of `all`.
struct Backend: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// A migrated store; calls with one scratch folder open the same database.
    let open: @Sendable (Scratch) async throws -> any CatalogStore
    /// Runs a statement beside the store.
    let execute: @Sendable (Scratch, String) async throws -> Void

    static let all: [Backend] = [
        Backend(
            testDescription: "SQLite",
            open: { try await $0.store() },
            execute: { scratch, sql in _ = try await scratch.store().connection.execute(sql, []) })
    ]
}
