import Foundation
import NIOCore
import Steering
import TLS
import TLSPeer
import Testing

@testable import Edge

extension SocketTests {
    /// HTTP/2 on real sockets, with TLS and without, by either path.
    @Suite struct HTTP2OnTheWireTests {
        /// Beside a server with a plain listener and one with TLS.
        private func withServer(
            usesFastPath: Bool = true, http2: HTTP2Use = .any, limits: Limits = Limits(),
            _ body: (EdgeServer, _ plain: ListenAddress, _ secure: ListenAddress) async throws -> Void
        ) async throws {
            let any = try #require(ListenAddress("127.0.0.1:0"))
            let page = EdgePage(
                path: "/page", type: "text/plain", body: ByteBuffer(bytes: [UInt8](repeating: 65, count: 100_000)), policy: nil)
            var configuration = EdgeServer.Configuration(
                listeners: [Listener(any), Listener(tls: any)], workers: 1, limits: limits, pages: [page], usesFastPath: usesFastPath)
            let files = try SelfSigned.make(names: ["b.example.com"], from: 1_600_000_000, until: 4_000_000_000)
            configuration.identity = TLSIdentity([try ServerCertificate(chain: files.chain, key: files.key, at: ("cert.pem", "key.pem"))])
            configuration.http2 = http2
            let table = try Setup().table()
            let server = try await EdgeServer(configuration, table: table, sequences: SequenceBook().set(for: table)) { line in
                Issue.record("the server reports: \(line)")
            }
            do { try await body(server, server.addresses[0], server.addresses[1]) } catch { Issue.record(error) }
            try await server.stopAccepting()
            #expect(try await server.finish(within: 5) == 0, "connections were cut")
        }

        /// A client of HTTP/2, with TLS or without.
        private final class Peer {
            private let wire: Client
            private let secure: SecureClient?
            private var bytes: [UInt8] = []

            init(plain address: ListenAddress) throws {
                wire = try Client(to: address)
                secure = nil
                try send(HTTP2Client.hello)
            }

            init(secure address: ListenAddress) throws {
                let client = try SecureClient(to: address, .init(protocols: ["h2", "http/1.1"]))
                #expect(client.tls.selectedProtocol == "h2")
                secure = client
                wire = client.wire
                try send(HTTP2Client.hello)
            }

            func send(_ bytes: [UInt8]) throws {
                guard let secure else { return try wire.send(bytes) }
                secure.tls.write(bytes)
                try wire.send(secure.tls.take())
            }

            /// What comes next; nil at the end.
            private func receive() throws -> [UInt8]? {
                guard let secure else {
                    let bytes = try wire.receive()
                    return bytes.isEmpty ? nil : bytes
                }
                while true {
                    if let bytes = secure.tls.readBytes() { return bytes }
                    if secure.tls.isToldOfEnd { return nil }
                    let records = try wire.receive()
                    if records.isEmpty { throw Answer.Malformed(description: "ended without close_notify") }
                    secure.tls.give(records)
                }
            }

            /// The frames up to one that is wanted, or to the end.
            func frames(until isLast: (HTTP2Client.Frame) -> Bool = { _ in false }) throws -> [HTTP2Client.Frame] {
                var found: [HTTP2Client.Frame] = []
                while true {
                    while bytes.count >= 9 {
                        let length = 9 + Int(bytes[0]) << 16 + Int(bytes[1]) << 8 + Int(bytes[2])
                        guard bytes.count >= length else { break }
                        found += try HTTP2Client.frames(in: Array(bytes[..<length]))
                        bytes.removeFirst(length)
                        if let last = found.last, isLast(last) { return found }
                    }
                    guard let more = try receive() else { return found }
                    bytes += more
                }
            }

            func answer(on stream: UInt32) throws -> HTTP2Client.Answer {
                let frames = try frames { $0.stream == stream && $0.endsStream }
                return try #require(try HTTP2Client.answers(in: frames)[stream])
            }
        }

        private func peers(_ plain: ListenAddress, _ secure: ListenAddress) throws -> [Peer] {
            [try Peer(plain: plain), try Peer(secure: secure)]
        }

        @Test(arguments: [true, false])
        func `requests are answered, one after another and together`(usesFastPath: Bool) async throws {
            try await withServer(usesFastPath: usesFastPath) { server, plain, secure in
                for peer in try peers(plain, secure) {
                    for round in 0..<20 {
                        try peer.send(HTTP2Client.get("/s1/\(round)", stream: UInt32(2 * round + 1)))
                        #expect(try peer.answer(on: UInt32(2 * round + 1))["location"] == atCDN("/\(round)"))
                    }
                    try peer.send((20..<60).flatMap { HTTP2Client.get("/s1/\($0)", stream: UInt32(2 * $0 + 1)) })
                    let answers = try HTTP2Client.answers(in: peer.frames { $0.stream == 119 })
                    for round in 20..<60 { #expect(answers[UInt32(2 * round + 1)]?["location"] == atCDN("/\(round)")) }
                }
                let counters = try await server.counters()
                #expect(counters.http2.connections == 2 && counters.http2.answers == 120)
                #expect(counters.handOvers["not-plain"] ?? 0 == 0)
            }
        }

        @Test(arguments: [true, false])
        func `bodies, JSON and pages are answered, and what follows them too`(usesFastPath: Bool) async throws {
            try await withServer(usesFastPath: usesFastPath) { _, plain, secure in
                for peer in try peers(plain, secure) {
                    try peer.send(HTTP2Client.get("/s1/a", stream: 1))
                    #expect(try peer.answer(on: 1)["location"] == atCDN("/a"))
                    let fields = HTTP2Client.request("/origin", method: "POST")
                    try peer.send(HTTP2Client.frame(1, 4, stream: 3, HTTP2Client.block(fields)))
                    try peer.send(HTTP2Client.frame(0, 1, stream: 3, [UInt8](latin1: "{\"video\": \"http://s1.origin-cluster/b\"}")))
                    #expect(try peer.answer(on: 3)["location"] == atCDN("/b"))
                    try peer.send(
                        HTTP2Client.get("/s1/c", stream: 5, [("accept", "application/json")]) + HTTP2Client.get("/s1/d", stream: 7))
                    #expect(try peer.answer(on: 5).body.latin1.contains("\"location\":\"\(atCDN("/c"))\""))
                    #expect(try peer.answer(on: 7)["location"] == atCDN("/d"))
                    try peer.send(HTTP2Client.frame(8, 0, HTTP2Client.number(1_000_000)))
                    try peer.send(HTTP2Client.frame(4, 0, HTTP2Client.setting(4, 1_000_000)) + HTTP2Client.get("/page", stream: 9))
                    #expect(try peer.answer(on: 9).body == [UInt8](repeating: 65, count: 100_000))
                }
            }
        }

        @Test(arguments: [true, false])
        func `what is wrong ends its connection with a goodbye, and no other`(usesFastPath: Bool) async throws {
            try await withServer(usesFastPath: usesFastPath) { server, plain, secure in
                for (good, bad) in zip(try peers(plain, secure), try peers(plain, secure)) {
                    try bad.send(HTTP2Client.get("/s1/a", stream: 2))
                    #expect(try bad.frames().last { $0.kind == 7 }?.code == 1)
                    try good.send(HTTP2Client.get("/s1/a", stream: 1))
                    #expect(try good.answer(on: 1)["location"] == atCDN("/a"))
                }
                #expect(try await server.counters().http2.refused(.streamNumber) == 2)
            }
        }

        @Test(arguments: [true, false])
        func `a connection that says nothing more is ended with a goodbye`(usesFastPath: Bool) async throws {
            var limits = Limits()
            limits.idleSeconds = 1
            limits.headSeconds = 1
            try await withServer(usesFastPath: usesFastPath, limits: limits) { _, plain, secure in
                for peer in try peers(plain, secure) {
                    try peer.send(HTTP2Client.get("/s1/a", stream: 1))
                    #expect(try peer.frames().last?.kind == 7)
                }
            }
        }

        @Test(arguments: [true, false])
        func `a node that stops answers what was asked and says goodbye twice`(usesFastPath: Bool) async throws {
            var kept: [Peer] = []
            try await withServer(usesFastPath: usesFastPath) { server, plain, secure in
                kept = try peers(plain, secure)
                for peer in kept {
                    try peer.send(HTTP2Client.get("/s1/a", stream: 1))
                    _ = try peer.answer(on: 1)
                }
                try await server.stopAccepting()
                for peer in kept {
                    let first = try peer.frames { $0.kind == 6 }
                    #expect(first.first { $0.kind == 7 }?.payload.prefix(4) == HTTP2Client.number(0x7FFF_FFFF)[...])
                    try peer.send(HTTP2Client.get("/s1/b", stream: 3))
                    #expect(try peer.answer(on: 3)["location"] == atCDN("/b"))
                    try peer.send(HTTP2Client.frame(6, 1, try #require(first.last).payload))
                    #expect(try peer.frames().last?.payload.prefix(4) == HTTP2Client.number(3)[...])
                }
                kept = []
            }
        }

        @Test(arguments: [true, false])
        func `without leave nobody gets HTTP/2`(usesFastPath: Bool) async throws {
            try await withServer(usesFastPath: usesFastPath, http2: .off) { _, plain, secure in
                #expect(try SecureClient(to: secure, .init(protocols: ["h2", "http/1.1"])).tls.selectedProtocol == "http/1.1")
                let client = try Client(to: plain)
                try client.send(HTTP2Client.hello)
                #expect(try Answer.only(in: client.receive()).status == 505)
            }
            try await withServer(usesFastPath: usesFastPath, http2: .tls) { _, plain, secure in
                _ = try Peer(secure: secure)
                let client = try Client(to: plain)
                try client.send(HTTP2Client.hello)
                #expect(try Answer.only(in: client.receive()).status == 505)
            }
        }

        @Test func `a client that offers both in any order, or HTTP/1 alone, is served`() async throws {
            try await withServer { _, _, secure in
                for (offer, chosen) in [(["http/1.1", "h2"], "h2"), (["h2"], "h2"), (["http/1.1"], "http/1.1"), ([], "")] {
                    let client = try SecureClient(to: secure, .init(protocols: offer))
                    #expect(client.tls.selectedProtocol == chosen)
                }
            }
        }
    }
}
