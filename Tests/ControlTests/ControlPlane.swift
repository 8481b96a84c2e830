import Foundation
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import Steering
import Storage
import Synchronization

@testable import Control

/// The whole control plane over an SQLite file, without sockets.
final class ControlPlane: Sendable {
    let path: String
    let node: StoredNode
    private let dispatcher: Dispatcher

    /// - Parameter isExposed: whether its port is not on loopback.
    init(isExposed: Bool = false) async throws {
        path = FileManager.default.temporaryDirectory.path + "/control-\(UUID().uuidString).db"
        node = StoredNode(
            // Other tests of the process may keep its threads for long.
            store: SQLStore(.sqlite(path: path), patience: .init(poll: .seconds(3600), call: .seconds(3600))))
        let key = APIKey(name: "ann", role: .admin, hash: Token.hash("token"), created: 0, expires: nil)
        let queue = ComputeQueue()
        let endpoints = CatalogEndpoints(node: node, store: node)
        dispatcher = Dispatcher(
            endpoints: endpoints.all + RevisionEndpoints(store: node).all + [endpoints.restore]
                + NodeEndpoints(node: node, feed: StatusFeed(node: node, queue: queue), isExposed: isExposed).all
                + [TrafficEndpoint(store: node.store, now: { 1_700_000_000_000 }).endpoint],
            gate: Gate(access: Access(fixed: [key], now: { 0 }), now: { 0 }), names: HostNames(["balancer.example.com"]), queue: queue)
    }

    deinit { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) } }

    struct Answer {
        let status: Int
        let tag: String?
        let text: String
        let body: Document
    }

    func ask(
        _ method: HTTPRequest.Method, _ path: String, _ body: Document? = nil, ifMatch: String? = nil, host: String? = "localhost"
    ) async throws -> Answer {
        var head = HTTPRequest(method: method, scheme: "http", authority: host, path: path)
        head.headerFields[.authorization] = "Bearer token"
        head.headerFields[.ifMatch] = ifMatch
        if body != nil { head.headerFields[.contentType] = "application/json" }
        let request = Request(head: head, body: .init(buffer: ByteBuffer(string: body?.json ?? "")))
        let response = await dispatcher.respond(to: request, from: "", logger: Logger(label: "test"))
        let writer = Collected()
        try await response.body.write(writer)
        let bytes = writer.bytes.withLock { $0 }
        return Answer(
            status: response.status.code, tag: response.headers[.eTag], text: String(decoding: bytes, as: UTF8.self),
            body: (try? Document(json: bytes)) ?? .null)
    }

    private struct Collected: ResponseBodyWriter {
        final class Bytes: Sendable {
            private let all = Mutex<[UInt8]>([])
            func withLock<Value: Sendable>(_ body: @Sendable (inout [UInt8]) -> Value) -> Value { all.withLock { body(&$0) } }
        }
        let bytes = Bytes()
        mutating func write(_ buffer: ByteBuffer) async throws { bytes.withLock { $0 += buffer.readableBytesView } }
        consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }
}

/// A balancer that has a database and nothing else. It counts what is read from it.
final class StoredNode: Node, RevisionHistory {
    let store: SQLStore
    let reads = Mutex(0)

    init(store: SQLStore) { self.store = store }

    func readiness() async -> Readiness { .degraded("mysql://user@db is gone") }
    func metrics() async throws -> [MetricFamily] { [] }
    func status() async -> Document { .object([]) }
    func head() async throws -> Head? { try await store.head() }

    func newest() async throws -> StoredRevision? {
        reads.withLock { $0 += 1 }
        return try await store.newest()
    }

    func stored(_ id: Int) async throws -> StoredRevision? {
        reads.withLock { $0 += 1 }
        return try await store.stored(id)
    }

    func revisions(before: Int?, limit: Int) async throws -> [RevisionSummary] { try await store.revisions(before: before, limit: limit) }
    func commit(_ draft: RevisionDraft) async throws -> Revision { try await store.append(draft) }
    func addKey(_ key: APIKey) async throws {}
    func removeKey(named name: String) async throws -> Bool { false }

    func settleDatabase(_ winner: DatabaseWinner, author: String) async throws {}
    func explainer() async -> @Sendable (ExplainQuestion) -> (revision: Int, explanation: Explanation) {
        fatalError("no test asks")
    }
}
