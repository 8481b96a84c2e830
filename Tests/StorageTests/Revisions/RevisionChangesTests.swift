import Steering
import Testing

@testable import Storage

@Suite struct RevisionChangesTests {
    private func object(_ count: Int, _ value: (Int) -> Document) -> Document {
        .object((0..<count).map { Document.Member("k\($0)", value($0)) })
    }

    @Test func `of many changes the first are shown and all are counted`() {
        let changes = RevisionChanges(from: object(500) { .integer($0) }, to: object(500) { .integer($0 + 1) })
        #expect(changes.count == 500 && changes.shown.count == RevisionChanges.maximum)
        #expect(changes.shown[99] == .object([.init("pointer", .string("/k99")), .init("from", .integer(99)), .init("to", .integer(100))]))
    }

    @Test func `long values are told about, not shown`() {
        let long = Document.array((0..<5000).map(Document.integer))
        let changes = RevisionChanges(
            from: .object([.init("a", long), .init("b", .string("x"))]), to: .object([.init("a", .array([])), .init("b", .string("y"))]))
        #expect(changes.count == 2)
        #expect(
            changes.shown[0]
                == .object([
                    .init("pointer", .string("/a")), .init("from", .string("a list of 5000 values")), .init("to", .array([])),
                    .init("shortened", .bool(true)),
                ]))
        #expect(changes.shown[1]["shortened"] == nil)
    }

    @Test func `what is shown has a bound, whatever was changed`() {
        let changes = RevisionChanges(
            from: object(100) { _ in .null }, to: object(100) { .string(String(repeating: "\u{7F}", count: 300) + "\($0)") })
        #expect(changes.count == 100 && changes.shown.count < 100)
        #expect(changes.text.utf8.count <= RevisionChanges.maximumBytes + 200)
    }

    @Test func `what is kept is read back`() throws {
        let changes = RevisionChanges(from: object(3) { .integer($0) }, to: object(2) { _ in .string("für 🎬") })
        #expect(RevisionChanges(count: Int64(changes.count), text: changes.text) == changes)
        for (count, text) in [(2, changes.text), (-1, "[]"), (0, "{}"), (0, "")] as [(Int64, String)] {
            #expect(RevisionChanges(count: count, text: text) == nil)
        }
    }
}
