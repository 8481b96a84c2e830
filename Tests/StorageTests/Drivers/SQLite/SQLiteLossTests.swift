import Foundation
import GRDB
import Testing

@testable import Storage

/// Files of an open database that are taken away, and locks that are not given back: what was acknowledged is found by the next start.
@Suite struct SQLiteLossTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func append(_ store: SQLStore, _ expecting: Int) async throws -> Revision {
        try await store.append(Sample.catalog(expecting + 1), expecting: expecting, author: "ann", comment: "")
    }

    /// What another process finds, were this one killed now: its files are copied as they are.
    private func newestAfterKill() async throws -> Int? {
        let copy = try Scratch()
        for name in ["balancer.db", "balancer.db-wal"] where scratch.exists(name) { try copy.write(try scratch.bytes(name), to: name) }
        return try await SQLStore.open(path: copy.path("balancer.db")).head()?.revision
    }

    private static let losses = [["balancer.db-wal"], ["balancer.db-shm"], ["balancer.db-wal", "balancer.db-shm"]]

    @Test(arguments: SQLiteLossTests.losses) func `an edit after the -wal was taken away is acknowledged and found, with all before it`(
        _ names: [String]
    ) async throws {
        let store = try await scratch.store()
        for id in 0..<3 { _ = try await append(store, id) }
        for name in names { try scratch.remove(name) }
        #expect(try await append(store, 3).id == 4)
        #expect(try await newestAfterKill() == 4)
        #expect(try await append(store, 4).id == 5)
        #expect(try await newestAfterKill() == 5)
        #expect(try await store.head()?.revision == 5)
    }

    @Test(arguments: SQLiteLossTests.losses) func `a poll saves what was in a -wal that was taken away`(_ names: [String]) async throws {
        let store = try await scratch.store()
        for id in 0..<3 { _ = try await append(store, id) }
        for name in names { try scratch.remove(name) }
        #expect(try await store.poll()?.head.revision == 3)
        #expect(try await newestAfterKill() == 3)
        #expect(try await store.load()?.id == 3)
    }

    @Test func `reads go on while files are taken away again and again`() async throws {
        let store = try await scratch.store()
        _ = try await append(store, 0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<50 {
                        let newest = try await store.load()
                        #expect(newest != nil)
                    }
                }
            }
            for id in 1..<20 {
                try? scratch.remove("balancer.db-wal")
                #expect(try await append(store, id).id == id + 1)
                #expect(try await newestAfterKill() == id + 1)
            }
            try await group.waitForAll()
        }
    }

    @Test func `an edit is not acknowledged whose file was moved away while it waited for a lock`() async throws {
        let store = try await scratch.store()
        _ = try await append(store, 0)
        let other = try lock()
        let edit = Task { try await append(store, 1) }
        // Long enough for the edit to wait; were it not, the file would be missing before.
        try await Task.sleep(for: .milliseconds(300))
        try scratch.move("balancer.db", to: "away.db")
        try unlock(other)
        let error = await #expect(throws: StorageError.self) { try await edit.value }
        #expect(error?.kind == .inDoubt || error?.kind == .missing, "\(error?.description ?? "")")
        #expect(store.writeTrouble != nil)
    }

    private func lock() throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: scratch.path("balancer.db"), configuration: configuration)
        try other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        return other
    }

    private func unlock(_ other: DatabaseQueue) throws { try other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") } }

    @Test func `five edits of a locked database end within one call's time, none is made later, and the poll waits for none`() async throws
    {
        let path = scratch.path("balancer.db")
        _ = try await append(try await scratch.store(), 0)
        let connection = try await SQLiteConnection.open(path: path, busyTimeout: .seconds(5), limit: .seconds(1))
        let store = SQLStore(connection)
        let other = try lock()
        let ended = Counter()
        try await withThrowingTaskGroup(of: StorageError.Kind?.self) { group in
            for _ in 0..<5 {
                group.addTask {
                    let error = await #expect(throws: StorageError.self) { try await append(store, 1) }
                    ended.add()
                    return error?.kind
                }
            }
            #expect(try await store.poll()?.head.revision == 1)
            #expect(ended.value == 0)
            for try await kind in group { #expect(kind == .locked) }
        }
        #expect(try await store.poll()?.writeTrouble?.contains("is locked") == true)
        try unlock(other)
        #expect(try await append(store, 1).id == 2)
        #expect(try await store.poll()?.writeTrouble == nil)
    }

    @Test func `a database that takes no changes says so until one is stored`() async throws {
        let store = try await scratch.store()
        _ = try await append(store, 0)
        #expect(try await store.poll()?.writeTrouble == nil)
        try await store.connection.execute("PRAGMA query_only = ON", [])
        await #expect(throws: StorageError.self) { try await append(store, 1) }
        #expect(try await store.poll()?.writeTrouble?.contains("is read-only") == true)
        await #expect(throws: StorageError.self) { try await append(store, 7) }
        try await store.connection.execute("PRAGMA query_only = OFF", [])
        // A conflict is the answer of a database that works.
        await #expect(throws: StorageError.self) { try await append(store, 7) }
        #expect(try await store.poll()?.writeTrouble == nil)
    }
}
