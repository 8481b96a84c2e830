import Glibc
import NIOCore
import Steering

/// Tells what this machine lacks from what a target does: a probe that this machine could not send says nothing of the target.
enum LocalFault {
    /// Errors of a call that the machine itself refused.
    private static let own: Set<CInt> = [EMFILE, ENFILE, ENOMEM, ENOBUFS, EAGAIN, EADDRNOTAVAIL, EAFNOSUPPORT, EPERM, EACCES]
    /// Errors that come from the machine's routes or from a router on the way.
    private static let routing: Set<CInt> = [ENETUNREACH, EHOSTUNREACH, ENETDOWN]

    /// - Returns: what the machine lacks; nil when the error is about the target.
    static func reason(_ error: IOError, connectingTo address: ClientAddress) -> String? {
        if own.contains(error.errnoCode) { return text(error.errnoCode) }
        // "Unreachable" is this machine's own word only when it has no route: a router's is about the target.
        guard routing.contains(error.errnoCode), let refusal = refusalToRoute(address) else { return nil }
        return refusal
    }

    /// - Returns: a sentence when the process can open no descriptor.
    static func ofDescriptors() -> String? {
        let descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        if descriptor < 0 { return own.contains(errno) ? text(errno) : nil }
        close(descriptor)
        return nil
    }

    static func text(_ code: CInt) -> String {
        switch code {
        case EMFILE: "too many open files in this process (ulimit -n)"
        case ENFILE: "too many open files on this machine"
        case EADDRNOTAVAIL, EAGAIN: "no local address or port is free"
        case EPERM, EACCES: "this machine's own rules forbid the connection"
        // The text of a number, copied at once.
        default: unsafe String(cString: strerror(code)).lowercased()
        }
    }

    /// Connecting a datagram socket asks the routing table and sends nothing.
    private static func refusalToRoute(_ address: ClientAddress) -> String? {
        guard let peer = try? SocketAddress(ipAddress: address.description, port: 9) else { return nil }
        let family = address.isIPv4 ? AF_INET : AF_INET6
        let descriptor = socket(family, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return text(errno) }
        defer { close(descriptor) }
        // The pointer is used within the call alone.
        let code = unsafe peer.withSockAddr { unsafe connect(descriptor, $0, socklen_t($1)) }
        return code == 0 ? nil : "this machine has no route to \(address.isIPv4 ? "IPv4" : "IPv6") addresses there"
    }
}
