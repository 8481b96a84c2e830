/// The files of one SQLite database as they are at its path.
struct SQLiteFiles: Equatable, Sendable {
    /// nil for one that is not there.
    let database: FileIdentity?
    private let log: FileIdentity?
    private let index: FileIdentity?

    init(_ path: String) {
        database = FileIdentity(path: path)
        log = FileIdentity(path: path + "-wal")
        index = FileIdentity(path: path + "-shm")
    }

    /// Whether nobody has put other files in their place: those that are not these are gone. SQLite removes none that is open
    /// (<https://www.sqlite.org/walformat.html>), so nobody else has written into the database since.
    func isLeftAlone(at path: String) -> Bool {
        let now = SQLiteFiles(path)
        return now.database == database && (now.log == nil || now.log == log) && (now.index == nil || now.index == index)
    }
}
