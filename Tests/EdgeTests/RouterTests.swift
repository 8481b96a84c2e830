import NIOCore
import Steering
import Testing

@testable import Edge

/// The table of paths: what each is, by which methods, and on which path it is answered.
@Suite struct RouterTests {
    private static let pages = [
        EdgePage(path: "/docs", type: "text/html", body: ByteBuffer(), policy: nil),
        EdgePage(path: "/" + String(repeating: "p", count: 80), type: "text/html", body: ByteBuffer(), policy: nil),
    ]

    private func route(_ line: String, pages: [EdgePage] = pages) throws -> Router.Route {
        let bytes = [UInt8](latin1: HeadVector.head("\(line) HTTP/1.1", ["Host: b"]))
        var scanner = HeadScanner(limits: Limits())
        guard case .complete(let head) = scanner.scan(bytes.span) else { throw Answer.Malformed(description: line) }
        return Router(pages: pages).route(of: head, bytes.span, to: bytes.span.firstIndex(of: UInt8(ascii: "?"), in: head.target.range))
    }

    @Test(arguments: [
        ("GET /", Router.Resource.redirect), ("GET /?video=x", .redirect), ("GET http://b", .redirect), ("GET http://b?video=x", .redirect),
        ("OPTIONS *", .redirect), ("CONNECT b:80", .redirect), ("POST /origin", .redirectByBody), ("GET /origin/?video=x", .redirectByBody),
        ("GET /livez", .livez), ("GET /readyz?x", .readyz), ("GET http://b/readyz", .readyz), ("GET /docs", .page(0)),
        ("GET /\(String(repeating: "p", count: 80))", .page(1)), ("GET /\(String(repeating: "q", count: 80))", .video),
        ("GET /s1/v", .video), ("GET /livez/", .video), ("GET /Livez", .video), ("GET /live%7A", .video), ("GET //", .video),
        ("GET /origin/x", .video), ("GET /livea", .video), ("GET /steering/hls/s1/a?x", .steering(.hls)),
        ("HEAD /steering/dash/s1/a", .steering(.dash)), ("GET http://b/steering/hls/", .steering(.hls)), ("GET /steering/hls", .video),
        ("GET /steering/", .video), ("GET /steering/mss/s1/a", .video), ("GET /Steering/hls/s1/a", .video),
        ("GET /x/steering/hls/s1", .video),
    ])
    func `each path has its resource`(line: String, resource: Router.Resource) throws {
        #expect(try route(line).resource == resource)
    }

    @Test func `methods are allowed by name, in one order`() {
        #expect(Methods.reading.allow == "GET, HEAD, OPTIONS")
        #expect(Methods([.options, .post, .head, .get]).allow == "GET, HEAD, POST, OPTIONS")
        for method in RequestHead.Method.allCases {
            let isReading = [.get, .head, .options].contains(method)
            #expect(Methods.reading.contains(method) == isReading)
            #expect(Methods([.post]).contains(method) == (method == .post))
        }
    }

    @Test func `of two pages with one path the first is served, and fixed names win over pages`() throws {
        let pages = ["/livez", "/x", "/x"].map { EdgePage(path: $0, type: "text/html", body: ByteBuffer(), policy: nil) }
        #expect(try route("GET /x", pages: pages).resource == .page(1))
        #expect(try route("GET /livez", pages: pages).resource == .livez)
    }

    @Test func `only what is small and waits for nobody is fast`() throws {
        for line in ["GET /", "GET /origin", "GET /livez", "GET /s1/v", "GET /steering/hls/s1/v"] { #expect(try route(line).isFast) }
        #expect(try !route("GET /docs").isFast)
    }
}
