@testable import Edge

extension [HeadVector] {
    static let lineEnds: [HeadVector] = [
        .refuses("\n" + HeadVector.head(), .lineEnd),
        .refuses("\r" + HeadVector.head(), .lineEnd),
        .refuses("\r\r\n" + HeadVector.head(), .lineEnd),
        .refuses("\r\n\n" + HeadVector.head(), .lineEnd),
        .refuses("GET /\nHost: h\r\n\r\n", .lineEnd),
        .refuses("GET / HTTP/1.1\nHost: h\r\n\r\n", .lineEnd),
        .refuses("GET / HTTP/1.1\rHost: h\r\n\r\n", .lineEnd),
        .refuses("GET / HTTP/1.1\r\r\nHost: h\r\n\r\n", .lineEnd),
        .refuses("GET /\rx HTTP/1.1\r\nHost: h\r\n\r\n", .lineEnd),
        .refuses("GET / HT\rTP/1.1\r\nHost: h\r\n\r\n", .lineEnd),
        .refuses("GET / HTTP/1.1\r\n\nHost: h\r\n\r\n", .lineEnd),
        .refuses("GET / HTTP/1.1\r\nHost: h\n\r\n", .lineEnd),
        .refuses("GET / HTTP/1.1\r\nHost: h\r\r\n\r\n", .lineEnd),
        .refuses("GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n", .lineEnd),
        .refuses("GET / HTTP/1.1\r\nHost: h\r\n\n", .lineEnd),
        .refuses("GET / HTTP/1.1\r\nHost: h\r\n\rX", .lineEnd),
        .refuses("GET / HTTP/1.1\r\nHost: h\r\nX: a\nb\r\n\r\n", .lineEnd),
        .refuses("GET / HTTP/1.1\r\nHost: h\r\nX: \r \r\n\r\n", .lineEnd),
        .refuses("GE\rT / HTTP/1.1\r\n", .method),
        .refuses("GE\nT / HTTP/1.1\r\n", .method),
        .refuses("GET / HTTP/1.1\r\nHo\rst: h\r\n\r\n", .fieldName),
        .refuses("GET / HTTP/1.1\r\nHo\nst: h\r\n\r\n", .fieldName),
    ]

    static let fields: [HeadVector] =
        [
            "X:y", "X:", "X: ", "X:\t", "X: \t y \t ", "X: a b\tc", "x: y", "X: :", "X: a: b", "X::y", "X: \u{80}\u{FF}\u{A0}\u{85}",
            "!#$%&'*+-.^_`|~09azAZ: y",
            "Upgrade: h2c", "Cookie: a=b; c=\"d\"", "X: \u{22}\\\u{22}", "Hostx: g", "Hos: g", "_Host: g",
        ].map { .accepts(HeadVector.head(adding: $0)) }
        + [
            "X : y", "X\t: y", ": y", ":", "X", "X y", "X y: z", "X=y", "\u{0}: y", "X\u{80}: y", "X\u{0}: y", "(X): y", "\"X\": y",
            "X\u{7F}: y", "X;: y", "X,Y: z",
        ].map { .refuses(HeadVector.head(adding: $0), .fieldName) }
        + [
            "X: \u{0}", "X: a\u{0}b", "X: \u{1}", "X: \u{8}", "X:\u{B}y", "X: y\u{C}", "X: \u{1B}[0m", "X: \u{1F}", "X: \u{7F}",
        ].map { .refuses(HeadVector.head(adding: $0), .fieldValue) }
        + [
            .refuses(HeadVector.head(fields: [" Host: h"]), .foldedField),
            .refuses(HeadVector.head(fields: ["\tHost: h"]), .foldedField),
            .refuses(HeadVector.head(fields: [" ", "Host: h"]), .foldedField),
            .refuses(HeadVector.head(fields: ["Host: h", " g"]), .foldedField),
            .refuses(HeadVector.head(fields: ["Host: h", "X: a", "\tb: c"]), .foldedField),
            .refuses(HeadVector.head(fields: ["Host: h", "X:", " y"]), .foldedField),
            .refuses(HeadVector.head(fields: ["Host: h", " "]), .foldedField),
        ]

    static let hosts: [HeadVector] =
        goodHosts.map { .accepts(HeadVector.head(fields: ["Host: \($0)"]), ReadHead(host: $0)) }
        + badHosts.map { .refuses(HeadVector.head(fields: ["Host: \($0)"]), .host) }
        + ["host:h", "HOST: h", "hOsT:\t h\t", "Host:h "].map { .accepts(HeadVector.head(fields: [$0])) }
        + [
            .refuses(HeadVector.head(fields: []), .host),
            .refuses(HeadVector.head(fields: ["X: y"]), .host),
            .refuses(HeadVector.head(fields: ["H\u{F6}st: h"]), .fieldName),
            .refuses(HeadVector.head(fields: ["Host: h", "Host: h"]), .host),
            .refuses(HeadVector.head(fields: ["Host: h", "X: y", "host: g"]), .host),
            .refuses(HeadVector.head(fields: ["Host: h", "Host:"]), .host),
            .refuses(HeadVector.head("GET / HTTP/1.2", []), .host),
            .accepts(HeadVector.head("GET / HTTP/1.0", []), ReadHead(host: "", isHTTP10: true, closes: true)),
            .accepts(HeadVector.head("GET / HTTP/1.0", ["Host: g"]), ReadHead(host: "g", isHTTP10: true, closes: true)),
            .refuses(HeadVector.head("GET / HTTP/1.0", ["Host: h", "Host: h"]), .host),
            .refuses(HeadVector.head("GET / HTTP/1.0", ["Host: a b"]), .host),
        ]

    private static let goodHosts = [
        "h", "h.", "a.b.c", "A.Example", "xn--bcher-kva.example", "h:80", "h:", "h:0", "h:65535", "h:00080", "1.2.3.4", "1.2.3.4:80",
        "256.1.1.1", "a_b", "-a-",
        "%41%2e", "a!$&'()*+;=~b", "[::]", "[::1]", "[::1]:80", "[::1]:", "[2001:DB8::1]", "[1::]", "[1::8]", "[1:2:3:4:5:6:7:8]",
        "[1:2:3:4:5:6:7::]",
        "[::2:3:4:5:6:7:8]", "[::ffff:1.2.3.4]", "[1:2:3:4:5:6:1.2.3.4]", "[::0.0.0.0]", "[v1.a]", "[vF0.a:b!$~]", "[V1.x]:1",
    ]

    private static let badHosts = [
        "", ":", ":80", "a b", "a\tb", "a/b", "a?b", "a#b", "u@h", "u:p@h", "@", "http://h", "h:65536", "h:000080", "h:999999", "h:8a",
        "h:-1", "h:+1", "h: 80", "h:80:80",
        ".", "..", ".h", "a..b", "h..", "%", "%4", "%zz", "a%", "a\\b", "<h>", "a\"b", "a|b", "a^b", "a`b", "{h}", "h\u{80}", "\u{A0}h",
        "h\u{A0}", "[]", "[", "]", "[::1", "::1", "::1]",
        "[::1]x", "[::1]x:80", "[::1]80", "[::1]:8a", "x[::1]", "[:]", "[:::]", "[:1:2::]", "[1:]", "[1]", "[1:2]", "[1::2::3]", "[::1::]",
        "[1:2:3:4:5:6:7:8:9]",
        "[1:2:3:4:5:6:7:8::]", "[1:2:3:4:5:6:7:]", "[12345::]", "[g::]", "[::1%25lo]", "[::1%lo]", "[1.2.3.4]", "[::256.1.1.1]",
        "[::1.2.3]", "[::1.2.3.4.5]", "[::01.2.3.4]",
        "[::1.2.3.]", "[::1.2.3.4:5]", "[1:2:3:4:5:6:7:1.2.3.4]", "[v.x]", "[v1.]", "[v1]", "[v]", "[vg.x]", "[v1.a/b]", "[v1.[]]",
    ]
}
