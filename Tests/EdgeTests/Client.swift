import Glibc

@testable import Edge

/// A client on a real socket that blocks, up to ten seconds, and knows a reset from an end.
final class Client: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
        let isReset: Bool

        init(_ doing: String, _ code: CInt) {
            isReset = code == ECONNRESET || code == EPIPE
            description = "\(doing): \(unsafe String(cString: strerror(code)))"
        }
    }

    private let number: CInt

    /// Connects to a literal address; an IPv4 address is reached as a mapped one.
    init(to address: ListenAddress, host: String? = nil) throws {
        var host = host ?? address.host
        if !host.contains(":") { host = "::ffff:\(host)" }
        number = socket(AF_INET6, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw Failure("socket", errno) }
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        // The kernel copies locals during each call.
        _ = unsafe setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        _ = unsafe setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        var six = sockaddr_in6()
        six.sin6_family = sa_family_t(AF_INET6)
        six.sin6_port = address.port.bigEndian
        _ = unsafe inet_pton(AF_INET6, host, &six.sin6_addr)
        let result = unsafe withUnsafePointer(to: &six) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(number, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
        guard result == 0 else { throw Failure("connect to \(host) port \(address.port)", errno) }
    }

    deinit { close(number) }

    func send(_ text: String) throws { try send([UInt8](latin1: text)) }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            // The buffer outlives the call, which reads what is left of it.
            let count = unsafe bytes[sent...].withUnsafeBytes { unsafe Glibc.send(number, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            guard count >= 0 else { throw Failure("send", errno) }
            sent += count
        }
    }

    /// Ends this side; answers still come.
    func endOutput() { shutdown(number, CInt(SHUT_WR)) }

    /// What comes next; empty at the end.
    func receive() throws -> [UInt8] {
        var failure: CInt = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 64 * 1024) { buffer, count in
            // recv writes at most the capacity it is given.
            let result = unsafe recv(number, buffer.baseAddress, buffer.count, 0)
            if result < 0 { failure = errno }
            count = max(0, result)
        }
        guard failure == 0 else { throw Failure("recv", failure) }
        return bytes
    }

    /// Everything up to the end.
    func rest() throws -> [UInt8] {
        var all: [UInt8] = []
        while true {
            let bytes = try receive()
            if bytes.isEmpty { return all }
            all += bytes
        }
    }

    /// One answer; nothing may follow it yet.
    func answer() throws -> Answer {
        var all: [UInt8] = []
        while true {
            let bytes = try receive()
            all += bytes
            if let answer = try? Answer.only(in: all) { return answer }
            if bytes.isEmpty { throw Answer.Malformed(description: "ended after \(shown(all))") }
        }
    }

    /// Packets that came from the server, its part of the handshake included (Linux, `tcpi_segs_in` of `tcp_info`).
    var segmentsReceived: UInt32 {
        var info = [UInt8](repeating: 0, count: 256)
        var length = socklen_t(info.count)
        // The kernel writes at most the length that it is told.
        _ = unsafe info.withUnsafeMutableBytes { unsafe getsockopt(number, CInt(IPPROTO_TCP), TCP_INFO, $0.baseAddress, &length) }
        return info[140..<144].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Sends one request and reads its answer.
    func ask(_ request: String) throws -> Answer {
        try send(request)
        return try answer()
    }
}
