import Steering
import Testing

@testable import Edge

/// Redirects, to the byte.
@Suite struct ResponderRedirectTests {
    private static let video = "http://s1.origin-cluster/video/1488/xcg2djHckad.m3u8"
    private static let atCDN = "Location: http://cdn.example.com/s1/video/1488/xcg2djHckad.m3u8"

    @Test(arguments: [
        "GET /?video=\(video) HTTP/1.1", "GET /origin?video=\(video) HTTP/1.1", "GET /s1/video/1488/xcg2djHckad.m3u8 HTTP/1.1",
        "GET http://b/?video=\(video) HTTP/1.1",
        "GET http://b?video=\(video) HTTP/1.1", "HEAD /?video=\(video) HTTP/1.1", "HEAD /origin?video=\(video) HTTP/1.1",
        "HEAD /s1/video/1488/xcg2djHckad.m3u8 HTTP/1.1",
        "POST /origin?video=\(video) HTTP/1.1", "GET /?a=b&video=\(video)&c=d HTTP/1.1",
        "GET /?video=http%3A%2F%2Fs1.origin-cluster%2Fvideo%2F1488%2Fxcg2djHckad.m3u8 HTTP/1.1",
        "GET /S1/video/1488/xcg2djHckad.m3u8 HTTP/1.1",
    ])
    func `every way to name a video gets the same bytes`(line: String) throws {
        var asker = try Asker()
        #expect(asker.ask(line) == answerText("301 Moved Permanently", [Self.atCDN, "Content-Length: 0"]))
    }

    @Test(arguments: ["{\"video\": \"\(video)\"}", "\"\(video)\"", "{ \"\(video)\"}"])
    func `a body names the video for GET and POST, and the connection closes`(body: String) throws {
        var asker = try Asker()
        for method in ["GET", "POST"] {
            let text = asker.ask("\(method) /origin HTTP/1.1", ["Content-Length: \(body.utf8.count)"], body: body)
            #expect(text == answerText("301 Moved Permanently", connection: "close", [Self.atCDN, "Content-Length: 0"]))
        }
    }

    @Test func `the query's video goes before the body's`() throws {
        var asker = try Asker()
        let answer = try asker.answer("POST /origin?video=http://s2.origin-cluster/q HTTP/1.1", ["Content-Length: 3"], body: "\"x\"")
        #expect(answer["Location"] == "http://cdn.example.com/s2/q")
        #expect(answer.closes)
    }

    @Test(arguments: [(301, "301 Moved Permanently"), (302, "302 Found"), (307, "307 Temporary Redirect"), (308, "308 Permanent Redirect")])
    func `the status is the catalog's`(status: Int, line: String) throws {
        var asker = try Asker(Setup(status: status))
        #expect(asker.ask("GET /?video=\(Self.video) HTTP/1.1") == answerText(line, [Self.atCDN, "Content-Length: 0"]))
    }

    @Test func `every N-th redirect goes to the origin, HEAD included, and refusals take no number`() throws {
        var asker = try Asker(Setup(every: 3))
        var hosts: [String] = []
        for round in 0..<9 {
            _ = asker.ask("GET /?video=http://evil.example/ HTTP/1.1")
            _ = asker.ask("OPTIONS / HTTP/1.1")
            _ = asker.ask("GET /livez HTTP/1.1")
            let answer = try asker.answer("\(round % 2 == 0 ? "GET" : "HEAD") /s1/v HTTP/1.1")
            hosts.append(answer["Location"] == "http://s1.origin-cluster/v" ? "origin" : "cdn")
        }
        #expect(hosts == ["cdn", "cdn", "origin", "cdn", "cdn", "origin", "cdn", "cdn", "origin"])
        #expect(asker.responder.total.redirectsToOrigin == 3)
        #expect(asker.responder.counters.refusals == [.init(status: 403, reason: "unknown-host"): 9])
        #expect(asker.responder.counters.otherAnswers == 18)
    }

    @Test func `a wish to avoid a CDN is kept, unknown names are passed over`() throws {
        var asker = try Asker(Setup(cdns: [("a", "http://a.example"), ("b", "http://b.example")]))
        for _ in 0..<4 {
            #expect(try asker.answer("GET /?avoid=A&video=\(Self.video) HTTP/1.1")["Location"]?.hasPrefix("http://b.example/s1/") == true)
        }
        #expect(try asker.answer("GET /?video=\(Self.video)&avoid=nobody HTTP/1.1").status == 301)
    }

    @Test func `parameters that are passed on stand in Location, Link and JSON, and only beside video`() throws {
        var setup = Setup(every: 2, passes: ["CMCD", "_HLS_msn"])
        setup.links = true
        var asker = try Asker(setup)
        let answer = try asker.answer("GET /?video=\(Self.video)&x=1&_HLS_msn=7&CMCD=a%2Cb HTTP/1.1", ["Accept: application/json"])
        let query = "?_HLS_msn=7&CMCD=a%2Cb"
        let path = "/video/1488/xcg2djHckad.m3u8"
        #expect(answer["Location"] == "http://cdn.example.com/s1\(path)\(query)")
        #expect(answer["Link"] == "<http://s1.origin-cluster\(path)\(query)>; rel=duplicate; pri=1")
        let document = try Document(json: answer.body)
        #expect(document["location"] == answer["Location"].map(Document.string))
        guard case .array(let targets)? = document["targets"] else { throw Answer.Malformed(description: "no targets: \(answer.body)") }
        #expect(targets.map { $0["location"] } == [document["location"], .string("http://s1.origin-cluster\(path)\(query)")])
        #expect(try asker.answer("GET /s1/v?x=1&CMCD=a HTTP/1.1")["Location"] == "http://s1.origin-cluster/v?x=1&CMCD=a")
        let body = "\"http://s1.origin-cluster/v\""
        let posted = try asker.answer("POST /origin?CMCD=a HTTP/1.1", ["Content-Length: \(body.utf8.count)"], body: body)
        #expect(posted["Location"] == "http://cdn.example.com/s1/v")
    }

    @Test func `JSON is added when Accept names it`() throws {
        var asker = try Asker(Setup(every: 2))
        let accept = ["Accept: application/json"]
        let toCDN = #""location":"http://cdn.example.com/s1/v","target":"cdn","cdn":"cdn-a""#
        let toOrigin = #""location":"http://s1.origin-cluster/v","target":"origin","cdn":null"#
        let client = #""client":"192.0.2.1""#
        let cdn = "{\(toCDN),\"sequence\":1,\"reason\":\"weighted\",\(client),\"targets\":[{\(toCDN)},{\(toOrigin)}]}\n"
        let origin = "{\(toOrigin),\"sequence\":2,\"reason\":\"every-nth\",\(client),\"targets\":[{\(toOrigin)},{\(toCDN)}]}\n"
        #expect(
            asker.ask("GET /s1/v HTTP/1.1", accept)
                == answerText(
                    "301 Moved Permanently",
                    ["Location: http://cdn.example.com/s1/v", "Content-Type: application/json", "Content-Length: \(cdn.utf8.count)"],
                    body: cdn))
        #expect(
            asker.ask("HEAD /s1/v HTTP/1.1", accept)
                == answerText(
                    "301 Moved Permanently",
                    ["Location: http://s1.origin-cluster/v", "Content-Type: application/json", "Content-Length: \(origin.utf8.count)"]))
    }

    @Test func `regression: JSON and Link name neither an origin server whose probes fail nor a CDN that has its redirects`() throws {
        var setup = Setup(every: 100)
        setup.links = true
        let cdns =
            #"[{"name": "a", "url": "http://a"}, {"name": "b", "url": "http://b", "maxPerSecond": 1}, {"name": "c", "url": "http://c"}]"#
        let catalog = try Catalog(setup.table().catalog.document.replacing("cdns", with: Document(json: cdns)))
        let table = RoutingTable(catalog, revision: 1, health: Health(downServers: ["s1"]))
        let sequences = SequenceBook().set(for: table)
        var asker = Asker(responder: Responder(table: table, sequences: sequences, clock: { 784_111_777 }))
        var named: [[String]] = []
        for server in ["s1", "s1", "s1", "s2"] {
            let answer = try asker.answer("GET /\(server)/v HTTP/1.1", ["Accept: application/json"])
            guard case .array(let targets)? = try Document(json: answer.body)["targets"] else { continue }
            let locations = targets.compactMap { target in if case .string(let text)? = target["location"] { text } else { nil } }
            named.append(locations)
            let links = locations.dropFirst().enumerated().map { "<\($0.element)>; rel=duplicate; pri=\($0.offset + 1)" }
            #expect(answer["Link"] == links.joined(separator: ", "))
            #expect(answer["Location"] == locations.first)
        }
        #expect(
            named == [
                ["http://a/s1/v", "http://b/s1/v", "http://c/s1/v"], ["http://b/s1/v", "http://c/s1/v", "http://a/s1/v"],
                ["http://c/s1/v", "http://a/s1/v"], ["http://a/s2/v", "http://c/s2/v", "http://s2.origin-cluster/v"],
            ])
    }

    @Test func `a page that cannot see a redirect gets the decision by redirect=false`() throws {
        var setup = Setup(every: 2)
        setup.links = true
        var asker = try Asker(setup)
        let toCDN = #""location":"http://cdn.example.com/s1/v","target":"cdn","cdn":"cdn-a""#
        let toOrigin = #""location":"http://s1.origin-cluster/v","target":"origin","cdn":null"#
        let body = #"{\#(toCDN),"sequence":1,"reason":"weighted","client":"192.0.2.1","targets":[{\#(toCDN)},{\#(toOrigin)}]}"# + "\n"
        let fields = ["Content-Type: application/json", "Content-Length: \(body.utf8.count)"]
        let line = "/?redirect=false&video=http://s1.origin-cluster/v HTTP/1.1"
        #expect(asker.ask("GET \(line)") == answerText("200 OK", fields, body: body))
        let origin = try asker.answer("GET \(line)")
        #expect(try Document(json: origin.body)["location"] == .string("http://s1.origin-cluster/v"))
        let head = try asker.answer("HEAD \(line)")
        #expect(head.status == 200 && head["Content-Length"] == "\(body.utf8.count)" && head["Location"] == nil)
        #expect(asker.responder.total.redirectsToOrigin == 1 && asker.responder.total.redirectsToCDN == ["cdn-a": 2])
        #expect(asker.responder.total.answers == [200: 3] && asker.responder.total.otherAnswers == 0)
        #expect(asker.responder.takeTraffic().entries.map(\.requests).reduce(0, +) == 3)
        #expect(try asker.answer("GET /?redirect=false&video=http://evil.example/ HTTP/1.1").status == 403)
        #expect(try asker.answer("GET /?redirect=false HTTP/1.1").status == 400)
        #expect(try asker.answer("GET /?redirect=true&video=\(Self.video) HTTP/1.1").status == 301)
        #expect(try asker.answer("POST /origin?redirect=false&video=\(Self.video) HTTP/1.1").status == 200)
        #expect(try asker.answer("GET /s1/v?redirect=false HTTP/1.1")["Location"] == "http://s1.origin-cluster/v?redirect=false")
    }

    @Test func `the decision of redirect=false may be read by pages that send credentials`() throws {
        var asker = try Asker(credentialOrigins: ["https://player.example.com"])
        let answer = try asker.answer("GET /?redirect=false&video=\(Self.video) HTTP/1.1", ["Origin: https://player.example.com"])
        #expect(answer["Access-Control-Allow-Origin"] == "https://player.example.com")
        #expect(answer["Access-Control-Allow-Credentials"] == "true" && answer["Cache-Control"] == "no-store")
    }

    @Test func `a document is not made where others wait, and nothing is counted until it is`() throws {
        let table = try Setup().table()
        var responder = Responder(
            table: table, sequences: SequenceBook().set(for: table), rate: ClientRate(perSecond: 1, burst: 1), clock: { 784_111_777 })
        let request = [UInt8](latin1: "GET /?redirect=false&video=\(Self.video) HTTP/1.1\r\nHost: b\r\n\r\n")
        guard let head = PlainScanner.scan(request.span, 0..<request.count, limits: Limits()) else { return #expect(Bool(false)) }
        let client = ClientAddress(ipv4: 0xC000_0201)
        let first = responder.respond(to: head, request.span, from: client, closes: false, isFast: true)
        #expect(first == .needsSlowPath)
        #expect(responder.writer.bytes.isEmpty && responder.total == Counters())
        let second = responder.respond(to: head, request.span, from: client, closes: false)
        #expect(second == .answered)
        #expect(responder.total.answers == [200: 1])
    }

    @Test func `a JSON answer is JSON whatever the path holds`() throws {
        var asker = try Asker()
        for path in ["\"", "\\", "{}", "%22", "%5c", "<>", "'"] {
            let answer = try asker.answer("GET /?video=http://s1.origin-cluster/\(path) HTTP/1.1", ["Accept: application/json"])
            guard answer.status == 301 else { continue }
            let document = try Document(json: answer.body)
            #expect(document["location"] == answer["Location"].map(Document.string))
        }
    }

    @Test(
        arguments: [
            ("GET /s1/v HTTP/1.1", [], nil), ("GET /s1/v HTTP/1.1", ["Connection: close"], "close"),
            ("GET /s1/v HTTP/1.1", ["Content-Length: 1"], "close"),
            ("GET /s1/v HTTP/1.0", [], "close"), ("GET /s1/v HTTP/1.0", ["Connection: keep-alive"], "keep-alive"),
            ("GET /s1/v HTTP/1.0", ["Connection: keep-alive, close"], "close"),
        ] as [(String, [String], String?)])
    func `the answer says what becomes of the connection`(line: String, fields: [String], connection: String?) throws {
        var asker = try Asker()
        #expect(
            asker.ask(line, fields)
                == answerText(
                    "301 Moved Permanently", connection: connection, ["Location: http://cdn.example.com/s1/v", "Content-Length: 0"]))
    }

    @Test func `a path without its slash gets one`() throws {
        var asker = try Asker()
        for (target, location) in [
            ("/?video=http://s1.origin-cluster", "/s1/"), ("/?video=http://s1.origin-cluster?a", "/s1/?a"), ("/s1", "/s1/"),
            ("/s1?a=b", "/s1/?a=b"), ("/s1/", "/s1/"),
        ] { #expect(try asker.answer("GET \(target) HTTP/1.1")["Location"] == "http://cdn.example.com\(location)", "\(target)") }
    }
}
