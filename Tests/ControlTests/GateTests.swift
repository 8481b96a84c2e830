import HTTPTypes
import HummingbirdCore
import NIOCore
import Storage
import Synchronization
import Testing

@testable import Control

@Suite struct GateTests {
    private let key = APIKey(name: "alice", role: .operator, hash: Token.hash("t"), created: 0, expires: nil)

    private func request(_ method: HTTPRequest.Method, cookie: String? = nil, origin: String? = nil, host: String = "h:8001") -> Request {
        var head = HTTPRequest(method: method, scheme: "http", authority: host, path: "/")
        if let cookie { head.headerFields[.cookie] = cookie }
        if let origin { head.headerFields[.origin] = origin }
        return Request(head: head, body: .init(buffer: ByteBuffer()))
    }

    @Test func `a session opens what its key opens, as long as the key, the session and the process last`() throws {
        let time = Mutex<Int64>(0)
        let gate = Gate(access: Access(fixed: [], now: { 0 }), now: { time.withLock { $0 } })
        gate.access.replaceStored([key])
        let id = gate.sessions.begin(key, now: 0)
        let read = request(.get, cookie: "other=1; balancer-8001=\(id)")
        let caller = try gate.authorise(read, from: "a", .operator)
        #expect(caller.key.name == "alice" && gate.admits(caller))
        #expect(throws: Problem.self) { try gate.authorise(read, from: "a", .admin) }
        #expect(gate.caller(of: request(.get, cookie: "balancer-8001=\(id)x")) == nil)
        #expect(gate.caller(of: request(.get, cookie: "balancer-8002=\(id)")) == nil)

        time.withLock { $0 = Sessions.lifetime }
        #expect(gate.caller(of: read) == nil && !gate.admits(caller))
        time.withLock { $0 = Sessions.lifetime - 1 }
        #expect(gate.admits(caller))
        gate.access.replaceStored([])
        #expect(gate.caller(of: read) == nil && !gate.admits(caller))
    }

    @Test(arguments: [nil, "null", "", "http://h", "http://h:8002", "http://h:8001.evil", "http://evil/h:8001", "ftp://h:8001"])
    func `another origin's page may read by cookie what it cannot see, but write nothing`(origin: String?) throws {
        let gate = Gate(access: Access(fixed: [key], now: { 0 }), now: { 0 })
        let cookie = "balancer-8001=\(gate.sessions.begin(key, now: 0))"
        #expect(throws: Problem.self) { try gate.authorise(request(.patch, cookie: cookie, origin: origin), from: "a", .operator) }
        #expect(try gate.authorise(request(.get, cookie: cookie, origin: origin), from: "a", .operator).key.name == "alice")
        for own in ["http://h:8001", "https://h:8001", "HTTP://H:8001"] {
            #expect(try gate.authorise(request(.patch, cookie: cookie, origin: own), from: "a", .operator).key.name == "alice")
        }
    }

    // Regression: sessions had one bound for all, so that one viewer who logged in over and over ended everybody's.
    @Test func `the sessions of a key are bounded, and push out none of another's`() {
        let sessions = Sessions()
        let other = sessions.begin(APIKey(name: "bob", role: .viewer, hash: Token.hash("u"), created: 0, expires: nil), now: 0)
        let ids = (0..<Int64(Sessions.maximumOfKey) + 1).map { sessions.begin(key, now: $0) }
        #expect(sessions.count == Sessions.maximumOfKey + 1)
        #expect(sessions.keyHash(of: ids[0], now: 100) == nil)
        #expect(
            sessions.keyHash(of: ids[1], now: 100) == key.hash && sessions.keyHash(of: ids[Sessions.maximumOfKey], now: 100) == key.hash)
        #expect(sessions.keyHash(of: other, now: 100) != nil)
        sessions.end(ids[1])
        #expect(sessions.keyHash(of: ids[1], now: 100) == nil)
        // Those that have ended are forgotten.
        _ = sessions.begin(key, now: 2 * Sessions.lifetime)
        #expect(sessions.count == 1)
    }

    @Test func `the places for streams of a key are bounded, and come free`() {
        let places = Places()
        var own = (0..<Places.maximumOfKey).compactMap { _ in places.take(by: "a") }
        #expect(own.count == Places.maximumOfKey && places.take(by: "a") == nil)
        let others = (0..<Places.maximum).compactMap { places.take(by: "b\($0)") }
        #expect(others.count == Places.maximum - Places.maximumOfKey)
        own.removeLast()
        #expect(places.take(by: "a") != nil)
    }

}
