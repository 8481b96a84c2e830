import Steering
import Testing

@testable import Edge

/// What browsers are told of pages of other origins (Fetch standard, "CORS protocol").
@Suite struct CrossOriginTests {
    private func preflight(_ fields: String...) throws -> Answer {
        var asker = try Asker()
        return try asker.answer(
            "OPTIONS /?video=x HTTP/1.1", ["Origin: https://p.example", "Access-Control-Request-Method: GET"] + fields)
    }

    /// A `*` does not cover Authorization.
    @Test(arguments: ["authorization,range", "Authorization", "cmcd-object, cmcd-request ,x-a", "range"])
    func `regression: a preflight gets leave for the fields that it asks for by name`(list: String) throws {
        let answer = try preflight("Access-Control-Request-Headers: \(list)")
        #expect(answer.status == 204)
        #expect(answer["Access-Control-Allow-Headers"] == list)
        #expect(answer["Vary"] == "Access-Control-Request-Headers")
    }

    @Test(arguments: ["", ",", "a,,b", "a b", "a;b", "a,\tb", "\"a\"", "a\u{E4}", "a,", String(repeating: "a", count: 1025)])
    func `what is no list of names, or too long, is not repeated`(list: String) throws {
        #expect(try preflight("Access-Control-Request-Headers: \(list)")["Access-Control-Allow-Headers"] == "*, Authorization")
    }

    @Test func `a preflight that asks for no fields may send any`() throws {
        #expect(try preflight()["Access-Control-Allow-Headers"] == "*, Authorization")
    }

    @Test func `redirects may be timed, and errors show when to come back`() throws {
        var asker = try Asker()
        #expect(try asker.answer("GET /s1/v HTTP/1.1")["Timing-Allow-Origin"] == "*")
        #expect(try asker.answer("GET /s1/v HTTP/1.1")["Access-Control-Expose-Headers"] == nil)
        #expect(try asker.answer("GET /x HTTP/1.1")["Access-Control-Expose-Headers"] == "Allow, Date, Retry-After")
    }

    @Test func `a listed origin may send credentials, all others are answered as before, and caches are told`() throws {
        var asker = try Asker(credentialOrigins: ["https://p.example", "http://[::1]:8080"])
        let url = "http://s1.origin-cluster/v"
        let json = "{\"video\":\"\(url)\"}"
        let requests: [(String, [String], String)] = [
            ("GET /s1/v HTTP/1.1", [], ""), ("GET /x HTTP/1.1", [], ""), ("GET /s1/v HTTP/1.0", ["Connection: keep-alive"], ""),
            ("OPTIONS / HTTP/1.1", ["Access-Control-Request-Headers: authorization"], ""), ("GET /livez HTTP/1.1", [], ""),
            ("POST /origin HTTP/1.1", ["Content-Length: \(json.utf8.count)"], json),
        ]
        for (line, fields, body) in requests {
            for origin in ["https://p.example", "http://[::1]:8080"] {
                let text = asker.ask(line, fields + ["oRIGIN:  \(origin) "], body: body)
                #expect(
                    text.contains(
                        "\r\nAccess-Control-Allow-Origin: \(origin)\r\nAccess-Control-Allow-Credentials: true\r\nVary: Origin\r\n"))
                #expect(!text.contains("Access-Control-Allow-Origin: *"), "\(text)")
            }
            for other in ["https://p.example.evil", "https://P.example", "null", "http://p.example", ""] {
                let text = asker.ask(line, fields + ["Origin: \(other)"], body: body)
                #expect(text.contains("\r\nAccess-Control-Allow-Origin: *\r\n") && text.contains("\r\nVary: Origin\r\n"), "\(text)")
                #expect(!text.contains("Credentials"), "\(text)")
            }
            #expect(asker.ask(line, fields, body: body).contains("\r\nVary: Origin\r\n"))
        }
    }
}
