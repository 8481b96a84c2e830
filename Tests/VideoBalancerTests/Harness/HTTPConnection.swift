import Foundation
import Glibc

/// A blocking TCP connection that speaks HTTP/1.1, with a deadline on each wait. Used by one thread at a time.
final class HTTPConnection: @unchecked Sendable {
    enum Fault: Error, Equatable {
        /// Nobody listens.
        case refused
        /// The peer reset the connection.
        case reset
        /// The peer closed it before the answer was whole; `received` bytes had come.
        case closed(received: Int)
        case timeout
        case other(errno: CInt)
    }

    private let descriptor: CInt
    private var input: ArraySlice<UInt8> = []

    /// Connects.
    ///
    /// - Parameters:
    ///   - host: an IPv4 or IPv6 address.
    ///   - seconds: how long each later send or receive may wait.
    init(_ host: String, _ port: UInt16, seconds: Int = 20) throws(Fault) {
        descriptor = socket(host.contains(":") ? AF_INET6 : AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .other(errno: errno) }
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        var on: CInt = 1
        // unsafe: the kernel copies the values during the calls.
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        unsafe setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<CInt>.size))
        // The object is whole here: when it throws, `deinit` runs and closes.
        guard HTTPConnection.connect(descriptor, host, port) == 0 else { throw HTTPConnection.fault(errno) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func send(_ text: String) throws(Fault) { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws(Fault) {
        var sent = 0
        while sent < bytes.count {
            // unsafe: send reads only the bytes of the slice it is lent for the call.
            let count = unsafe bytes[sent...].withUnsafeBytes {
                unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw HTTPConnection.fault(errno) }
            sent += count
        }
    }

    /// Reads one answer.
    func answer(to method: String = "GET") throws -> Answer {
        while true {
            if let answer = try Answer.take(from: &input, hasBody: method != "HEAD") { return answer }
            guard try receive() > 0 else { throw Fault.closed(received: input.count) }
        }
    }

    /// Sends a request and reads its answer.
    func get(_ target: String, _ fields: [String] = []) throws -> Answer {
        try send(HTTPConnection.request(target, fields))
        return try answer()
    }

    /// Sends `count` equal requests, up to `depth` of them before their answers, and hands over each answer in order.
    func get(_ target: String, count: Int, depth: Int = 16, _ each: (Answer) throws -> Void) throws {
        var left = count
        while left > 0 {
            let batch = min(depth, left)
            try send(Array(repeating: HTTPConnection.request(target), count: batch).joined())
            for _ in 0..<batch { try each(try answer()) }
            left -= batch
        }
    }

    static func request(_ target: String, _ fields: [String] = []) -> String {
        "GET \(target) HTTP/1.1\r\nHost: balancer-domain\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
    }

    /// Everything until the peer closes.
    func rest() throws(Fault) -> String {
        while try receive() > 0 {}
        defer { input = [] }
        return String(decoding: input, as: UTF8.self)
    }

    /// What comes next; empty at the end.
    func next() throws(Fault) -> [UInt8] {
        _ = try receive()
        defer { input = [] }
        return Array(input)
    }

    /// Whether something was received, or the end, within some milliseconds.
    func hasInput(milliseconds: CInt = 0) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        // unsafe: poll reads and writes the one struct it is lent for the call.
        return unsafe poll(&entry, 1, milliseconds) > 0
    }

    /// - Returns: 0 at the end.
    private func receive() throws(Fault) -> Int {
        var block = [UInt8](repeating: 0, count: 16384)
        while true {
            // unsafe: recv fills at most block.count bytes of the array it is lent for the call.
            let count = unsafe recv(descriptor, &block, block.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw HTTPConnection.fault(errno) }
            if input.isEmpty { input = block[..<count] } else { input += block[..<count] }
            return count
        }
    }

    private static func fault(_ code: CInt) -> Fault {
        switch code {
        case ECONNREFUSED: .refused
        case ECONNRESET, EPIPE: .reset
        case EAGAIN, EINPROGRESS, ETIMEDOUT: .timeout
        default: .other(errno: code)
        }
    }

    private static func connect(_ descriptor: CInt, _ host: String, _ port: UInt16) -> CInt {
        // unsafe: sockaddr is the C way to pass an address of any family; the struct is a local, lent for the call.
        if host.contains(":") {
            var six = sockaddr_in6()
            six.sin6_family = sa_family_t(AF_INET6)
            six.sin6_port = port.bigEndian
            unsafe inet_pton(AF_INET6, host, &six.sin6_addr)
            return unsafe withUnsafePointer(to: &six) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        }
        var four = sockaddr_in()
        four.sin_family = sa_family_t(AF_INET)
        four.sin_port = port.bigEndian
        unsafe inet_pton(AF_INET, host, &four.sin_addr)
        return unsafe withUnsafePointer(to: &four) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
