import Testing

@testable import Steering

@Suite struct QueryTests {
    @Test(arguments: [
        ("", nil, nil),
        ("video=a", "a", nil),
        ("video=", "", nil),
        ("avoid=", nil, ""),
        ("video=a&avoid=b", "a", "b"),
        ("avoid=b&video=a", "a", "b"),
        ("x=1&video=a&y=2", "a", nil),
        ("&&video=a&&", "a", nil),
        ("video=http://h/?b=c&d=e", "http://h/?b=c", nil),
        ("video=http://h/?b=c%26d=e", "http://h/?b=c%26d=e", nil),
        ("video=a=b=c", "a=b=c", nil),
        ("video=a;avoid=b", "a;avoid=b", nil),
        ("video=http://h/?video=x", "http://h/?video=x", nil),
        ("video=+a b\u{0}", "+a b\u{0}", nil),
        ("video", nil, nil),
        ("video&video=a", "a", nil),
        ("xvideo=a", nil, nil),
        ("videos=a", nil, nil),
        ("Video=a", nil, nil),
        ("%76ideo=a", nil, nil),
        ("video%3Da", nil, nil),
        (" video=a", nil, nil),
        ("?video=a", nil, nil),
    ])
    func `parameters are found by name and given as they stand`(text: String, video: String?, avoid: String?) throws {
        let found = try read(text)
        #expect(found.video == video)
        #expect(found.avoid == avoid)
    }

    @Test(arguments: ["video=a&video=b", "video=a&video=a", "video=&video=", "video=a&x=1&video=b&avoid=c", "&video=&&video=a"])
    func `two video parameters are refused`(text: String) {
        #expect(throws: Refusal.repeatedVideo) { try read(text) }
    }

    @Test(arguments: ["avoid=a&avoid=b", "avoid=&video=a&avoid="])
    func `two avoid parameters are refused`(text: String) {
        #expect(throws: Refusal.repeatedAvoid) { try read(text) }
    }

    @Test(arguments: [
        ("redirect=false", true), ("video=a&redirect=false", true), ("redirect=false&video=a&redirect=true", true), ("redirect", false),
        ("redirect=", false), ("redirect=False", false), ("redirect=false1", false), ("redirect=0", false), ("Redirect=false", false),
        ("video=redirect=false", false), ("xredirect=false", false), ("redirect%3Dfalse", false),
    ])
    func `a document is asked for by one spelling`(text: String, wantsDocument: Bool) throws {
        let bytes = Array("redirect=false&\(text)".utf8)
        #expect(try Query(bytes.span, 15..<bytes.count).wantsDocument == wantsDocument)
    }

    @Test func `bytes outside the range are not read`() throws {
        let text = Array("video=a&video=bcd&video=e".utf8)
        let query = try Query(text.span, 8..<15)
        #expect(query.video == 14..<15)
        #expect(query.avoid == nil)
        #expect(try Query(text.span, 8..<13).video == nil)
        #expect(try Query(text.span, 8..<14).video == 14..<14)
    }

    private func read(_ text: String) throws(Refusal) -> (video: String?, avoid: String?) {
        let bytes = Array(text.utf8)
        let query = try Query(bytes.span, 0..<bytes.count)
        return (
            query.video.map { String(decoding: bytes[$0], as: UTF8.self) }, query.avoid.map { String(decoding: bytes[$0], as: UTF8.self) }
        )
    }
}
