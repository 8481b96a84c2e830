import Glibc
import Testing

/// A port of loopback where nobody listens, and where nobody can begin to while this is held: it is bound, so that it is given to no other test.
/// A port that a server has left is anybody's.
struct ClosedPort: ~Copyable {
    let port: Int
    private let descriptor: CInt

    init(at address: String = "127.0.0.1") throws {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = unsafe inet_addr(address)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = unsafe withUnsafeMutablePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        self.descriptor = descriptor
        port = Int(UInt16(bigEndian: name.sin_port))
        try #require(isBound && port != 0, "no port could be bound at \(address)")
    }

    deinit { close(descriptor) }
}
