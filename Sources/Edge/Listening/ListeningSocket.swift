import CLinux
import Glibc
import Steering

/// One worker's socket of a listener. Each worker has its own: the kernel spreads connections over them (`SO_REUSEPORT`, socket(7)).
struct ListeningSocket: Sendable {
    /// Owned by the worker's fast loop.
    let descriptor: CInt
    /// Others accept from it too: other loops, or the next process. What waits in it at the end is theirs.
    let isShared: Bool
    let expectsProxyHeader: Bool
    let isTLS: Bool

    /// Connections the kernel keeps until they are accepted; it caps this at net.core.somaxconn.
    private static let backlog: CInt = 4096
    /// Seconds the kernel waits for the first byte before it hands a connection over (`TCP_DEFER_ACCEPT`, tcp(7)).
    private static let deferSeconds: CInt = 1

    /// Opens the sockets of all listeners.
    ///
    /// - Parameter workers: at least 1; there are more when a listener has inherited more sockets.
    /// - Returns: by worker its sockets, in the listeners' order, which the caller owns; and the addresses with the ports the system chose.
    /// - Throws: `EdgeError` naming the address or descriptor; nothing stays open then but what was inherited.
    static func open(_ listeners: [Listener], workers: Int) throws(EdgeError) -> (byWorker: [[ListeningSocket]], addresses: [ListenAddress])
    {
        if listeners.isEmpty { throw EdgeError("there is no address to listen on; set --listen") }
        let count = listeners.workers(atLeast: workers)
        var byWorker = [[ListeningSocket]](repeating: [], count: count)
        var addresses: [ListenAddress] = []
        do throws(EdgeError) {
            for listener in listeners {
                let (descriptors, bound) =
                    switch listener.source {
                    case .address(let address): try open(address, count: count, setting: listener.setting)
                    case .inherited(let sockets): try adopt(sockets, count: count)
                    }
                addresses.append(bound)
                for (worker, descriptor) in descriptors.enumerated() {
                    byWorker[worker].append(
                        ListeningSocket(
                            descriptor: descriptor, isShared: listener.isInherited, expectsProxyHeader: listener.expectsProxyHeader,
                            isTLS: listener.transport == .tls))
                }
            }
        } catch {
            for socket in byWorker.joined() where !socket.isShared { _ = close(socket.descriptor) }
            throw error
        }
        return (byWorker, addresses)
    }

    /// Opens `count` sockets.
    ///
    /// - Returns: the descriptors, which the caller owns, and the address with the port the system chose for 0.
    /// - Throws: `EdgeError` naming the address: in use by another process, not of this machine, not permitted.
    private static func open(
        _ address: ListenAddress, count: Int, setting: String
    ) throws(EdgeError) -> (descriptors: [CInt], bound: ListenAddress) {
        try requireFree(address, setting: setting)
        var bound = address
        var descriptors: [CInt] = []
        do throws(EdgeError) {
            for _ in 0..<count {
                let socket = try make(bound, shared: true, setting: setting)
                if bound.port == 0 { bound = try port(of: socket, address) }
                descriptors.append(socket.release())
            }
        } catch {
            for descriptor in descriptors { _ = close(descriptor) }
            throw error
        }
        return (descriptors, bound)
    }

    /// Takes over the service manager's sockets; with more workers than sockets, several workers accept from one.
    ///
    /// - Returns: the descriptors, at least `count`, which the caller owns, and the address of the first.
    /// - Throws: `EdgeError` naming the descriptor that is no listening TCP socket.
    private static func adopt(_ sockets: InheritedSockets, count: Int) throws(EdgeError) -> (descriptors: [CInt], bound: ListenAddress) {
        var bound: ListenAddress?
        for number in sockets.descriptors {
            var address = clinux_address()
            var port: UInt16 = 0
            // Both are locals that the call fills.
            switch unsafe clinux_adopt_listener(number, &address, &port) {
            case 1: break
            case 0:
                throw EdgeError(
                    "descriptor \(number) of LISTEN_FDS is no listening TCP socket; give the .socket unit ListenStream=ADDRESS:PORT")
            default: throw EdgeError("cannot take over descriptor \(number) of LISTEN_FDS", errno: errno)
            }
            set(number, CInt(IPPROTO_TCP), TCP_DEFER_ACCEPT, deferSeconds)
            set(number, CInt(IPPROTO_TCP), TCP_NODELAY, 1)
            chooseCongestionControl(number)
            bound = bound ?? ListenAddress(host: "\(ClientAddress(high: address.high, low: address.low))", port: port)
        }
        guard let bound else { throw EdgeError("the address of descriptor 3 of LISTEN_FDS cannot be read") }
        var descriptors = Array(sockets.descriptors)
        while descriptors.count < count {
            let copy = fcntl(descriptors[descriptors.count % sockets.count], F_DUPFD_CLOEXEC, 3)
            guard copy >= 0 else {
                throw EdgeError("cannot share a socket of LISTEN_FDS", errno: errno, hint: "raise the limit of open files")
            }
            descriptors.append(copy)
        }
        return (descriptors, bound)
    }

    /// The simplest congestion control (tcp(7), `TCP_CONGESTION`), for connections accepted from the socket. A redirect is a packet, less than
    /// any first window; a model of the path, as bbr has, would be computed with every acknowledgement and not used.
    private static func chooseCongestionControl(_ descriptor: CInt) {
        // The kernel reads the four bytes during the call; where it has no "reno", its own choice stays.
        _ = unsafe "reno".withCString { unsafe setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_CONGESTION, $0, 4) }
    }

    /// Undoes the wait for a first byte, so that connections queued in it are accepted before the socket closes.
    func stopDeferring() { ListeningSocket.set(descriptor, CInt(IPPROTO_TCP), TCP_DEFER_ACCEPT, 0) }

    /// With `SO_REUSEPORT` a second balancer would quietly take half of the connections; without it the kernel says so.
    static func requireFree(_ address: ListenAddress, setting: String) throws(EdgeError) {
        if address.port != 0 { _ = try make(address, shared: false, setting: setting) }
    }

    private static func make(_ address: ListenAddress, shared: Bool, setting: String) throws(EdgeError) -> Descriptor {
        let family = address.isIPv6 ? AF_INET6 : AF_INET
        let number = socket(family, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw EdgeError("cannot open a socket for \(address)", errno: errno) }
        let socket = Descriptor(owning: number)
        set(number, SOL_SOCKET, SO_REUSEADDR, 1)
        if shared { set(number, SOL_SOCKET, SO_REUSEPORT, 1) }
        if address.isIPv6 { set(number, CInt(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
        set(number, CInt(IPPROTO_TCP), TCP_DEFER_ACCEPT, deferSeconds)
        set(number, CInt(IPPROTO_TCP), TCP_NODELAY, 1)
        chooseCongestionControl(number)
        guard bind(number, to: address) == 0 else { throw listenError(address, errno, setting) }
        guard !shared || listen(number, backlog) == 0 else { throw listenError(address, errno, setting) }
        return socket
    }

    private static func listenError(_ address: ListenAddress, _ code: CInt, _ setting: String) -> EdgeError {
        let hint =
            switch code {
            case EADDRINUSE: "another process, or another address of this one, listens there; stop it or choose another \(setting)"
            case EADDRNOTAVAIL: "this machine has no such address; see `ip address`"
            case EACCES: "ports below 1024 need CAP_NET_BIND_SERVICE"
            default: "choose another \(setting)"
            }
        return EdgeError("cannot listen on \(address)", errno: code, hint: hint)
    }

    private static func set(_ descriptor: CInt, _ level: CInt, _ option: CInt, _ value: CInt) {
        var value = value
        // The kernel copies the integer during the call. These options are known to every Linux that this runs on.
        _ = unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<CInt>.size))
    }

    private static func bind(_ descriptor: CInt, to address: ListenAddress) -> CInt {
        if address.isIPv6 {
            var six = sockaddr_in6()
            six.sin6_family = sa_family_t(AF_INET6)
            six.sin6_port = address.port.bigEndian
            // The address was parsed when it was made; sockaddr is the C way to pass any family's address.
            unsafe inet_pton(AF_INET6, address.host, &six.sin6_addr)
            return unsafe withUnsafePointer(to: &six) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        }
        var four = sockaddr_in()
        four.sin_family = sa_family_t(AF_INET)
        four.sin_port = address.port.bigEndian
        unsafe inet_pton(AF_INET, address.host, &four.sin_addr)
        return unsafe withUnsafePointer(to: &four) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private static func port(of socket: borrowing Descriptor, _ address: ListenAddress) throws(EdgeError) -> ListenAddress {
        // Port and family stand at the same place for both families.
        var six = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let result = unsafe withUnsafeMutablePointer(to: &six) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(socket.number, $0, &length) }
        }
        guard result == 0, let bound = ListenAddress(host: address.host, port: UInt16(bigEndian: six.sin6_port)) else {
            throw EdgeError("cannot read the port of \(address)", errno: errno)
        }
        return bound
    }
}
