import Foundation
import Testing

@testable import Steering

@Suite struct DocumentTests {
    @Test(arguments: [
        ("null", Document.null), ("true", .bool(true)), ("false", .bool(false)), ("0", .integer(0)), ("1", .integer(1)),
        ("-7", .integer(-7)),
        ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)), ("1.5", .number(1.5)), ("1e30", .number(1e30)),
        ("\"\"", .string("")), ("\"1\"", .string("1")), ("\"é\\u0000\"", .string("é\u{0}")), ("[]", .array([])), ("{}", .object([])),
        ("[1, [null]]", .array([.integer(1), .array([.null])])),
        ("{\"b\": 1, \"a\": {\"c\": []}}", .object([.init("a", .object([.init("c", .array([]))])), .init("b", .integer(1))])),
    ])
    func `each kind of JSON value is read as what it is`(json: String, document: Document) throws {
        #expect(try Document(json: json) == document)
    }

    @Test func `two readings of one text are equal, whatever order its keys have`() throws {
        let keys = (0..<50).map { "\"k\($0)\": \($0)" }
        let text = "{\(keys.joined(separator: ","))}"
        #expect(try Document(json: text) == Document(json: text))
        #expect(try Document(json: "{\(keys.reversed().joined(separator: ","))}") == Document(json: text))
    }

    @Test(arguments: ["", "{", "[1,]x", "nul", "\"a", "{\"a\":}"])
    func `malformed text is the decoder's error`(json: String) {
        #expect(throws: DecodingError.self) { try Document(json: json) }
    }

    @Test func `members are found by key`() throws {
        let document = try Document(json: #"{"a": {"b": 1}, "c": null}"#)
        #expect(document["a"]?["b"] == .integer(1))
        #expect(document["c"] == .null)
        #expect(document["d"] == nil)
        #expect(Document.array([.null])["a"] == nil)
    }

    @Test(arguments: [
        (Document.null, "null"), (.bool(true), "true"), (.integer(-1), "-1"), (.number(1.5), "1.5"), (.string("a"), "\"a\""),
        (.string(String(repeating: "é", count: 41)), "a string of 82 bytes"), (.array([.null]), "a list"), (.object([]), "an object"),
    ])
    func `a value is called by name in a fault`(document: Document, name: String) {
        #expect(document.kind == name)
    }
}
