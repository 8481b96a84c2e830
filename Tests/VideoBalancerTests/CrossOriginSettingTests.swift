import Testing

/// `--cors-credentials-origins`, on the wire.
@Suite(.serialized, .onThreads)
struct CrossOriginSettingTests {
    @Test func `pages of listed origins may send credentials`() throws {
        let balancer = try Balancer(in: try Folder(), "--cors-credentials-origins", "https://p.example, http://[::1]:8080")
        defer { balancer.end() }
        let answer = try balancer.get(Sample.target, "Origin: http://[::1]:8080")
        #expect(answer["Access-Control-Allow-Origin"] == "http://[::1]:8080" && answer["Access-Control-Allow-Credentials"] == "true")
        #expect(try balancer.get(Sample.target, "Origin: https://q.example")["Access-Control-Allow-Origin"] == "*")
    }

    @Test(arguments: ["p.example", "https://p.example/", "https://P.example", "https://p.example:443", "http://p.example:80", "*", "null"])
    func `what no browser would write as an origin is refused at the start`(text: String) throws {
        let error = #expect(throws: Balancer.NotServing.self) {
            try Balancer(in: try Folder(), "--cors-credentials-origins", text)
        }
        #expect(error?.ending == .exited(78))
        #expect(error?.error.contains("--cors-credentials-origins (BALANCER_CORS_CREDENTIALS_ORIGINS) must list origins") == true)
    }
}
