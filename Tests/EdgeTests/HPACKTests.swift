import Steering
import Testing

@testable import Edge

/// Header blocks (RFC 7541).
@Suite struct HPACKTests {
    private static func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex.filter { !$0.isWhitespace })
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0...$0 + 1]), radix: 16) ?? 0 }
    }

    /// A request's head as it stands behind its pseudo-header fields.
    private static func read(_ block: [UInt8], _ decoder: inout HPACKDecoder) throws -> (RequestHead, HTTP2Head) {
        var head = HTTP2Head()
        head.begin(Limits(), isTrailer: false)
        try decoder.decode(block.span, into: &head)
        let finished = head.finish(hasBody: false)
        let request = try #require(finished)
        return (request, head)
    }

    private static func part(_ head: HTTP2Head, _ range: Range<Int>) -> String { head.text[range].latin1 }

    /// RFC 7541 Appendix C.3 and C.4: three requests of a connection, plain and in Huffman's code.
    @Test(arguments: [
        [
            "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", "8286 84be 5808 6e6f 2d63 6163 6865",
            "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
        ],
        [
            "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", "8286 84be 5886 a8eb 1064 9cbf",
            "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
        ],
    ])
    func `the standard's own examples are read`(blocks: [String]) throws {
        var decoder = HPACKDecoder()
        let expected = [
            ("/", "host: www.example.com\r\n"), ("/", "host: www.example.com\r\ncache-control: no-cache\r\n"),
            ("/index.html", "host: www.example.com\r\ncustom-key: custom-value\r\n"),
        ]
        for (block, (path, fields)) in zip(blocks, expected) {
            let (request, head) = try Self.read(Self.bytes(block), &decoder)
            #expect(request.method == .get)
            #expect(Self.part(head, request.target.range) == path)
            #expect(Self.part(head, request.fields.range) == fields)
            #expect(Self.part(head, request.host.range) == "www.example.com")
        }
    }

    @Test func `every byte is read from Huffman's code`() throws {
        // All 256 symbols in order, as another implementation (PyPI hpack 4.1) writes them; in the pieces that a string may have.
        for (hex, first) in Self.alphabets {
            var text: [UInt8] = []
            let code = Self.bytes(hex)
            #expect(HPACKHuffman.code.decode(code.span, 0..<code.count, to: &text))
            #expect(text == (0..<64).map { UInt8(first + $0) })
        }
    }

    @Test(arguments: ["ff", "fe", "1c64 ff ff", "ffff ffff", "ffff fffc 18", "00 00"])
    func `code with an end inside, or with other padding than few ones, is none`(hex: String) throws {
        var text: [UInt8] = []
        let code = Self.bytes(hex)
        let isRead = HPACKHuffman.code.decode(code.span, 0..<code.count, to: &text)
        // Eight ones alone are padding that is too long.
        #expect(!isRead, "\(hex) was read as \(shown(text))")
    }

    @Test(arguments: [
        "80", "c0 80", "be", "ff ff ff ff ff ff", "7f ff ff ff ff 0f", "00 05 61", "00", "40 81", "00 81 ff 00", "82 20", "3f e2 1f", "0f",
    ])
    func `a block that is no HPACK ends the connection`(hex: String) {
        var decoder = HPACKDecoder()
        var head = HTTP2Head()
        head.begin(Limits(), isTrailer: false)
        #expect(throws: HTTP2Refusal.compression) { try decoder.decode(Self.bytes(hex).span, into: &head) }
    }

    @Test func `the table keeps what fits, the last first, for as long as a connection lives`() throws {
        var decoder = HPACKDecoder()
        let request: [UInt8] = [0x82, 0x87, 0x84, 0x41, 0x01, UInt8(ascii: "b")]
        _ = try Self.read(request, &decoder)
        for round in 0..<2000 {
            // 40 to 103 bytes each, so that the ring's end comes everywhere.
            let value = String(repeating: "v", count: round % 64) + "\(round)"
            let field: [UInt8] = [0x40, 0x03] + Array("x-a".utf8) + [UInt8(value.utf8.count)] + Array(value.utf8)
            var (read, head) = try Self.read([0x82, 0x87, 0x84, 0x01, 0x01, 0x62] + field, &decoder)
            #expect(Self.part(head, read.fields.range) == "host: b\r\nx-a: \(value)\r\n")
            (read, head) = try Self.read([0x82, 0x87, 0x84, 0x01, 0x01, 0x62, 0xBE], &decoder)
            #expect(Self.part(head, read.fields.range) == "host: b\r\nx-a: \(value)\r\n")
        }
    }

    @Test func `a smaller table forgets the oldest, and an empty one all`() throws {
        var decoder = HPACKDecoder()
        let first = [0x82, 0x87, 0x84, 0x41, 0x01, 0x62] as [UInt8] + [0x40, 0x01, 0x61, 0x01, 0x31, 0x40, 0x01, 0x61, 0x01, 0x32]
        _ = try Self.read(first, &decoder)
        // 34 bytes: one of the last fields.
        let (request, head) = try Self.read([0x3F, 0x03, 0x82, 0x87, 0x84, 0x01, 0x01, 0x62, 0xBE], &decoder)
        #expect(Self.part(head, request.fields.range) == "host: b\r\na: 2\r\n")
        #expect(throws: HTTP2Refusal.compression) { try Self.read([0x82, 0x87, 0x84, 0x01, 0x01, 0x62, 0xBF], &decoder) }
        #expect(throws: HTTP2Refusal.compression) { try Self.read([0x20, 0x82, 0x87, 0x84, 0x01, 0x01, 0x62, 0xBE], &decoder) }
    }

    @Test func `a block that unpacks to many times what may be asked ends the connection`() throws {
        var decoder = HPACKDecoder()
        let value = [UInt8](repeating: 0x61, count: 4000)
        let long: [UInt8] = [0x40, 0x01, 0x78, 0x7F] + [UInt8((4000 - 127) & 127) | 128, UInt8((4000 - 127) >> 7)] + value
        _ = try Self.read([0x82, 0x87, 0x84, 0x01, 0x01, 0x62] + long, &decoder)
        var head = HTTP2Head()
        head.begin(Limits(), isTrailer: false)
        let bomb = [0x82, 0x87, 0x84, 0x01, 0x01, 0x62] + [UInt8](repeating: 0xBE, count: 16_000)
        #expect(throws: HTTP2Refusal.headerBomb) { try decoder.decode(bomb.span, into: &head) }
        #expect(head.text.count < 256 * 1024)
    }

    @Test func `an answer is packed as the standard's table and plain text`() throws {
        var writer = HTTP2Writer()
        let answer = Array(
            "HTTP/1.1 302 Found\r\nDate: d\r\nTiming-Allow-Origin: *\r\nConnection: close\r\nLocation: /l\r\nContent-Length: 2\r\n\r\nab"
                .utf8)
        for isFirst in [true, false, false] {
            let start = writer.pack(answer.span, isFirst: isFirst)
            #expect(answer[start...].latin1 == "ab")
            #expect((writer.block.first == 0x20) == isFirst)
            let fields = try HTTP2Client.fields(in: writer.block)
            let expected = [(":status", "302"), ("date", "d"), ("timing-allow-origin", "*"), ("location", "/l"), ("content-length", "2")]
            #expect(fields.elementsEqual(expected) { $0 == $1 })
        }
    }
}

extension HPACKTests {
    /// Symbols in code, 64 each, and the first of them.
    private static let alphabets = [
        (
            "ffc7fffd8fffffe2fffffe3fffffe4fffffe5fffffe6fffffe7fffffe8ffffeafffffff3fffffa7fffffabffffffdfffffebfffffecfff"
                + "ffedfffffeefffffefffffff0ffffff1ffffff2fffffffbfffffcffffffd3fffffd7fffffdbfffffdffffffe3fffffe7fffffebfffffed"
                + "4fe3f9ffaffcabf1febfafefe7fdfd2cbb00089969b71d79fb9f7fff20ffbff3",
            0
        ),
        (
            "ffd4376f5fc187163c997367d1a756bd9b776fe1c797e73fdffdffff0ffe7ff917ffd1c6490b2cd39ba75a29a8f5f6b109b7bf8f3ebdff"
                + "feff9ffefff7ffffff3f",
            64
        ),
        (
            "fffe6ffff4bfff9ffffa3fffd3ffff53fffd5ffffb3fffeb7fffdaffffb7ffff73fffeeffffdeffffebffffbfffffd9ffffdbfffebffff"
                + "e0ffffeeffffc3ffff8bffff1ffffe4fffee7fffb1ffff97fffd9ffffcdffff9fffffbffffdafffeeffff4ffffb7fffee7fffe8ffffd3f"
                + "ffdeffffd5fffeeffffbdffffe1fffdfffff7fffff5ffffecffff07fff87fffe0ffff17fffedffff87ffff77fffeffffeaffff8bfffe3f"
                + "fff93ffff87fffcbffff37ffff1f",
            128
        ),
        (
            "fffff83ffffe1fffebfffe3ffff3fffff2ffffa3ffffd9fffff17ffffc7fffff27ffffdefffffbffffff2fffff8fffffb7fff97fff8fff"
                + "ffe6fffffc1fffff87ffffe7fffffc5ffffe5fffe4ffff2fffffd1fffff4ffffffefffffe3fffffc9fffff97fffb3ffffcffffb7fffcdf"
                + "fff4ffff9ffffd1ffffcffffeaffffafffffddffffeffffff4fffff5fffffabffffa7ffffd7fffff9bffffecfffffb7fffff3fffffe8ff"
                + "fffd3fffffabfffff5fffffff7ffffecfffffdbfffffbbfffff7ffffff0fffffbb",
            192
        ),
    ]
}
