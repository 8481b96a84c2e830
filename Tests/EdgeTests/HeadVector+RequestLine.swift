@testable import Edge

extension [HeadVector] {
    static let requestLines: [HeadVector] = [
        .accepts(HeadVector.head()),
        .accepts("\r\n" + HeadVector.head()),
        .accepts("\r\n\r\n\r\n\r\n" + HeadVector.head()),
        .refuses("\r\n\r\n\r\n\r\n\r\n" + HeadVector.head(), .requestLine),
        .refuses(" GET / HTTP/1.1\r\nHost: h\r\n\r\n", .method),
        .refuses("\tGET / HTTP/1.1\r\nHost: h\r\n\r\n", .method),
        .refuses("\u{0}GET / HTTP/1.1\r\nHost: h\r\n\r\n", .method),
        .refuses("\u{16}\u{3}\u{1}\u{2}\u{0}", .method),
        .refuses("GET  / HTTP/1.1\r\nHost: h\r\n\r\n", .target),
        .refuses("GET /  HTTP/1.1\r\nHost: h\r\n\r\n", .version),
        .refuses("GET / HTTP/1.1 \r\nHost: h\r\n\r\n", .version),
        .refuses("GET / x HTTP/1.1\r\nHost: h\r\n\r\n", .version),
        .refuses("GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", .method),
        .refuses("GET /\tHTTP/1.1\r\nHost: h\r\n\r\n", .target),
        .refuses("GET\u{B}/ HTTP/1.1\r\nHost: h\r\n\r\n", .method),
        .refuses("GET\r\nHost: h\r\n\r\n", .method),
        .refuses("GET \r\nHost: h\r\n\r\n", .requestLine),
        .refuses("GET /\r\nHost: h\r\n\r\n", .requestLine),
        .refuses("GET / \r\nHost: h\r\n\r\n", .version),
        .refuses("GET  HTTP/1.1\r\nHost: h\r\n\r\n", .target),
        .waits(""),
        .waits("\r\n"),
        .waits("\r\n\r"),
        .waits("GET"),
        .waits("GET / HTTP/1.1"),
        .waits("GET / HTTP/1.1\r\nHost: h\r\n"),
        .waits("GET / HTTP/1.1\r\nHost: h\r\n\r"),
    ]

    static let methods: [HeadVector] =
        RequestHead.Method.allCases.filter { $0 != .other && $0 != .connect }.map {
            .accepts(HeadVector.head("\($0.rawValue) / HTTP/1.1"), ReadHead(method: $0))
        }
        + ["get", "Get", "GETS", "GE", "FOO", "PROPFIND", "X", "!#$%&'*+-.^_`|~", "0", "M234567890123456"].map {
            .accepts(HeadVector.head("\($0) / HTTP/1.1"), ReadHead(method: .other))
        } + [
            .refuses("M2345678901234567 / HTTP/1.1\r\n", .methodTooLong),
            .refuses("M2345678901234567", .methodTooLong),
            .refuses("G@T / HTTP/1.1\r\n", .method),
            .refuses("GET: / HTTP/1.1\r\n", .method),
            .refuses("GET,POST / HTTP/1.1\r\n", .method),
            .refuses("G\u{C8}T / HTTP/1.1\r\n", .method),
            .refuses("<html>", .method),
        ]

    static let targets: [HeadVector] =
        [
            "/x?y", "//h/x", "/?video=http://s1.origin-cluster/v.m3u8", "/%", "/%zz", "/a/../b", "/!\"$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
            "/??", "/*",
        ].map { .accepts(HeadVector.head("GET \($0) HTTP/1.1"), ReadHead(target: $0)) }
        + [
            "*", "?x", "x", "admin", "h:80", "http:", "http:/", "http:/x", "ftp://h/", "httpx://h/", "://h/", "/a#b", "/#", "#",
            "http://g/a#b",
        ].map {
            .refuses(HeadVector.head("GET \($0) HTTP/1.1"), .target)
        }
        + [
            "http://", "http:///x", "http://?x", "http://u@g/", "http://u:p@g/", "http://g:99999/", "http://g..x/", "http://[::1/",
            "http://:80/",
        ].map {
            .refuses(HeadVector.head("GET \($0) HTTP/1.1"), .host)
        } + absoluteTargets + otherForms

    private static let absoluteTargets: [HeadVector] =
        [
            ("http://g/x?y", "g", "/x?y"), ("http://g", "g", ""), ("http://g?video=1", "g", "?video=1"), ("HTTP://G/", "G", "/"),
            ("hTTps://g:8443/x", "g:8443", "/x"), ("http://[::1]:80/x", "[::1]:80", "/x"), ("http://g:/", "g:", "/"),
            ("http://g//x", "g", "//x"),
        ].map { target, host, path in
            .accepts(HeadVector.head("GET \(target) HTTP/1.1"), ReadHead(target: path, form: .absolute, host: host))
        }
        + [
            .refuses(HeadVector.head("GET http://g/ HTTP/1.1", []), .host),
            .refuses(HeadVector.head("GET http://g/ HTTP/1.1", ["Host: g", "Host: g"]), .host),
            .refuses(HeadVector.head("GET http://g/ HTTP/1.1", ["Host: g/"]), .host),
            .accepts(
                HeadVector.head("GET http://g/ HTTP/1.0", []),
                ReadHead(target: "/", form: .absolute, host: "g", isHTTP10: true, closes: true)),
        ]

    private static let otherForms: [HeadVector] =
        [
            .accepts(HeadVector.head("OPTIONS * HTTP/1.1"), ReadHead(method: .options, target: "*", form: .asterisk)),
            .refuses(HeadVector.head("OPTIONS *x HTTP/1.1"), .target),
            .refuses(HeadVector.head("HEAD * HTTP/1.1"), .target),
            .accepts(
                HeadVector.head("CONNECT g:80 HTTP/1.1"),
                ReadHead(method: .connect, target: "g:80", form: .authority, host: "g:80", closes: true)),
            .accepts(
                HeadVector.head("CONNECT [::1]:443 HTTP/1.1"),
                ReadHead(method: .connect, target: "[::1]:443", form: .authority, host: "[::1]:443", closes: true)),
        ]
        + ["g", "g:", "/", "*", "http://g/", "u@g:80", "g:80/", ":80", "[::1]"].map {
            .refuses(HeadVector.head("CONNECT \($0) HTTP/1.1"), .target)
        }

    static let versions: [HeadVector] =
        ["HTTP/1.1", "HTTP/1.2", "HTTP/1.9"].map { .accepts(HeadVector.head("GET / \($0)")) }
        + [.accepts(HeadVector.head("GET / HTTP/1.0"), ReadHead(isHTTP10: true, closes: true))]
        + ["HTTP/2.0", "HTTP/0.9", "HTTP/3.1", "HTTP/9.9"].map { .refuses(HeadVector.head("GET / \($0)"), .unsupportedVersion) }
        + [.refuses("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .unsupportedVersion)]
        + [
            "http/1.1", "Http/1.1", "HTTPS/1.1", "HTTP/1", "HTTP/1.", "HTTP/.1", "HTTP/11", "HTTP/1.10", "HTTP/01.1", "HTTP/1,1",
            "HTTP/-1.1", "HTTP/1.1x",
            "HTTP/1.\u{B9}", "HTTP 1.1", "HTTP/1.1\t", "\u{B}HTTP/1.1", "1.1", "HTTP/x.1", String(repeating: "H", count: 70),
        ].map { .refuses(HeadVector.head("GET / \($0)"), .version) }
        + [.refuses("GET / " + String(repeating: "H", count: 70), .version)]
}
