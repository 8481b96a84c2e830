import Foundation
import Synchronization
import Testing

@testable import Edge

extension SocketTests {
    /// Turns of the fast loop: it hears all connections that are ready, answers all, sends all.
    @Suite struct FastLoopTests {
        @Test func `in one turn each connection gets the answers to its own requests`() async throws {
            try await withServer(workers: 1) { server in
                let clients = try (0..<200).map { _ in try Client(to: server.address) }
                for (index, client) in clients.enumerated() { #expect(try client.ask(get("/\(index)"))["Location"] == atCDN("/\(index)")) }
                try await whileHeld(server) {
                    for (index, client) in clients.enumerated() {
                        switch index % 8 {
                        case 0: try client.send(get("/ends/\(index)", "Connection: close"))
                        case 1:
                            try client.send(
                                "POST /origin HTTP/1.1\r\nHost: b\r\nContent-Length: 28\r\n\r\n\"http://s1.origin-cluster/p\"")
                        case 2: try client.send("GET /s1/cut/\(index) HTTP/1.1\r\nHost: b\r")
                        case 3: try client.send(get("/two/\(index)") + get("/three/\(index)"))
                        case 4: client.endOutput()
                        case 5:
                            try client.send(get("/last/\(index)"))
                            client.endOutput()
                        case 6: try client.send(get("/whole/\(index)") + "GET /s1/")
                        default: try client.send(get("/\(index)"))
                        }
                    }
                }
                for (index, client) in clients.enumerated() {
                    switch index % 8 {
                    case 0: #expect(try Answer.only(in: client.rest())["Location"] == atCDN("/ends/\(index)"))
                    case 1: #expect(try Answer.only(in: client.rest())["Location"] == atCDN("/p"))
                    case 2: #expect(try client.ask("\n\r\n")["Location"] == atCDN("/cut/\(index)"))
                    case 3:
                        client.endOutput()
                        #expect(
                            try Answer.all(in: client.rest()).map { $0["Location"] } == [atCDN("/two/\(index)"), atCDN("/three/\(index)")])
                    case 4: #expect(try client.rest() == [])
                    case 5: #expect(try Answer.only(in: client.rest())["Location"] == atCDN("/last/\(index)"))
                    case 6:
                        #expect(try client.answer()["Location"] == atCDN("/whole/\(index)"))
                        #expect(try client.ask("a HTTP/1.1\r\nHost: b\r\n\r\n")["Location"] == atCDN("/a"))
                    default: #expect(try client.answer()["Location"] == atCDN("/\(index)"))
                    }
                }
            }
        }

        /// Epoll reports edges, so what a read leaves behind has to be asked for.
        @Test func `what did not fit a read is answered, when reads end with a request too`() async throws {
            try await withServer(workers: 1) { server in
                let request = get("/" + String(repeating: "a", count: 128 - get("/").utf8.count))
                #expect(request.utf8.count == 128 && FastLoop.readCapacity % 128 == 0)
                let clients = try (0..<10).map { _ in try Client(to: server.address) }
                for client in clients { _ = try client.ask(get("/a")) }
                try await whileHeld(server) {
                    for client in clients { try client.send(String(repeating: request, count: 3 * FastLoop.readCapacity / 128)) }
                }
                for client in clients {
                    client.endOutput()
                    #expect(try Answer.all(in: client.rest()).count == 3 * FastLoop.readCapacity / 128)
                }
            }
        }

        @Test func `a client that ends with its request, at once or a moment later, gets its answer and an end`() async throws {
            try await withServer(workers: 1) { server in
                for round in 0..<300 {
                    let client = try Client(to: server.address)
                    _ = try client.ask(get("/a"))
                    try client.send(get("/\(round)"))
                    if round % 3 == 1 { try await Task.sleep(for: .microseconds(round)) }
                    if round % 3 == 2 { #expect(try client.answer()["Location"] == atCDN("/\(round)")) }
                    client.endOutput()
                    let rest = try client.rest()
                    if round % 3 == 2 { #expect(rest == []) } else { #expect(try Answer.only(in: rest)["Location"] == atCDN("/\(round)")) }
                }
            }
        }

        /// Keeps the only worker from its connections while `body` runs; what clients send meanwhile is ready in one turn.
        private func whileHeld(_ server: EdgeServer, _ body: () throws -> Void) async throws {
            let hold = Hold()
            async let held: Void? = server.workers[0].fast.perform { _ in hold.stay() }
            defer { hold.end() }
            try await hold.began()
            // Loopback delivers during the sends.
            try body()
            hold.end()
            await held
        }

        /// Lets a thread stand still until it is told to go on.
        private final class Hold: Sendable {
            private let hasBegun = Atomic(false)
            private let isOver = Atomic(false)

            func stay() {
                hasBegun.store(true, ordering: .releasing)
                while !isOver.load(ordering: .acquiring) { Thread.sleep(forTimeInterval: 0.001) }
            }

            func began() async throws { while !hasBegun.load(ordering: .acquiring) { try await Task.sleep(for: .milliseconds(1)) } }

            func end() { isOver.store(true, ordering: .releasing) }
        }
    }
}
