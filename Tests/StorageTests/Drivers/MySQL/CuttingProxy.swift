#if MySQL
import Foundation
import Synchronization

/// Stands between a client and a server, and cuts the line in the middle of a chosen statement: before the server gets it, or after the
/// server carried it out and before the client gets the answer.
final class CuttingProxy: Sendable {
    enum Moment: Sendable { case beforeTheServerGotIt, beforeTheAnswer }

    let port: UInt16
    private let listener: CInt
    private let target: Atomic<UInt16>
    /// Executions to let through until the line is cut; nil never.
    private let left = Mutex<(count: Int, moment: Moment)?>(nil)
    private let cuts = Mutex(0)

    var cutCount: Int { cuts.withLock { $0 } }

    init(to target: UInt16) throws {
        self.target = Atomic(target)
        (listener, port) = try CuttingProxy.listen()
        Thread { [listener] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                self.serve(client)
            }
        }.start()
    }

    /// Leads new lines to another server; those that are open stay, as behind a virtual address.
    func lead(to other: UInt16) { target.store(other, ordering: .sequentiallyConsistent) }

    /// Closes the listener; its thread then ends.
    func end() { shutdown(listener, CInt(SHUT_RDWR)) }

    func cut(atExecution number: Int, _ moment: Moment) { left.withLock { $0 = (number, moment) } }

    private func serve(_ client: CInt) {
        guard let server = CuttingProxy.connect(to: target.load(ordering: .sequentiallyConsistent)) else {
            close(client)
            return
        }
        let line = Line(client: client, server: server)
        Thread {
            // Client to server. Packets of the client's statements begin where a read begins: it waits for each answer.
            while let bytes = CuttingProxy.read(client) {
                switch self.verdict(bytes) {
                case nil: guard CuttingProxy.write(server, bytes) else { return line.end() }
                case .beforeTheServerGotIt?: return line.end()
                case .beforeTheAnswer?:
                    line.dropsAnswers.store(true, ordering: .sequentiallyConsistent)
                    guard CuttingProxy.write(server, bytes) else { return line.end() }
                }
            }
            line.end()
        }.start()
        Thread {
            while let bytes = CuttingProxy.read(server) {
                if line.dropsAnswers.load(ordering: .sequentiallyConsistent) { break }
                guard CuttingProxy.write(client, bytes) else { break }
            }
            line.end()
        }.start()
    }

    private final class Line: Sendable {
        let dropsAnswers = Atomic(false)
        private let sockets: Mutex<[CInt]>

        init(client: CInt, server: CInt) { sockets = Mutex([client, server]) }

        func end() {
            sockets.withLock { sockets in
                for socket in sockets { shutdown(socket, CInt(SHUT_RDWR)) }
            }
        }

        deinit { sockets.withLock { $0.forEach { _ = close($0) } } }
    }

    /// Whether to cut at this packet. 0x17 is COM_STMT_EXECUTE.
    private func verdict(_ bytes: [UInt8]) -> Moment? {
        guard bytes.count > 4, bytes[4] == 0x17 else { return nil }
        return left.withLock { left in
            guard let (count, moment) = left else { return nil }
            left = count > 0 ? (count - 1, moment) : nil
            if count == 0 { cuts.withLock { $0 += 1 } }
            return count == 0 ? moment : nil
        }
    }

    private static func read(_ socket: CInt) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        // unsafe: the array is lent to recv(2) with its size.
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe recv(socket, $0.baseAddress, $0.count, 0) }
        return count > 0 ? Array(bytes[..<count]) : nil
    }

    private static func write(_ socket: CInt, _ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            // unsafe: the array is lent to send(2) with its size.
            let count = unsafe rest.withUnsafeBytes { unsafe send(socket, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest.removeFirst(count)
        }
        return true
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = port.bigEndian
        return address
    }

    private static func listen() throws -> (CInt, UInt16) {
        let socket = Foundation.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        // unsafe: the address is lent to system calls under its generic name.
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(socket, $0, length) == 0 && Foundation.listen(socket, 64) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        guard isBound else { throw CocoaError(.fileReadUnknown) }
        return (socket, UInt16(bigEndian: address.sin_port))
    }

    private static func connect(to port: UInt16) -> CInt? {
        let socket = Foundation.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = loopback(port)
        // unsafe: the address is lent to connect(2) under its generic name.
        let isConnected = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Foundation.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        return isConnected ? socket : nil
    }
}
#endif
