import Steering
import Storage
import Testing

struct DuplicateKeysTests {
    @Test(arguments: [
        (#"{"a":1,"a":2}"#, "/a", "line 1, column 8"), (#"{"a":{"b":[0,{"c":1,"d":2,"c":3}]}}"#, "/a/b/1/c", "line 1, column 27"),
        ("{\"a\":1,\n \"\\u0061\":2}", "/a", "line 2, column 2"), (#"{"x/y":1,"x/y":2}"#, "/x~1y", "line 1, column 10"),
        (#"[{},{"a":"{\"a\":1}","a":2}]"#, "/1/a", "line 1, column 22"),
    ])
    func `a name that stands twice in one object is refused with pointer and place`(text: String, pointer: String, place: String) {
        let error = #expect(throws: JSONSyntaxError.self) { _ = try Document(foreign: Array(text.utf8)) }
        #expect(error?.description == "two values for \(pointer) (the second at \(place)); keep one")
    }

    @Test(arguments: [#"{"a":{"a":1},"b":{"a":1}}"#, #"[{"a":1},{"a":2}]"#, #"{"a":"a","b":"\"a\":"}"#, "[]", "\"a\"", "{}"])
    func `the same name in different objects is fine`(text: String) throws {
        #expect(try Document(foreign: Array(text.utf8)) == Document(json: Array(text.utf8)))
    }

    @Test func `a byte order mark is passed over`() throws {
        #expect(try Document(foreign: Array("\u{FEFF}{\"a\":1}".utf8)) == .object([.init("a", .integer(1))]))
    }
}
