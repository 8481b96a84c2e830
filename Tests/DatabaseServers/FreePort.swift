import Foundation

/// Ports for servers that are started a moment later.
public enum FreePort {
    /// Below those that the kernel gives to clients (32768 and more, ip(7)): of these, one that is free now may be some connection's own end
    /// when the server comes to listen.
    private static let range: ClosedRange<UInt16> = 20_000...32_000

    struct NoneFree: Error {}

    public static func take() throws -> UInt16 {
        for _ in 0..<1000 {
            let port = UInt16.random(in: range)
            if isFree(port) { return port }
        }
        throw NoneFree()
    }

    private static func isFree(_ port: UInt16) -> Bool {
        let socket = Foundation.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
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
}
