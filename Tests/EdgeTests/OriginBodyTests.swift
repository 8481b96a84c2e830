import Testing

@testable import Edge

@Suite struct OriginBodyTests {
    private let url = "http://s1.origin-cluster/v.m3u8"

    @Test func `the three documented forms name the video`() {
        for text in [
            "{\"video\": \"\(url)\"}", "\"\(url)\"", "{ \"\(url)\"}", "{\"\(url)\"}", " \r\n\t{\t\"video\"\n:\"\(url)\" } \n",
            " \"\(url)\" ", "\n{ \"\(url)\" }\r\n",
        ] {
            #expect(video(text) == url, "\(text)")
        }
    }

    @Test func `escapes are read once in every form`() {
        for (text, expected) in [
            (#""http:\/\/a\u0020b\n""#, "http://a b\n"), (#"{"video":"\u0000\u001f\"\\"}"#, "\u{0}\u{1F}\"\\"),
            (#"{"\u00e4\ud83d\ude00"}"#, "\u{E4}\u{1F600}"),
            (#"{"\u0076ideo":"x"}"#, "x"), ("\"\u{E4}\"", "\u{E4}"), ("\"\"", ""), (#""%0a""#, "%0a"),
        ] { #expect(video(text) == expected, "\(text)") }
    }

    @Test(arguments: [
        "", " ", "null", "true", "1", "[]", "{}", "{ }", "[\"x\"]", "{\"video\":1}", "{\"video\":null}", "{\"video\":[\"x\"]}",
        "{\"video\":{\"video\":\"x\"}}", "{\"Video\":\"x\"}",
        "{\"video\":\"x\",\"avoid\":\"y\"}", "{\"url\":\"x\"}", "{", "}", "{\"", "{\"x", "{\"x\"", "\"x", "x", "http://s1.origin-cluster/v",
        "{\"a\" \"b\"}", "{\"a\",\"b\"}",
        "{1}", "{null}", "{{\"x\"}}", "{\"x\"}}", "[{\"video\":\"x\"}]", "\"x\" \"y\"", "{\"video\":\"x\"} x", "'x'", "{'video':'x'}",
        "{\"video\":\"\\x\"}", "\"\\ud800\"",
        "{video:\"x\"}", "{\"video\"=\"x\"}", "\u{0}", "video=x",
    ])
    func `everything else is none of the forms`(text: String) { #expect(video(text) == nil) }

    @Test func `what is not UTF-8 is refused`() {
        for bytes in [
            [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x7B, 0x22, 0xFE, 0x22, 0x7D], [0x80],
        ] as [[UInt8]] {
            #expect(throws: OriginBody.Fault.malformed, "\(bytes)") { try OriginBody.video(in: bytes) }
        }
    }

    @Test func `ten thousand levels are refused and do not crash`() {
        for (open, close) in [("[", "]"), ("{\"video\":", "}"), ("{", "}"), ("[{\"a\":", "}]")] {
            let text = String(repeating: open, count: 10_000) + "\"x\"" + String(repeating: close, count: 10_000)
            #expect(video(text) == nil, "\(open)")
            #expect(video(String(repeating: open, count: 10_000)) == nil, "\(open) unclosed")
        }
    }

    @Test func `arbitrary bytes never trap`() {
        var random = SplitMix64(for: "arbitrary bytes as bodies")
        let pieces: [[UInt8]] =
            ["{", "}", "\"", "video", ":", "\\", "u00", "[", "]", ",", " ", "\"x\"", "\u{0}", "null"].map { Array($0.utf8) } + [
                [0xFF], [0xEF, 0xBB, 0xBF],
            ]
        let read = (0..<3_000).count { _ in
            (try? OriginBody.video(in: (0..<random.number(0...9)).flatMap { _ in random.one(of: pieces) })) != nil
        }
        #expect((1..<1_000).contains(read), "\(read) of 3,000 name a video")
    }

    /// A reader of any JSON takes the first of two members, one comma too many, and UTF-16.
    @Test func `regression: two video members, a comma too many and other encodings than UTF-8 are refused`() {
        for text in ["{\"video\":\"x\",\"video\":\"y\"}", "{\"video\":\"x\",\"\\u0076ideo\":\"x\"}"] {
            #expect(throws: OriginBody.Fault.repeatedVideo, "\(text)") { try OriginBody.video(in: Array(text.utf8)) }
        }
        for text in ["{\"video\":\"x\",}", "{,\"video\":\"x\"}", "{\"x\",}", "{\"video\":\"x\"},"] {
            #expect(throws: OriginBody.Fault.malformed, "\(text)") { try OriginBody.video(in: Array(text.utf8)) }
        }
        let wide: [UInt8] = Array("{\"video\":\"x\"}".utf8.map { [$0, 0] }.joined())
        for bytes in [wide, [0xFF, 0xFE] + wide, [0] + wide.dropLast(), [0x22, 0, 0x78, 0, 0x22, 0]] as [[UInt8]] {
            #expect(throws: OriginBody.Fault.malformed, "\(bytes)") { try OriginBody.video(in: bytes) }
        }
    }

    @Test func `a byte order mark is passed over, once`() {
        #expect(video("\u{FEFF}{\"video\":\"x\"}") == "x")
        #expect(video("\u{FEFF}\u{FEFF}\"x\"") == nil)
    }

    @Test func `an unknown member is named when its name is short and plain`() throws {
        for (text, name) in [
            ("{\"video\":\"x\",\"avoid\":\"y\"}", "avoid"), ("{\"url\":1}", "url"), ("{\"a b\":1}", nil), ("{\"\\\"\":1}", nil),
            ("{\"\":1}", nil), ("{\"\(String(repeating: "a", count: 33))\":1}", nil), ("{\"\u{E4}\":{}}", nil),
        ] as [(String, String?)] {
            #expect(throws: OriginBody.Fault.unknownMember(name), "\(text)") { try OriginBody.video(in: Array(text.utf8)) }
        }
        var asker = try Asker()
        let answer = try asker.answer(
            "POST /origin HTTP/1.1", ["Content-Length: 27"], body: "{\"video\":\"x\",\"avoid\":\"y\"}")
        #expect(answer.status == 400 && answer.body.contains("member \\\"avoid\\\""), "\(answer.body)")
        #expect(answer.body.contains("\"reason\":\"bad-body\""))
    }

    private func video(_ text: String) -> String? {
        (try? OriginBody.video(in: Array(text.utf8))).map { String(decoding: $0, as: UTF8.self) }
    }
}
