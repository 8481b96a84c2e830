import CLinux
import Glibc

/// A copy of a file in memory that nobody else can open.
///
/// libmaxminddb maps its file. Were that the operator's, then whoever cuts it short while it is read, as a plain `cp` does before it
/// writes, would end the process with SIGBUS.
struct PrivateCopy: ~Copyable {
    /// 512 MiB; the largest databases in use have less than half of it.
    static let largest = 512 << 20

    private let memory: CInt

    /// - Throws: when the file cannot be read, is too large, or changes meanwhile.
    init(of path: String) throws(GeoIPError) {
        // unsafe: open is variadic in C; Swift's overlay lends the path as a C string for the call.
        // Non-blocking, since a pipe by that name would wait for its writer.
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw GeoIPError(path: path, detail: PrivateCopy.reason(errno)) }
        defer { close(file) }
        // unsafe: the name is lent as a C string for the call.
        let memory = unsafe clinux_memory_file("geoip")
        guard memory >= 0 else { throw GeoIPError(path: path, detail: "no memory for a copy: \(PrivateCopy.reason(errno))") }
        do throws(GeoIPError) {
            let before = try FileStamp(file, path)
            guard before.isRegular else { throw GeoIPError(path: path, detail: "is no regular file") }
            guard before.size <= PrivateCopy.largest else {
                throw GeoIPError(path: path, detail: "has \(before.size) bytes; at most \(PrivateCopy.largest) are taken")
            }
            try PrivateCopy.copy(file, memory, path)
            guard try FileStamp(file, path) == before else {
                throw GeoIPError(path: path, detail: "was written to while it was read; put a new file in its place with mv")
            }
        } catch {
            close(memory)
            throw error
        }
        self.memory = memory
    }

    deinit { close(memory) }

    /// A path under which this process alone can open it.
    var path: String { "/proc/self/fd/\(memory)" }

    private static func copy(_ file: CInt, _ memory: CInt, _ path: String) throws(GeoIPError) {
        var block = [UInt8](repeating: 0, count: 1 << 20)
        var total = 0
        while true {
            // unsafe: read fills at most block.count bytes of the buffer it is lent for the call.
            let count = unsafe read(file, &block, block.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw GeoIPError(path: path, detail: reason(errno)) }
            if count == 0 { return }
            total += count
            guard total <= largest else { throw GeoIPError(path: path, detail: "has more than \(largest) bytes") }
            // unsafe: write reads the first count bytes of the buffer it is lent for the call. A file in memory takes all or has no room.
            guard unsafe write(memory, &block, count) == count else {
                throw GeoIPError(path: path, detail: "no memory for a copy: \(reason(errno))")
            }
        }
    }

    // unsafe: strerror's text is copied at once; glibc keeps one a thread.
    private static func reason(_ code: CInt) -> String { unsafe String(cString: strerror(code)) }
}
