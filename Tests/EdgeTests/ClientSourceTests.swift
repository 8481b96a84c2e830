import Steering
import Testing

@testable import Edge

@Suite struct ClientSourceTests {
    private static func client(
        _ fields: [String], field: ClientSource.Field = .xForwardedFor, peer: String = "10.0.0.1", trusted: [String] = ["10.0.0.0/8"]
    ) throws -> String {
        var source = ClientSource()
        source.field = field
        source.trustedProxies = try trusted.map { try #require(Network($0)) }
        let bytes = [UInt8](latin1: HeadVector.head("GET / HTTP/1.1", ["Host: b"] + fields + ["Accept: */*"]))
        var scanner = HeadScanner(limits: Limits())
        guard case .complete(let head) = scanner.scan(bytes.span) else { throw HTTPFault.fieldName }
        let plain = PlainScanner.scan(bytes.span, 0..<bytes.count, limits: Limits())
        #expect(plain == head)
        return source.client(of: head, bytes.span, peer: try #require(ClientAddress(peer))).description
    }

    @Test(arguments: [
        (["X-Forwarded-For: 192.0.2.1"], "192.0.2.1"),
        (["x-forwarded-for:192.0.2.1"], "192.0.2.1"),
        (["X-Forwarded-For: 203.0.113.66, 192.0.2.1"], "192.0.2.1"),
        (["X-Forwarded-For: 203.0.113.66, 192.0.2.1, 10.1.1.1"], "192.0.2.1"),
        (["X-Forwarded-For: 10.1.1.2, 10.1.1.1"], "10.1.1.2"),
        (["X-Forwarded-For: 203.0.113.66", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 10.1.1.1"], "192.0.2.1"),
        (["X-Forwarded-For: 192.0.2.1", "Accept-Language: en", "X-Forwarded-For: 10.1.1.1"], "192.0.2.1"),
        (["X-Forwarded-For: 192.0.2.1,"], "192.0.2.1"),
        (["X-Forwarded-For: , ,"], "10.0.0.1"),
        (["X-Forwarded-For:"], "10.0.0.1"),
        (["X-Forwarded-For: 203.0.113.66, unknown, 10.1.1.1"], "10.1.1.1"),
        (["X-Forwarded-For: 203.0.113.66, unknown"], "10.0.0.1"),
        (["X-Forwarded-For: 2001:db8::1"], "2001:db8::1"),
        (["X-Forwarded-For: [2001:db8::1]:4711"], "2001:db8::1"),
        (["X-Forwarded-For: 192.0.2.1:4711"], "192.0.2.1"),
        (["X-Forwarded-For: 192.0.2.1:"], "192.0.2.1"),
        (["Forwarded: for=192.0.2.1"], "10.0.0.1"),
        ([], "10.0.0.1"),
    ]) func `X-Forwarded-For is read from the right, past trusted proxies`(fields: [String], client: String) throws {
        #expect(try ClientSourceTests.client(fields) == client)
    }

    @Test(arguments: [
        (["Forwarded: for=192.0.2.1"], "192.0.2.1"),
        (["Forwarded: FOR=192.0.2.1;proto=http;by=10.0.0.1"], "192.0.2.1"),
        (["Forwarded: proto=http; for=\"[2001:db8:cafe::17]:4711\""], "2001:db8:cafe::17"),
        (["Forwarded: for=203.0.113.66, for=192.0.2.1, for=10.1.1.1"], "192.0.2.1"),
        (["Forwarded: for=192.0.2.1, for=_hidden"], "10.0.0.1"),
        (["Forwarded: for=192.0.2.1, proto=http"], "10.0.0.1"),
        (["Forwarded: for=\"_a,b\", for=192.0.2.1"], "192.0.2.1"),
        (["Forwarded: for=\"192.0.2.1"], "10.0.0.1"),
        (["Forwarded: for=\"\""], "10.0.0.1"),
        (["X-Forwarded-For: 192.0.2.1"], "10.0.0.1"),
    ]) func `Forwarded is read likewise`(fields: [String], client: String) throws {
        #expect(try ClientSourceTests.client(fields, field: .forwarded) == client)
    }

    @Test func `a peer that is no trusted proxy speaks for itself`() throws {
        #expect(try ClientSourceTests.client(["X-Forwarded-For: 192.0.2.1"], peer: "198.51.100.7") == "198.51.100.7")
        #expect(try ClientSourceTests.client(["X-Forwarded-For: 192.0.2.1"], trusted: []) == "10.0.0.1")
    }

    @Test func `a quote that a client leaves open hides nothing that a proxy adds`() throws {
        #expect(try ClientSourceTests.client(["Forwarded: for=\"x, for=192.0.2.1"], field: .forwarded) == "192.0.2.1")
        #expect(try ClientSourceTests.client(["X-Forwarded-For: \", 192.0.2.1"]) == "192.0.2.1")
    }
}
