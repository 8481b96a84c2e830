import Glibc

/// Reads a file whole, and replaces one so that no kill or power cut leaves a part of it.
enum DurableFile {
    /// - Returns: nil when there is no such file.
    /// - Throws: also for what is no regular file: reading a pipe could wait for ever.
    static func read(_ path: String, maximum: Int) throws(StorageError) -> [UInt8]? {
        let file: OpenFile
        do {
            file = try OpenFile(path, O_RDONLY | O_NONBLOCK)
        } catch  where error.kind == .missing {
            return nil
        }
        let status = try file.status()
        try checkRegular(status, at: path)
        guard status.st_size <= maximum else {
            throw StorageError(.refused, at: path, "it has \(status.st_size) bytes; at most \(maximum) are read")
        }
        return try file.readAll(maximum: maximum)
    }

    /// - Parameter previous: where the replaced file is kept; nil to drop it.
    static func replace(_ path: String, with bytes: [UInt8], keeping previous: String?) throws(StorageError) {
        let new = path + ".new"
        // Not truncated here: it could still be another process's.
        let file = try OpenFile(new, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK)
        try checkRegular(try file.status(), at: new)
        try file.lock()
        // Between opening and locking, the holder before may have renamed this very file to `path`.
        guard FileIdentity(path: new) == FileIdentity(try file.status()) else {
            throw StorageError(.locked, at: new, "another process has just saved there")
        }
        try file.overwrite(bytes)
        if let previous { try rename(path, previous, mayLack: true) }
        try rename(new, path, mayLack: false)
        try OpenFile(folder(of: path), O_RDONLY | O_DIRECTORY).sync()
    }

    private static func checkRegular(_ status: stat, at path: String) throws(StorageError) {
        guard status.st_mode & S_IFMT == S_IFREG else { throw StorageError(.refused, at: path, "it is no regular file") }
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func rename(_ from: String, _ to: String, mayLack: Bool) throws(StorageError) {
        // unsafe: both paths are lent as C strings for the call.
        guard unsafe Glibc.rename(from, to) != 0 else { return }
        let code = errno
        if mayLack, code == ENOENT { return }
        throw StorageError(errno: code, at: from, "rename to \(to)")
    }
}
