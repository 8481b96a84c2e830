import Foundation

/// A database in a folder of its own, to be spoilt and put back.
struct Database {
    enum Trouble: CaseIterable {
        case replacedByGarbage, replacedByAnEmptyFile, deleted, folderMoved
    }

    let url: String
    private let folder: Folder

    init(in folder: Folder) throws {
        self.folder = folder
        url = "sqlite:" + folder.path("data/balancer.db")
        try FileManager.default.createDirectory(atPath: folder.path("data"), withIntermediateDirectories: false)
    }

    func backUp() throws { _ = try folder.sqlite(".backup backup.db", database: "data/balancer.db") }

    func bring(_ trouble: Trouble) throws {
        switch trouble {
        case .replacedByGarbage: try replace(by: String(repeating: "garbage ", count: 4096))
        case .replacedByAnEmptyFile: try replace(by: "")
        case .deleted: try folder.removeDatabase("data/balancer.db")
        case .folderMoved: try folder.move("data", to: "away")
        }
    }

    func restore() throws {
        if folder.exists("away") { return try folder.move("away", to: "data") }
        try folder.removeDatabase("data/balancer.db")
        try folder.move("backup.db", to: "data/balancer.db")
    }

    private func replace(by text: String) throws {
        try folder.write(text, to: "other.db")
        try folder.removeDatabase("data/balancer.db")
        try folder.move("other.db", to: "data/balancer.db")
    }
}

/// SQLite's shell in the middle of a transaction on `balancer.db`.
struct LockHolder {
    private let running: Command.Running

    /// - Parameter sql: what takes the lock.
    init(_ folder: Folder, _ sql: String) throws {
        try folder.remove("locked")
        running = try Command.start(["sqlite3", "-batch", "balancer.db", sql, ".shell touch locked; sleep 600"], in: folder)
        try eventually("the lock") { folder.exists("locked") }
    }

    func end() { running.process.end() }
}
