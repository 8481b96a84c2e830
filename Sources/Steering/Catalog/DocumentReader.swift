/// Collects every fault of a document on the way instead of stopping at the first, and knows what later keys need of earlier ones.
///
/// Each read gives a usable value even after a fault, so that reading goes on; the caller throws at the end when `faults` is not empty.
struct DocumentReader {
    private(set) var faults: [Fault] = []
    /// Whether there is a time zone of this name.
    let knowsZone: (String) -> Bool
    /// What rules may name; known once CDNs and origin are read.
    var targets = RuleTargets(Catalog())

    init(knowsZone: @escaping (String) -> Bool = { _ in true }) { self.knowsZone = knowsZone }

    /// An object whose place is known.
    struct Object {
        let pointer: String
        let members: [String: Document]

        /// The pointer of a member (RFC 6901 §3 escapes `~` and `/`).
        func pointer(to key: String) -> String { pointer + "/" + Fault.escaped(key) }
    }

    mutating func note(_ pointer: String, _ message: String) { faults.append(Fault(pointer, message)) }

    /// The object at `pointer`, nil when it is none; keys outside `keys` are faults.
    mutating func object(_ document: Document, at pointer: String, keys: [String]) -> Object? {
        guard case .object(let list) = document else {
            note(pointer, "must be an object, is \(document.kind)")
            return nil
        }
        var members: [String: Document] = [:]
        for member in list {
            if !keys.contains(member.key) {
                note(pointer + "/" + Fault.escaped(member.key), "is not a known key; known here: \(keys.joined(separator: ", "))")
            } else if members.updateValue(member.value, forKey: member.key) != nil {
                note(pointer + "/" + Fault.escaped(member.key), "stands twice; keep one")
            }
        }
        return Object(pointer: pointer, members: members)
    }

    /// The elements of a list with their pointers; too few or too many is a fault.
    mutating func elements(
        of document: Document, at pointer: String, count: ClosedRange<Int>, hint: String
    ) -> [(pointer: String, value: Document)] {
        guard case .array(let elements) = document else {
            note(pointer, "must be \(hint), is \(document.kind)")
            return []
        }
        if !count.contains(elements.count) {
            note(pointer, "must have \(count.lowerBound) to \(count.upperBound) entries, has \(elements.count)")
        }
        return elements.prefix(count.upperBound).enumerated().map { ("\(pointer)/\($0.offset)", $0.element) }
    }
}
