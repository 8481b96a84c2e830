import Foundation
import Glibc

@testable import Storage

/// A folder of a test's own, removed with all in it when the test is over.
final class Scratch: Sendable {
    let folder: String
    /// Names databases on shared servers.
    let id: String

    init() throws {
        let uuid = UUID().uuidString
        id = "t" + uuid.replacing("-", with: "").lowercased().prefix(12)
        folder = FileManager.default.temporaryDirectory.path + "/storage-" + uuid
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func path(_ name: String) -> String { folder + "/" + name }

    func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path(name)))) }

    func write(_ bytes: [UInt8], to name: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: path(name))) }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    func move(_ name: String, to other: String) throws { try FileManager.default.moveItem(atPath: path(name), toPath: path(other)) }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

    func makePipe(_ name: String) throws {
        // unsafe: the path is lent as a C string for the call.
        guard unsafe mkfifo(path(name), 0o600) == 0 else { throw StorageError(errno: errno, at: path(name), "mkfifo") }
    }

    /// A migrated SQLite store in this folder.
    func store(_ name: String = "balancer.db", busyTimeout: Duration = .seconds(5)) async throws -> SQLStore {
        let store = try await SQLStore.open(path: path(name), busyTimeout: busyTimeout)
        try await store.migrator().up()
        return store
    }

    /// The bytes of a closed database with `revisions` revisions, all in its main file.
    func databaseBytes(revisions: Int) async throws -> [UInt8] {
        let store = try await store("whole.db")
        for id in 0..<revisions {
            _ = try await store.append(Sample.catalog(id + 1), expecting: id, author: "test", comment: "number \(id + 1)")
        }
        _ = try await store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)", [])
        return try bytes("whole.db")
    }
}

extension SQLStore.Patience {
    /// Other tests of the process may keep its threads for long; the drivers' own deadlines hold.
    static let endless = SQLStore.Patience(poll: .seconds(3600), call: .seconds(3600))
}

extension SQLStore {
    /// A database that is open, its tables as they are.
    init(_ connection: any SQLConnection, now: @escaping @Sendable () -> Int64 = { 1_700_000_000_000 }) {
        self.init(place: connection.place, patience: .endless, now: now) { connection }
    }

    static func open(path: String, busyTimeout: Duration = .seconds(5)) async throws -> SQLStore {
        SQLStore(try await SQLiteConnection.open(path: path, busyTimeout: busyTimeout))
    }

    func load() async throws -> Revision? { try await newest()?.read() }

    func revision(_ id: Int) async throws -> Revision? { try await stored(id)?.read() }
}

/// The same numbers in every run, so that a failure can be found again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
