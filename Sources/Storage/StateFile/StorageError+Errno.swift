import Glibc

extension StorageError {
    /// Sorts the error number of a failed system call (errno(3)).
    init(errno code: CInt, at place: String, _ call: String) {
        let kind: Kind =
            switch code {
            case ENOENT: .missing
            case ENOSPC, EDQUOT, EFBIG: .full
            case EROFS: .readOnly
            case EACCES, EPERM, ENOTDIR, EISDIR, ELOOP, ENXIO: .cannotOpen
            case EWOULDBLOCK: .locked
            default: .io
            }
        // unsafe: strerror returns a C string of the library's, copied at once; glibc's is thread-safe since 2.32.
        let words = unsafe String(cString: strerror(code))
        self.init(kind, at: place, "\(call): \(words) (errno \(code))")
    }
}
