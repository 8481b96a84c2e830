import Foundation
import Testing

@testable import Storage

/// How the store opens itself, and what it remembers of writes.
@Suite struct SQLStoreTests {
    private let scratch: Scratch
    private let scope = CallScope()

    init() throws { scratch = try Scratch() }

    private func store(_ name: String = "b.db", migrates: Bool = true) -> SQLStore {
        SQLStore(.sqlite(path: scratch.path(name)), migrates: migrates, scope: scope, patience: .endless)
    }

    private func append(_ store: SQLStore, _ expecting: Int) async throws {
        _ = try await store.append(Sample.catalog(expecting + 1), expecting: expecting, author: "ann", comment: "")
    }

    @Test func `it opens at the first call that succeeds, and makes its tables`() async throws {
        let store = store("later/b.db")
        let error = await #expect(throws: StorageError.self) { try await append(store, 0) }
        #expect(error?.kind == .cannotOpen)
        try FileManager.default.createDirectory(atPath: scratch.path("later"), withIntermediateDirectories: true)
        try await append(store, 0)
        #expect(try await store.head()?.revision == 1)
    }

    @Test func `tables are left as they are unless it is asked to migrate`() async throws {
        let store = store(migrates: false)
        try await store.open()
        let error = await #expect(throws: StorageError.self) { try await store.head() }
        #expect(error?.kind == .unprepared)
    }

    @Test func `many first calls at once open it once`() async throws {
        let opened = Counter()
        let store = SQLStore(place: "there", patience: .endless) { [scratch] in
            opened.add()
            return try await SQLiteConnection.open(path: scratch.path("b.db"))
        }
        await withTaskGroup { group in
            for _ in 0..<20 { group.addTask { _ = try? await store.head() } }
        }
        #expect(opened.value == 1)
    }

    @Test func `a database that was taken away is made anew only when somebody asks for it`() async throws {
        let store = store()
        try await append(store, 0)
        for suffix in ["", "-wal", "-shm"] { try? scratch.remove("b.db" + suffix) }
        let error = await #expect(throws: StorageError.self) { try await append(store, 1) }
        #expect(error?.kind == .missing)
        try await store.reopen()
        try await append(store, 0)
    }

    @Test func `a write that fails is remembered until one is stored`() async throws {
        let store = store()
        #expect(store.writeTrouble == nil)
        await #expect(throws: StorageError.self) {
            try await store.write { _ in throw StorageError(.readOnly, at: "there", "it was asked to be") }
        }
        #expect(store.writeTrouble?.contains("read-only") == true)
        try await append(store, 0)
        #expect(store.writeTrouble == nil)
    }

    @Test func `a conflict is no trouble of the database`() async throws {
        let store = store()
        await #expect(throws: StorageError.self) { try await append(store, 7) }
        #expect(store.writeTrouble == nil)
    }

    @Test func `a write that is still waited for when the process stops is in doubt`() async throws {
        let store = store()
        scope.end()
        let error = await #expect(throws: StorageError.self) { try await append(store, 1) }
        #expect(error?.kind == .inDoubt)
    }
}
