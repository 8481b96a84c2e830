import Foundation
@testable import Steering
import Testing

@Suite struct DocumentPatchTests {
    private func document(_ json: String) throws -> Document { try JSONDecoder().decode(Document.self, from: Data(json.utf8)) }

    /// RFC 7396, appendix A, and cases of a catalog.
    @Test(arguments: [
        (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
        (#"{"a":"b"}"#, #"{"a":null}"#, "{}"), (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
        (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
        (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#), (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#),
        (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#), (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#), (#"{"a":"foo"}"#, "null", "null"),
        (#"{"a":"foo"}"#, #""bar""#, #""bar""#), (#"{"e":null}"#, #"{"a":1}"#, #"{"a":1,"e":null}"#),
        ("[1,2]", #"{"a":"b","c":null}"#, #"{"a":"b"}"#), ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
    ])
    func `a merge patch does what RFC 7396 says`(original: String, patch: String, result: String) throws {
        let merged = try document(original).merged(with: document(patch))
        #expect(try document(merged.json) == document(result))
    }

    @Test(
        arguments: [
            (#"{"a":1}"#, #"{"a":1}"#, []), (#"{"a":1}"#, #"{"a":2}"#, ["/a"]), (#"{"a":1}"#, "{}", ["/a"]), ("{}", #"{"a":1}"#, ["/a"]),
            (#"{"a":{"b":1,"c":2}}"#, #"{"a":{"b":3,"c":2}}"#, ["/a/b"]), (#"{"a/b":1}"#, #"{"a/b":2}"#, ["/a~1b"]),
            (#"{"l":[1,2]}"#, #"{"l":[2,1]}"#, ["/l"]),
            (
                #"{"c":[{"name":"x","w":1},{"name":"y","w":1}]}"#, #"{"c":[{"name":"y","w":2},{"name":"z","w":1}]}"#,
                ["/c/y/w", "/c/z", "/c/x"]
            ),
            (#"{"c":[{"name":"x"},{"name":"y"}]}"#, #"{"c":[{"name":"y"},{"name":"x"}]}"#, ["/c"]),
        ] as [(String, String, [String])])
    func `changes name what differs, elements of a list by their names`(old: String, new: String, pointers: [String]) throws {
        #expect(try document(new).changes(from: document(old)).map(\.pointer) == pointers)
    }

    @Test func `a change has what was and what is, and lacks what was not there`() throws {
        let changes = try document(#"{"a":2,"b":1}"#).changes(from: document(#"{"a":1,"c":3}"#))
        #expect(
            changes == [
                Change(pointer: "/a", from: .integer(1), to: .integer(2)), Change(pointer: "/b", from: nil, to: .integer(1)),
                Change(pointer: "/c", from: .integer(3), to: nil),
            ])
        #expect(
            changes.map(\.document.json) == [
                #"{"pointer":"/a","from":1,"to":2}"#, #"{"pointer":"/b","to":1}"#, #"{"pointer":"/c","from":3}"#,
            ])
    }
}
