@testable import Edge

extension [HeadVector] {
    static let framings: [HeadVector] =
        [("0", 0), ("000", 0), ("5", 5), ("005", 5), ("  5 ", 5), ("65536", 65536), ("999999999999999999", 999_999_999_999_999_999)].map {
            value, length in
            .accepts(
                HeadVector.head(adding: "Content-Length:\(value)"), ReadHead(closes: length > 0, body: length > 0 ? .length(length) : .none)
            )
        }
        + [
            "", "+5", "-5", "-0", "0x5", "5x", "5,5", "5, 5", "5 5", "1_0", "5;", "5.0", "1e3", "\u{B2}", "1000000000000000000",
            "9223372036854775808", "18446744073709551616",
            String(repeating: "0", count: 19),
        ].map { .refuses(HeadVector.head(adding: "Content-Length: \($0)"), .framing) }
        + ["chunked", "Chunked", "CHUNKED", "  chunked "].map {
            .accepts(HeadVector.head(adding: "Transfer-Encoding:\($0)"), ReadHead(closes: true, body: .chunked))
        }
        + ["gzip", "identity", "xchunked", "chunkedx", "br"].map {
            .refuses(HeadVector.head(adding: "Transfer-Encoding: \($0)"), .transferCoding)
        }
        + [
            "", "gzip, chunked", "chunked, gzip", "chunked, chunked", "chunked,", ",chunked", "chunked;x=1", "\"chunked\"", "chunked\u{A0}",
            "chun ked", "chunked\tx",
        ].map { .refuses(HeadVector.head(adding: "Transfer-Encoding: \($0)"), .framing) }
        + [
            ["Content-Length: 5", "Content-Length: 5"], ["Content-Length: 0", "Content-Length: 0"],
            ["Content-Length: 5", "content-length: 6"],
            ["Content-Length: 5", "Content-Length:"], ["Transfer-Encoding: chunked", "Content-Length: 5"],
            ["Content-Length: 5", "Transfer-Encoding: chunked"],
            ["Content-Length: 0", "Transfer-Encoding: chunked"], ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
            ["Transfer-Encoding: gzip", "Transfer-Encoding: chunked"],
            ["Transfer-Encoding: chunked", "X: y", "transfer-encoding: identity"],
        ].map { .refuses(HeadVector.head(fields: ["Host: h"] + $0), .framing) }
        + [
            "Content_Length: 5", "Transfer_Encoding: chunked", "Content-Lengt: 5", "X-Transfer-Encoding: chunked", "TE: chunked",
            "Trailer: X",
        ].map {
            .accepts(HeadVector.head(adding: $0))
        }
        + [
            .refuses(HeadVector.head(adding: "Transfer-Encoding : chunked"), .fieldName),
            .refuses(HeadVector.head(adding: "Transfer-Encoding:\u{B}chunked"), .fieldValue),
            .refuses(HeadVector.head("POST / HTTP/1.0", ["Host: h", "Transfer-Encoding: chunked"]), .framing),
            .accepts(
                HeadVector.head("POST / HTTP/1.0", ["Host: h", "Content-Length: 5"]),
                ReadHead(method: .post, isHTTP10: true, closes: true, body: .length(5))),
            .accepts(
                HeadVector.head("POST / HTTP/1.0", ["Host: h", "Connection: keep-alive", "Content-Length: 5"]),
                ReadHead(method: .post, isHTTP10: true, closes: true, body: .length(5))),
        ]

    static let connections: [HeadVector] =
        [
            "close", "Close", "CLOSE", "\tclose ", "keep-alive, close", "close, keep-alive", "x,close", ",close,", " , ,close",
            "close,close", "upgrade, close",
        ].map {
            .accepts(HeadVector.head(adding: "Connection: \($0)"), ReadHead(closes: true))
        }
        + [
            "", ",", "keep-alive", "foo-close", "close-foo", "closed", "clos", "clo se", "close x", "\"close\"", "close;x", "close\u{A0}",
            "x\u{80}close",
        ].map {
            .accepts(HeadVector.head(adding: "Connection: \($0)"))
        }
        + [
            .accepts(HeadVector.head(fields: ["Host: h", "Connection: keep-alive", "X: y", "connection: close"]), ReadHead(closes: true)),
            .accepts(HeadVector.head(fields: ["Connection: close", "Connection: keep-alive", "Host: h"]), ReadHead(closes: true)),
            .accepts(HeadVector.head(adding: "Proxy-Connection: close")),
        ]
        + ["keep-alive", "Keep-Alive", "x, keep-alive", "keep-alive,"].map {
            .accepts(HeadVector.head("GET / HTTP/1.0", ["Host: h", "Connection: \($0)"]), ReadHead(isHTTP10: true))
        }
        + ["", "close", "close, keep-alive", "keep-alive, close", "keep-alives", "x"].map {
            .accepts(HeadVector.head("GET / HTTP/1.0", ["Host: h", "Connection: \($0)"]), ReadHead(isHTTP10: true, closes: true))
        }

    static let expectations: [HeadVector] =
        ["100-continue", "100-Continue", " 100-CONTINUE\t"].map {
            .accepts(HeadVector.head(adding: "Expect: \($0)"), ReadHead(expectsContinue: true))
        }
        + ["", "100", "100-continue, x", "200-ok", "100-continue;x", "\"100-continue\"", "continue"].map {
            .refuses(HeadVector.head(adding: "Expect: \($0)"), .expectation)
        }
        + [
            .refuses(HeadVector.head(fields: ["Host: h", "Expect: x", "Expect: 100-continue"]), .expectation),
            .accepts(
                HeadVector.head(fields: ["Host: h", "Content-Length: 5", "Expect: 100-continue"]),
                ReadHead(closes: true, body: .length(5), expectsContinue: true)),
        ]
        + ["100-continue", "x", ""].map {
            .accepts(HeadVector.head("GET / HTTP/1.0", ["Host: h", "Expect: \($0)"]), ReadHead(isHTTP10: true, closes: true))
        }

    static let accepts: [HeadVector] =
        [
            "application/json", "APPLICATION/Json", "text/html, application/json", "application/json,text/html", "application/json;q=0.5",
            "application/json;q=1",
            "application/json;q=0.001", "application/json; charset=utf-8", "application/json;charset=utf-8;q=0.1", ", application/json ,",
            "text/html;q=0, application/json",
            "application/json, text/html;q=0", "application/json ;q=0.9", "\tapplication/json\t",
        ].map { .accepts(HeadVector.head(adding: "Accept: \($0)"), ReadHead(wantsJSON: true)) }
        + [
            "", ",", ";", "*/*", "application/*", "text/html", "text/json", "application/jsonp", "application/json+x",
            "application/problem+json", "xapplication/json",
            "application /json", "\"application/json\"", "text/html;x=application/json", "application/json;q=0", "application/json; q=0",
            "application/json ; q=0",
            "application/json;Q=0", "application/json;q=0.", "application/json;q=0.0", "application/json;q=0.000",
            "text/html, application/json;q=0",
            "application/json;q=0, text/html",
        ].map { .accepts(HeadVector.head(adding: "Accept: \($0)")) }
        + [
            .accepts(HeadVector.head(fields: ["Accept: text/html", "Host: h", "accept: application/json"]), ReadHead(wantsJSON: true)),
            .accepts(HeadVector.head(fields: ["Accept: application/json", "Host: h", "Accept: */*"]), ReadHead(wantsJSON: true)),
            .accepts(HeadVector.head(adding: "Accept-Encoding: application/json")),
        ]
}
