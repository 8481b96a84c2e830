public import Steering

/// What a revision changed, as much of it as is kept and shown: found out once, when the revision is stored.
public struct RevisionChanges: Sendable, Equatable {
    /// The first of them as JSON shows them (`Change.document`). A value that is long is a text about it, and the change has
    /// `"shortened": true`.
    public let shown: [Document]
    /// All of them.
    public let count: Int

    static let maximum = 100
    /// Bytes of JSON, over all that are shown.
    static let maximumBytes = 32 * 1024
    /// Bytes of JSON, of one value.
    static let maximumValue = 2000

    /// Of a first revision.
    public static let none = RevisionChanges(shown: [], count: 0)

    /// Compares whole documents.
    public init(from old: Document, to new: Document) {
        let changes = new.changes(from: old)
        var shown: [Document] = []
        var room = RevisionChanges.maximumBytes
        for change in changes.prefix(RevisionChanges.maximum) {
            let document = RevisionChanges.shortened(change)
            room -= document.json.utf8.count
            guard room >= 0 else { break }
            shown.append(document)
        }
        self.init(shown: shown, count: changes.count)
    }

    private init(shown: [Document], count: Int) {
        self.shown = shown
        self.count = count
    }

    private static func shortened(_ change: Change) -> Document {
        guard case .object(let members) = change.document else { return change.document }
        let short = members.map { Document.Member($0.key, $0.key == "pointer" ? $0.value : shortened($0.value)) }
        return .object(short == members ? members : short + [.init("shortened", .bool(true))])
    }

    private static func shortened(_ value: Document) -> Document {
        guard value.json.utf8.count > maximumValue else { return value }
        return switch value {
        case .array(let elements): .string("a list of \(elements.count) values")
        case .object(let members): .string("an object of \(members.count) members")
        case .string(let text): .string("\(text.prefix(100))…")
        case .null, .bool, .integer, .number: value
        }
    }
}

/// As the table keeps them.
extension RevisionChanges {
    var text: String { Document.array(shown).json }

    /// Nil for what no program of this kind has written.
    init?(count: Int64, text: String) {
        guard case .array(let shown)? = try? Document(json: Array(text.utf8)), let count = Int(exactly: count), count >= shown.count else {
            return nil
        }
        // Reading has put the members in alphabetical order.
        self.init(
            shown: shown.map { change in
                .object(["pointer", "from", "to", "shortened"].compactMap { key in change[key].map { Document.Member(key, $0) } })
            }, count: count)
    }
}
