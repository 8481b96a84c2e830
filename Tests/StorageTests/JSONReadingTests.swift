import Steering
import Storage
import Testing

@Suite struct JSONReadingTests {
    @Test func `a document is read from JSON bytes`() throws {
        let text = #"{"b":[1,2.5,true,null,"\u00e9\n"],"a":{}}"#
        #expect(
            try Document(json: Array(text.utf8))
                == .object([
                    .init("a", .object([])), .init("b", .array([.integer(1), .number(2.5), .bool(true), .null, .string("é\n")])),
                ]))
    }

    @Test func `a catalog written as text is read back equal`() throws {
        let catalog = try Sample.catalog(3, cdns: 50)
        #expect(try Catalog(Document(json: Array(catalog.document.json.utf8))) == catalog)
        #expect(try Catalog(Document(json: Array(catalog.document.prettyJSON.utf8))) == catalog)
    }

    @Test(arguments: [
        ("{\n  \"a\": 1,\n  \"b\" 2\n}", "Invalid value around line 3, column 7"), ("[\"ü🎬\" x]", "Invalid value around line 1, column 7"),
        ("{\"a\":1}\n\nx", "Invalid value around line 3, column 1"), ("[1,", "Unexpected end of file during JSON parse."),
        ("[1e999]", "Number 1e999 is not representable in Swift."),
    ])
    func `an error tells what was met, and line and column`(_ text: String, _ reason: String) {
        let error = #expect(throws: JSONSyntaxError.self) { try Document(json: Array(text.utf8)) }
        #expect(error?.description == "not valid JSON: \(reason)")
    }

    @Test(arguments: ["", " \n\t", "{", "[1,", "{\"a\":1}x", "nul", "\"\\x\"", "{'a':1}", "\u{1}", "[1,2", "\"\\ud800\""])
    func `what is no JSON is an error in one line`(_ text: String) {
        let error = #expect(throws: JSONSyntaxError.self) { try Document(json: Array(text.utf8)) }
        #expect(error?.description.contains("\n") == false)
    }

    @Test func `bytes that are no UTF-8 are an error`() {
        #expect(throws: JSONSyntaxError.self) { try Document(json: [0x22, 0xFF, 0xFE, 0x22]) }
    }

    @Test func `too deep a nesting is an error and no overflow of the stack`() async throws {
        for depth in [100, 511, 512, 513, 100_000] {
            let bytes = [UInt8](repeating: UInt8(ascii: "["), count: depth) + [UInt8](repeating: UInt8(ascii: "]"), count: depth)
            let read = await Task.detached { Result { try Document(json: bytes) } }.value
            if depth > 513 { #expect(throws: JSONSyntaxError.self) { try read.get() } }
        }
    }

    @Test func `too long a text is refused before it is parsed`() {
        let error = #expect(throws: JSONSyntaxError.self) { try Document(json: [UInt8](repeating: 0x20, count: Document.longestText + 1)) }
        #expect(error?.description == "the text has 16777217 bytes; at most 16777216 are read")
    }

    @Test func `random bytes never crash the reader`() {
        var generator = SeededGenerator(seed: 1)
        let alphabet = Array("{}[]\",:\\u0129eE+-. ntf\n\u{e9}".utf8)
        for _ in 0..<3000 {
            let bytes = (0..<Int.random(in: 1...40, using: &generator)).map { _ in alphabet.randomElement(using: &generator)! }
            _ = try? Document(json: bytes)
        }
    }
}
