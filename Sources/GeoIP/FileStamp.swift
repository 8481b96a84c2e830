import Glibc

/// What tells two states of a file apart without reading it.
public struct FileStamp: Sendable, Equatable {
    private let device: UInt64
    private let inode: UInt64
    private let mode: UInt32
    let size: Int
    private let modified: [Int]
    /// `mv` of an old file with the size and the time of the present one changes this.
    private let changed: [Int]

    /// Nil when there is no such file, or no way to it.
    public init?(path: String) {
        var status = stat()
        // unsafe: stat fills the struct it is lent for the call.
        guard unsafe stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    init(_ file: CInt, _ path: String) throws(GeoIPError) {
        var status = stat()
        // unsafe: fstat fills the struct it is lent for the call.
        guard unsafe fstat(file, &status) == 0 else { throw GeoIPError(path: path, detail: "fstat fails") }
        self.init(status)
    }

    private init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        mode = status.st_mode
        size = Int(status.st_size)
        modified = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
        changed = [status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
    }

    var isRegular: Bool { mode & S_IFMT == S_IFREG }
}
