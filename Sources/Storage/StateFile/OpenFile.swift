import Glibc

/// An open file, closed at the end of its life.
struct OpenFile: ~Copyable {
    private let number: CInt
    private let path: String

    /// - Throws: `.missing` when there is no such file and `flags` do not ask to make one, mode 0600.
    init(_ path: String, _ flags: CInt) throws(StorageError) {
        // unsafe: open is variadic in C; Swift's overlay lends the path as a C string for the call.
        number = unsafe open(path, flags | O_CLOEXEC, 0o600)
        self.path = path
        guard number >= 0 else {
            let code = errno
            if code == ENOENT, flags & O_CREAT != 0 { throw StorageError(.cannotOpen, at: path, "its folder does not exist") }
            throw StorageError(errno: code, at: path, "open")
        }
    }

    deinit {
        // -1 after a failed open. Nothing is lost when close fails: what must last was synced before.
        if number >= 0 { _ = close(number) }
    }

    func status() throws(StorageError) -> stat {
        var status = stat()
        // unsafe: fstat fills the struct it is lent for the call.
        guard unsafe fstat(number, &status) == 0 else { throw StorageError(errno: errno, at: path, "fstat") }
        return status
    }

    /// Taken until the descriptor is closed.
    ///
    /// - Throws: `.locked` when another process has it.
    func lock() throws(StorageError) {
        guard flock(number, LOCK_EX | LOCK_NB) == 0 else { throw StorageError(errno: errno, at: path, "flock") }
    }

    func readAll(maximum: Int) throws(StorageError) -> [UInt8] {
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 65536)
        while true {
            // unsafe: read fills at most block.count bytes of the buffer it is lent for the call.
            let count = unsafe Glibc.read(number, &block, block.count)
            if count == 0 { return bytes }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw StorageError(errno: errno, at: path, "read")
            }
            guard bytes.count + count <= maximum else {
                throw StorageError(.refused, at: path, "it grew over \(maximum) bytes while it was read")
            }
            bytes += block[..<count]
        }
    }

    /// Makes the bytes the file's whole content, mode 0600, and waits until they are on the disk.
    func overwrite(_ bytes: [UInt8]) throws(StorageError) {
        guard fchmod(number, 0o600) == 0 else { throw StorageError(errno: errno, at: path, "fchmod") }
        guard ftruncate(number, 0) == 0 else { throw StorageError(errno: errno, at: path, "ftruncate") }
        var written = 0
        while written < bytes.count {
            // unsafe: write reads only the bytes of the slice it is lent for the call.
            let count = unsafe bytes[written...].withUnsafeBytes { unsafe Glibc.write(number, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw StorageError(errno: errno, at: path, "write") }
            written += count
        }
        try sync()
    }

    func sync() throws(StorageError) {
        guard fsync(number) == 0 else { throw StorageError(errno: errno, at: path, "fsync") }
    }
}
