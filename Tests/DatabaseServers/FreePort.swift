import Foundation

/// Ports for servers that are started a moment later.
public enum FreePort {
    /// Below those that the kernel gives to clients (32768 and more, ip(7)): of these, one that is free now may be some connection's own end
    /// when the server comes to listen.
    private static let range: ClosedRange<UInt16> = 20_000...32_000

    struct NoneFree: Error {}

    /// A port of 127.0.0.1 that nobody listens on, and that no other caller is given, in this process or another, while this process lives.
    public static func take() throws -> UInt16 {
        for _ in 0..<1000 {
            let port = UInt16.random(in: range)
            // In this order: to look at a port is to hold it for a moment, in which its server may come to listen.
            if claim(port), isFree(port) { return port }
        }
        throw NoneFree()
    }

    private static func isFree(_ port: UInt16) -> Bool {
        let socket = Foundation.socket(AF_INET, streams, 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = port.bigEndian
        // unsafe: the address is lent to a system call under its generic name.
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe bind(socket, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    /// Binds an abstract name of the port (unix(7)), which one socket alone can have. It is never closed: the kernel does that at our end,
    /// for a port that somebody else listens on too.
    ///
    /// A cluster's node listens many seconds after its port was taken; among forty servers at once two would now and then be given the same.
    private static func claim(_ port: UInt16) -> Bool {
        let socket = Foundation.socket(AF_UNIX, streams, 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array("\0video-balancer-test-port-\(port)".utf8)
        // unsafe: the name is shorter than the field, and the address is lent to a system call under its generic name.
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: name) }
        let size = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let isOurs = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(socket, $0, size) == 0 }
        }
        if !isOurs { close(socket) }
        return isOurs
    }

    /// Closed in every server that is started: one that outlives us would keep our claims.
    private static let streams = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
}
