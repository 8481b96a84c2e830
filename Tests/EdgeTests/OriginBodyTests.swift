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
            #expect(OriginBody.video(in: bytes) == nil, "\(bytes)")
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
        for _ in 0..<3_000 { _ = OriginBody.video(in: (0..<random.number(0...9)).flatMap { _ in random.one(of: pieces) }) }
    }

    private func video(_ text: String) -> String? { OriginBody.video(in: Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) } }
}
