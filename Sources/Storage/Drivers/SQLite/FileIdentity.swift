import Glibc

/// Which file a path leads to, so that a replaced file is told from the one that was opened.
struct FileIdentity: Equatable, Sendable {
    let device: UInt64
    let inode: UInt64

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }

    /// - Parameter path: symbolic links are followed.
    /// - Returns: nil when nothing can be reached at the path.
    init?(path: String) {
        var status = stat()
        // unsafe: stat fills the struct it is lent for the call, and the path is lent as a C string.
        guard unsafe stat(path, &status) == 0 else { return nil }
        self.init(status)
    }
}
