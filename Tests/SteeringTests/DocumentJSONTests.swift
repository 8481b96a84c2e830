import Foundation
import Testing

@testable import Steering

@Suite struct DocumentJSONTests {
    private let sample = Document.object([
        .init("b", .array([.integer(1), .bool(false), .null, .array([]), .object([])])),
        .init("a", .object([.init("\"\\", .number(0.5))])),
    ])

    @Test func `one line keeps the order of members and has no spaces`() {
        #expect(sample.json == #"{"b":[1,false,null,[],{}],"a":{"\"\\":0.5}}"#)
    }

    @Test func `the form for people is indented by two`() {
        #expect(
            sample.prettyJSON == """
                {
                  "b": [
                    1,
                    false,
                    null,
                    [],
                    {}
                  ],
                  "a": {
                    "\\"\\\\": 0.5
                  }
                }

                """)
        #expect(Document.null.prettyJSON == "null\n")
    }

    @Test(arguments: [
        ("", #""""#), ("a\"b\\c/d", #""a\"b\\c/d""#), ("\n\r\t", #""\n\r\t""#), ("\u{0}\u{1F}\u{8}\u{C}", #""\u0000\u001f\u0008\u000c""#),
        ("\u{7F}\u{80}\u{9F}\u{A0}", "\"\\u007f\\u0080\\u009f\u{A0}\""), ("é🎬", "\"é🎬\""), ("\r\n", #""\r\n""#),
        ("a\u{301}", "\"a\u{301}\""),
        ("\"\u{301}", "\"\\\"\u{301}\""), ("<script>&'", "\"<script>&'\""),
    ])
    func `a string is escaped where JSON or a log line asks for it`(text: String, json: String) throws {
        #expect(Array(Document.string(text).json.utf8) == Array(json.utf8))
        #expect(try JSONDecoder().decode(String.self, from: Data(json.utf8)) == text)
    }

    @Test(arguments: [
        (Document.number(0.1), "0.1"), (.number(-2.5e-7), "-2.5e-07"), (.number(.infinity), "null"), (.number(-.infinity), "null"),
        (.number(.nan), "null"), (.integer(.min), "-9223372036854775808"), (.integer(.max), "9223372036854775807"),
    ])
    func `a number is written as JSON has it`(document: Document, json: String) {
        #expect(document.json == json)
    }

    @Test func `every scalar goes through JSON and back, alone and as a key`() throws {
        for range in [0...0x2FF, 0x2000...0x206F, 0xFFF0...0x1000F] {
            for scalar in range.compactMap({ Unicode.Scalar(UInt32($0)) }) {
                let document = Document.object([.init(String(scalar), .string("x\(scalar)"))])
                let back = try Document(json: document.json)
                if back != document { Issue.record("U+\(String(scalar.value, radix: 16)) came back as \(back)") }
            }
        }
    }

    @Test func `random documents go through JSON and back, and have the same bytes each time`() throws {
        var random = SplitMix64(for: "documents through JSON")
        for round in 0..<3000 {
            let document = tree(&random, depth: 4)
            let json = document.json
            guard try Document(json: json) == document, try Document(json: document.prettyJSON) == document else {
                Issue.record("round \(round): \(json)")
                continue
            }
            if try Document(json: json).json != json { Issue.record("round \(round): other bytes the second time: \(json)") }
        }
    }

    private func tree(_ random: inout SplitMix64, depth: Int) -> Document {
        switch random.below(depth > 0 ? 8 : 6) {
        case 0: return .null
        case 1: return .bool(random.chance(50))
        case 2: return .integer(Int(truncatingIfNeeded: random.next() >> UInt64(random.below(64))))
        case 3: return .number(Double(random.number(-1_000_000...1_000_000)) + random.one(of: [0.5, 0.1, 1e-9]))
        case 4, 5: return .string(text(&random))
        case 6: return .array((0..<random.below(5)).map { _ in tree(&random, depth: depth - 1) })
        default:
            let keys = Set((0..<random.below(5)).map { _ in text(&random) }).sorted()
            return .object(keys.map { .init($0, tree(&random, depth: depth - 1)) })
        }
    }

    private func text(_ random: inout SplitMix64) -> String {
        (0..<random.below(6)).map { _ in
            random.one(of: ["a", "B", "\"", "\\", "/", "\n", "\u{0}", "\u{1B}", "\u{85}", "é", "🎬", "\u{2028}"])
        }.joined()
    }
}
