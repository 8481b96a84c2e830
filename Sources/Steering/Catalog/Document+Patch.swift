extension Document {
    /// This value with a JSON merge patch applied (RFC 7396): members of the patch replace, null removes, other kinds replace the whole.
    public func merged(with patch: Document) -> Document {
        guard case .object(let changes) = patch else { return patch }
        var own: [Member] = []
        if case .object(let members) = self { own = members }
        let changed = Dictionary(changes.map { ($0.key, $0.value) }) { $1 }
        let known = Set(own.map(\.key))
        let kept = own.compactMap { member -> Member? in
            guard let change = changed[member.key] else { return member }
            return change == .null ? nil : Member(member.key, member.value.merged(with: change))
        }
        let added = changes.filter { !known.contains($0.key) && $0.value != .null }
        return .object(kept + added.map { Member($0.key, Document.null.merged(with: $0.value)) })
    }

    /// This object with one member replaced or added; unchanged when it is no object.
    public func replacing(_ key: String, with value: Document) -> Document {
        guard case .object(var members) = self else { return self }
        if let index = members.firstIndex(where: { $0.key == key }) {
            members[index] = Member(key, value)
        } else {
            members.append(Member(key, value))
        }
        return .object(members)
    }
}

/// One difference between two documents.
public struct Change: Sendable, Equatable {
    /// Where, as a JSON Pointer, but an element of a list that has a name is named by it: `/cdns/cdn-a/weight`.
    public let pointer: String
    /// Nil when it was added.
    public let from: Document?
    /// Nil when it was removed.
    public let to: Document?

    public var document: Document {
        var members = [Document.Member("pointer", .string(pointer))]
        if let from { members.append(.init("from", from)) }
        if let to { members.append(.init("to", to)) }
        return .object(members)
    }
}

extension Document {
    /// What differs from `old` to this value, in document order.
    public func changes(from old: Document) -> [Change] { Document.changes(at: "", old, self) }

    private static func changes(at pointer: String, _ oldDocument: Document?, _ newDocument: Document?) -> [Change] {
        if oldDocument == newDocument { return [] }
        guard let before = oldDocument?.namedMembers, let after = newDocument?.namedMembers else {
            return [Change(pointer: pointer, from: oldDocument, to: newDocument)]
        }
        // The first of equal names, as `subscript` has it.
        let old = Dictionary(before.map { ($0.key, $0.value) }) { first, _ in first }
        let new = Dictionary(after.map { ($0.key, $0.value) }) { first, _ in first }
        let removed = before.filter { new[$0.key] == nil }
        let changes = (after + removed).flatMap { member in
            Document.changes(at: pointer + "/" + Fault.escaped(member.key), old[member.key], new[member.key])
        }
        // The same elements in another order.
        return changes.isEmpty ? [Change(pointer: pointer, from: oldDocument, to: newDocument)] : changes
    }

    /// The members of an object, or of a list whose elements all have names of their own.
    private var namedMembers: [Member]? {
        switch self {
        case .object(let members): return members
        case .array(let elements):
            var members: [Member] = []
            for element in elements {
                guard case .string(let name)? = element["name"] else { return nil }
                members.append(Member(name, element))
            }
            return members
        default: return nil
        }
    }
}
