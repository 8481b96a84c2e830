/// Reads typed values out of a `Document` and collects every fault on the way instead of stopping at the first.
///
/// Each read returns a usable value even after a fault, so that reading goes on; the caller throws at the end when `faults`
/// is not empty.
struct DocumentReader {
    private(set) var faults: [Fault] = []
    /// Whether there is a time zone of this name.
    let knowsZone: (String) -> Bool

    init(knowsZone: @escaping (String) -> Bool = { _ in true }) { self.knowsZone = knowsZone }

    /// An object whose place is known.
    struct Object {
        let pointer: String
        let members: [String: Document]

        /// The pointer of a member (RFC 6901 §3 escapes `~` and `/`).
        func pointer(to key: String) -> String { pointer + "/" + Fault.escaped(key) }
    }

    mutating func note(_ pointer: String, _ message: String) { faults.append(Fault(pointer, message)) }

    /// The object at `pointer`; keys outside `keys` are faults.
    mutating func object(_ document: Document?, at pointer: String, keys: [String]) -> Object {
        guard let document else { return Object(pointer: pointer, members: [:]) }
        guard case .object(let list) = document else {
            note(pointer, "must be an object, is \(document.kind)")
            return Object(pointer: pointer, members: [:])
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

    /// A whole number within `range`; `fallback` when the key is absent, a fault when there is no fallback.
    mutating func integer(_ object: Object, _ key: String, in range: ClosedRange<Int>, default fallback: Int? = nil) -> Int {
        let pointer = object.pointer(to: key)
        guard let value = object.members[key] else {
            if fallback == nil { note(pointer, "is missing; give a whole number from \(range.lowerBound) to \(range.upperBound)") }
            return fallback ?? range.lowerBound
        }
        guard case .integer(let number) = value, range.contains(number) else {
            note(pointer, "must be a whole number from \(range.lowerBound) to \(range.upperBound), is \(value.kind)")
            return fallback ?? range.lowerBound
        }
        return number
    }

    /// A whole number within `range`; nil when the key is absent or null.
    mutating func optionalInteger(_ object: Object, _ key: String, in range: ClosedRange<Int>) -> Int? {
        switch object.members[key] {
        case nil, .null: nil
        default: integer(object, key, in: range)
        }
    }

    /// A number from 0 to 1.
    mutating func fraction(_ object: Object, _ key: String, default fallback: Double) -> Double {
        switch object.members[key] {
        case nil: return fallback
        case .integer(let number) where (0...1).contains(number): return Double(number)
        case .number(let number) where (0...1).contains(number): return number
        case .some(let value):
            note(object.pointer(to: key), "must be a number from 0 to 1, is \(value.kind)")
            return fallback
        }
    }

    /// The member `status` of a redirect; nil when it is absent.
    mutating func redirectStatus(_ object: Object) -> Int? {
        guard let value = object.members["status"] else { return nil }
        guard case .integer(let status) = value, [301, 302, 307, 308].contains(status) else {
            note(object.pointer(to: "status"), "must be 301, 302, 307 or 308, is \(value.kind)")
            return nil
        }
        return status
    }

    mutating func bool(_ object: Object, _ key: String, default fallback: Bool) -> Bool {
        guard let value = object.members[key] else { return fallback }
        guard case .bool(let flag) = value else {
            note(object.pointer(to: key), "must be true or false, is \(value.kind)")
            return fallback
        }
        return flag
    }

    /// A string; nil (and a fault) when it is missing or of another kind.
    mutating func string(_ object: Object, _ key: String, hint: String) -> String? {
        guard let value = object.members[key] else {
            note(object.pointer(to: key), "is missing; give \(hint)")
            return nil
        }
        guard case .string(let text) = value else {
            note(object.pointer(to: key), "must be \(hint), is \(value.kind)")
            return nil
        }
        return text
    }

    /// One of an enumeration's raw strings.
    mutating func choice<Choice>(_ object: Object, _ key: String, default fallback: Choice) -> Choice
    where Choice: RawRepresentable<String> & CaseIterable {
        guard let value = object.members[key] else { return fallback }
        guard case .string(let text) = value, let choice = Choice(rawValue: text) else {
            let accepted = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
            note(object.pointer(to: key), "must be one of \(accepted), is \(value.kind)")
            return fallback
        }
        return choice
    }

    /// The elements of a list with their pointers; too few or too many is a fault.
    mutating func list(_ object: Object, _ key: String, count: ClosedRange<Int>, of what: String) -> [(pointer: String, value: Document)] {
        let pointer = object.pointer(to: key)
        guard let value = object.members[key] else {
            if count.lowerBound > 0 { note(pointer, "is missing; give a list of \(what)") }
            return []
        }
        guard case .array(let elements) = value else {
            note(pointer, "must be a list of \(what), is \(value.kind)")
            return []
        }
        if !count.contains(elements.count) {
            note(pointer, "must have \(count.lowerBound) to \(count.upperBound) entries, has \(elements.count)")
        }
        return elements.prefix(count.upperBound).enumerated().map { ("\(pointer)/\($0.offset)", $0.element) }
    }
}
