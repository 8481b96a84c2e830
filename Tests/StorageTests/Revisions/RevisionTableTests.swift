import Steering
import Testing

@testable import Storage

/// What every backend promises.
@Suite struct RevisionTableTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test(arguments: Backend.all) func `an empty database has no revision`(_ backend: Backend) async throws {
        let store = try await backend.open(scratch)
        #expect(try await store.head() == nil)
        #expect(try await store.load() == nil)
        #expect(try await store.revision(1) == nil)
        #expect(try await store.revisions(before: nil, limit: 10) == [])
    }

    @Test(arguments: Backend.all) func `what was appended is read back by another connection`(_ backend: Backend) async throws {
        let catalog = try Sample.catalog(7)
        let written = try await backend.open(scratch).append(catalog, expecting: 0, author: "ann", comment: "für 🎬 \"a\"\n")
        let store = try await backend.open(scratch)
        #expect(try await store.load() == written)
        #expect(try await store.revision(1) == written)
        #expect(written.id == 1 && written.catalog == catalog && written.author == "ann" && written.comment == "für 🎬 \"a\"\n")
        #expect(written.created == 1_700_000_000_000)
        #expect(written.checksum.utf8.count == 64)
    }

    @Test(arguments: Backend.all) func `the head names database, revision and checksum`(_ backend: Backend) async throws {
        let store = try await backend.open(scratch)
        let first = try await store.append(Sample.catalog(1), expecting: 0, author: "ann", comment: "")
        let head = try #require(try await store.head())
        #expect(head.revision == 1 && head.checksum == first.checksum && head.databaseID.utf8.count == 32)
        let second = try await store.append(Sample.catalog(2), expecting: 1, author: "ann", comment: "")
        #expect(try await store.head() == Head(databaseID: head.databaseID, revision: 2, checksum: second.checksum))
        let elsewhere = try Scratch()
        let other = try await backend.open(elsewhere)
        _ = try await other.append(Sample.catalog(1), expecting: 0, author: "ann", comment: "")
        #expect(try await other.head()?.databaseID != head.databaseID)
    }

    @Test(arguments: Backend.all) func `an edit of an older revision is a conflict that names the newest`(_ backend: Backend) async throws {
        let store = try await backend.open(scratch)
        for id in 0..<3 { _ = try await store.append(Sample.catalog(id), expecting: id, author: "ann", comment: "") }
        for stale in [-1, 0, 1, 2, 4, 100, Int.max, Int.min] {
            let error = await #expect(throws: StorageError.self) {
                try await store.append(Sample.catalog(9), expecting: stale, author: "bob", comment: "")
            }
            #expect(error?.kind == .conflict(current: 3))
        }
        #expect(try await store.head()?.revision == 3)
    }

    @Test(arguments: Backend.all) func `the first revision cannot follow one that does not exist`(_ backend: Backend) async throws {
        let store = try await backend.open(scratch)
        let error = await #expect(throws: StorageError.self) {
            try await store.append(Sample.catalog(1), expecting: 5, author: "ann", comment: "")
        }
        #expect(error?.kind == .conflict(current: 0))
    }

    @Test(arguments: Backend.all) func `revisions come newest first and in pages`(_ backend: Backend) async throws {
        let store = try await backend.open(scratch)
        for id in 0..<7 { _ = try await store.append(Sample.catalog(id), expecting: id, author: "ann", comment: "\(id + 1)") }
        #expect(try await store.revisions(before: nil, limit: 3).map(\.id) == [7, 6, 5])
        #expect(try await store.revisions(before: 5, limit: 3).map(\.id) == [4, 3, 2])
        #expect(try await store.revisions(before: 2, limit: 3).map(\.comment) == ["1"])
        #expect(try await store.revisions(before: 1, limit: 3) == [])
        #expect(try await store.revisions(before: nil, limit: 0) == [])
        #expect(try await store.revisions(before: nil, limit: -1) == [])
        #expect(try await store.revisions(before: .min, limit: .max) == [])
        #expect(try await store.revisions(before: nil, limit: .max).count == 7)
    }

    @Test(arguments: Backend.all) func `of many writers at once each accepted edit is stored exactly once`(_ backend: Backend) async throws
    {
        let writers = 6
        let edits = 12
        _ = try await backend.open(scratch)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<writers {
                group.addTask { [scratch] in
                    let store = try await backend.open(scratch)
                    for edit in 0..<edits {
                        var expected = try await store.head()?.revision ?? 0
                        while true {
                            do {
                                let stored = try await store.append(
                                    Sample.catalog(edit), expecting: expected, author: "writer \(writer)", comment: "\(edit)")
                                #expect(stored.id == expected + 1)
                                break
                            } catch let error as StorageError {
                                guard case .conflict(let current) = error.kind else { throw error }
                                expected = current
                            }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let all = try await backend.open(scratch).revisions(before: nil, limit: 1000)
        #expect(all.map(\.id) == Array((1...writers * edits).reversed()))
        #expect(Set(all.map { "\($0.author) \($0.comment)" }).count == writers * edits)
    }

    @Test(arguments: Backend.all) func `of many successors of one revision one is accepted`(_ backend: Backend) async throws {
        var stores: [SQLStore] = []
        for _ in 0..<4 { stores.append(try await backend.open(scratch)) }
        for expected in 0..<5 {
            let kinds = await withTaskGroup(of: StorageError.Kind?.self) { group in
                for index in 0..<12 {
                    let store = stores[index % stores.count]
                    group.addTask {
                        do {
                            _ = try await store.append(Sample.catalog(index), expecting: expected, author: "\(index)", comment: "")
                            return nil
                        } catch {
                            return (error as? StorageError)?.kind ?? .other
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(kinds.count { $0 == nil } == 1)
            #expect(kinds.count { $0 == .conflict(current: expected + 1) } == 11)
        }
    }

    @Test(arguments: Backend.all) func `a text that is too long or holds a NUL is refused`(_ backend: Backend) async throws {
        let store = try await backend.open(scratch)
        for (author, comment) in [
            (String(repeating: "a", count: 256), ""), ("", String(repeating: "c", count: 4097)), ("a\0", ""), ("", "\0"),
        ] {
            let error = await #expect(throws: StorageError.self) {
                try await store.append(Sample.catalog(1), expecting: 0, author: author, comment: comment)
            }
            #expect(error?.kind == .refused)
        }
        _ = try await store.append(
            Sample.catalog(1), expecting: 0, author: String(repeating: "a", count: 255), comment: String(repeating: "c", count: 4096))
    }

    @Test(arguments: Backend.all) func `an edit is stored although its caller was cancelled`(_ backend: Backend) async throws {
        let store = try await backend.open(scratch)
        let table = RevisionTable(connection: try await store.connection)
        let draft = RevisionDraft(try Sample.catalog(1), replacing: nil, expecting: 0, author: "ann", comment: "")
        let stored = try await withThrowingTaskGroup(of: Revision?.self) { group in
            group.cancelAll()
            group.addTask {
                #expect(Task.isCancelled)
                return try await table.append(draft, at: 0)
            }
            return try await group.next() ?? nil
        }
        #expect(try await store.load() == stored)
    }

    @Test(arguments: Backend.all) func `a revision whose text was changed is named`(_ backend: Backend) async throws {
        let store = try await backend.open(scratch)
        for id in 0..<2 { _ = try await store.append(Sample.catalog(id), expecting: id, author: "ann", comment: "") }
        try await store.connection.execute(
            "UPDATE balancer_revisions SET catalog = REPLACE(catalog, 'cdn-1', 'cdn-9') WHERE id = 2", [])
        for read in [{ try await store.load() }, { try await store.revision(2) }] {
            let error = await #expect(throws: StorageError.self) { try await read() }
            #expect(error?.kind == .unreadableRevision(2))
            #expect(error?.detail.contains("SHA-256") == true)
        }
        #expect(try await store.revision(1) != nil)
    }

    @Test(arguments: Backend.all) func `what a revision changed is kept with it, and lists read no catalog`(_ backend: Backend) async throws
    {
        let store = try await backend.open(scratch)
        let first = try await store.append(Sample.catalog(1), expecting: 0, author: "ann", comment: "")
        let draft = RevisionDraft(
            try Sample.catalog(2), replacing: first.catalog.document, expecting: 1, author: "bob", comment: "für 🎬")
        let second = try await store.append(draft)
        // Regression: a list read and compared every catalog in it, and failed where one was damaged.
        try await store.connection.execute("UPDATE balancer_revisions SET catalog = 'gone'", [])
        let list = try await backend.open(scratch).revisions(before: nil, limit: 10)
        #expect(list.map(\.id) == [2, 1] && list.map(\.author) == ["bob", "ann"] && list.map(\.comment) == ["für 🎬", ""])
        #expect(list[0].checksum == second.checksum && list[0].created == 1_700_000_000_000)
        #expect(list[0].changes == RevisionChanges(from: first.catalog.document, to: second.catalog.document))
        #expect(list[0].changes?.count == 3 && list[1].changes == RevisionChanges.none)
        #expect(list[0].changes?.shown.first?["pointer"] == .string("/origin/every"))
    }

    @Test(arguments: Backend.all) func `changes that were not stored, or belong to another revision, are not known`(_ backend: Backend)
        async throws
    {
        let store = try await backend.open(scratch)
        _ = try await store.append(Sample.catalog(1), expecting: 0, author: "ann", comment: "")
        let lost = RevisionDraft(
            try Sample.catalog(3), replacing: try Sample.catalog(1).document, expecting: 1, author: "eve", comment: "")
        _ = try await store.append(Sample.catalog(2), expecting: 1, author: "ann", comment: "")
        await #expect(throws: StorageError.self) { try await store.append(lost) }
        #expect(try await store.revisions(before: nil, limit: 1)[0].changes == nil)
        for (checksum, text) in [(lost.checksum, "[]"), (try await store.load()!.checksum, "nonsense")] {
            try await store.connection.execute("DELETE FROM balancer_revision_changes WHERE id = 2", [])
            try await store.connection.execute(
                "INSERT INTO balancer_revision_changes (id, checksum, total, changes) VALUES (2, ?, 1, ?)", [.text(checksum), .text(text)])
            #expect(try await store.revisions(before: nil, limit: 1)[0].changes == nil)
        }
    }

    @Test(arguments: Backend.all) func `a damaged newest revision is replaced by one that expects it`(_ backend: Backend) async throws {
        let store = try await backend.open(scratch)
        for id in 0..<2 { _ = try await store.append(Sample.catalog(id), expecting: id, author: "ann", comment: "") }
        try await store.connection.execute("UPDATE balancer_revisions SET catalog = 'gone' WHERE id = 2", [])
        let head = try #require(try await store.head())
        #expect(head.revision == 2)
        await #expect(throws: StorageError.self) { try await store.load() }
        let repaired = try await store.append(Sample.catalog(0), expecting: head.revision, author: "ann", comment: "back")
        #expect(try await store.load() == repaired)
    }

    @Test(arguments: Backend.all) func `a stored catalog that is not valid is named with its faults`(_ backend: Backend) async throws {
        let store = try await backend.open(scratch)
        let texts = [
            ("{\"version\":2}", "/version: is 2"), ("{}", "/origin: is missing"), ("nonsense", "not valid JSON"), ("", "the text is empty"),
        ]
        for (index, (text, reason)) in texts.enumerated() {
            try await store.connection.execute(
                """
                INSERT INTO balancer_revisions (id, catalog, author, comment, created, checksum) \
                VALUES (\(index + 1), '\(text)', 'x', '', 0, '\(Self.checksums[index])')
                """, [])
            let error = await #expect(throws: StorageError.self) { try await store.load() }
            #expect(error?.kind == .unreadableRevision(index + 1))
            #expect(error?.detail.contains(reason) == true, "\(error?.detail ?? "")")
        }
    }

    /// Of the texts above, by sha256sum.
    private static let checksums = [
        "732322c128ed67841ef5aa42c7cd04ffcd74a61b2d17d710cd502b713d62930d",
        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        "999aaa8645bb72ff599e143b1e3d2a94777127f4783a69f067251f7bbebc5ab6",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ]
}
