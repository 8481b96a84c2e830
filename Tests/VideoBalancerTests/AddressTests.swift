import Testing

/// Addresses the balancer listens on.
@Suite(.onThreads)
struct AddressTests {
    @Test func `listening on [::] answers over IPv4 and over IPv6`() throws {
        let balancer = try Balancer(in: try Folder(), "--listen", "[::]:0")
        defer { balancer.end() }
        for host in ["127.0.0.1", "::1"] {
            #expect(try balancer.connection(host).get(Sample.target).location == Sample.atCDN, "\(host)")
        }
        #expect(try balancer.metrics().toCDN("cdn.example.com") == 2)
    }

    @Test func `listening on [::1] does not answer over IPv4`() throws {
        let balancer = try Balancer(in: try Folder(), "--listen", "[::1]:0")
        defer { balancer.end() }
        #expect(try balancer.connection("::1").get(Sample.target).location == Sample.atCDN)
        #expect(throws: HTTPConnection.Fault.refused) { try balancer.connection("127.0.0.1") }
    }
}
