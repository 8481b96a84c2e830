/// How values of one kind are read, with every fault named, how they are written, and what they may be.
struct Form<Value: Sendable>: Sendable {
    let schema: Schema
    /// What a fault asks for.
    let hint: String
    /// Nil when a fault was noted.
    let read: @Sendable (Document, _ pointer: String, inout DocumentReader) -> Value?
    let write: @Sendable (Value) -> Document

    init(
        _ schema: Schema, hint: String, read: @escaping @Sendable (Document, _ pointer: String, inout DocumentReader) -> Value?,
        write: @escaping @Sendable (Value) -> Document
    ) {
        self.schema = schema
        self.hint = hint
        self.read = read
        self.write = write
    }

    /// - Parameters:
    ///   - rule: what the value must be, where it is more than the hint.
    ///   - parse: nil for what is no such value.
    init(
        _ schema: Schema, hint: String, rule: String? = nil, parse: @escaping @Sendable (Document) -> Value?,
        write: @escaping @Sendable (Value) -> Document
    ) {
        self.init(
            schema, hint: hint,
            read: { document, pointer, reader in
                if let value = parse(document) { return value }
                reader.note(pointer, "must be \(rule ?? hint), is \(document.kind)")
                return nil
            }, write: write)
    }

    /// A text that means something.
    static func text(
        _ hint: String, rule: String? = nil, parse: @escaping @Sendable (String) -> Value?, write: @escaping @Sendable (Value) -> String
    ) -> Form {
        Form(.text, hint: hint, rule: rule) { document in
            if case .string(let text) = document { parse(text) } else { nil }
        } write: {
            .string(write($0))
        }
    }

    /// The value, or none where the key is absent.
    var optional: Form<Value?> {
        Form<Value?>(schema, hint: hint) {
            read($0, $1, &$2).map(Optional.some)
        } write: {
            $0.map(write) ?? .null
        }
    }

    /// The value, or none where the key is absent or null.
    var nullable: Form<Value?> {
        Form<Value?>(.nullable(schema), hint: hint) { document, pointer, reader in
            document == .null ? .some(nil) : read(document, pointer, &reader).map(Optional.some)
        } write: {
            $0.map(write) ?? .null
        }
    }
}

extension Form<Bool> {
    static let flag = Form(.flag, hint: "true or false") {
        if case .bool(let flag) = $0 { flag } else { nil }
    } write: {
        .bool($0)
    }
}

extension Form<Int> {
    static func integer(_ range: ClosedRange<Int>, hint: String? = nil) -> Form {
        Form(.integer(range), hint: hint ?? "a whole number from \(range.lowerBound) to \(range.upperBound)") {
            if case .integer(let number) = $0, range.contains(number) { number } else { nil }
        } write: {
            .integer($0)
        }
    }

    /// The status of a redirect.
    static let redirectStatus = Form(.choice([301, 302, 307, 308].map(Document.integer)), hint: "301, 302, 307 or 308") {
        if case .integer(let status) = $0, [301, 302, 307, 308].contains(status) { status } else { nil }
    } write: {
        .integer($0)
    }
}

extension Form<Double> {
    static let fraction = Form(.fraction, hint: "a number from 0 to 1") { document in
        switch document {
        case .integer(let number) where (0...1).contains(number): Double(number)
        case .number(let number) where (0...1).contains(number): number
        default: nil
        }
    } write: {
        // Whole numbers without a decimal point, as a text would be read back.
        $0 == 0 || $0 == 1 ? .integer(Int($0)) : .number($0)
    }
}

extension Form where Value: RawRepresentable<String> & CaseIterable {
    /// One of an enumeration's raw strings.
    static var choice: Form {
        let names = Value.allCases.map(\.rawValue)
        return Form(.choice(names.map(Document.string)), hint: "one of \(names.map { "\"\($0)\"" }.joined(separator: ", "))") {
            if case .string(let text) = $0 { Value(rawValue: text) } else { nil }
        } write: {
            .string($0.rawValue)
        }
    }
}

extension Form<String> {
    /// A name of letters, digits, dots, hyphens and underscores.
    ///
    /// - Parameter rule: what is said of another.
    static func name(_ hint: String, rule: String = "1 to 64 letters, digits, dots, hyphens or underscores") -> Form {
        text(hint, rule: rule) {
            (1...64).contains($0.utf8.count) && $0.utf8.allSatisfy(URLByte.isNameByte) ? $0 : nil
        } write: {
            $0
        }
    }
}

/// What two elements of a list must not have in common.
struct Identity<Element>: Sendable {
    let key: @Sendable (Element) -> String
    /// Where the second one is to be mended, from the element.
    var pointer = ""
    let fault: @Sendable (Element) -> String
}

extension Form {
    /// A list, whose elements are read as far as they have no faults.
    ///
    /// - Parameters:
    ///   - what: what the elements are called.
    ///   - hint: nil for "a list of" them.
    static func list<Element>(
        _ count: ClosedRange<Int>, of what: String, _ element: Form<Element>, hint: String? = nil, unique: Identity<Element>? = nil
    ) -> Form where Value == [Element] {
        let hint = hint ?? "a list of \(what)"
        return Form(.list(count, of: element.schema), hint: hint) { document, pointer, reader in
            var values: [Element] = []
            var taken: Set<String> = []
            for (pointer, document) in reader.elements(of: document, at: pointer, count: count, hint: hint) {
                guard let value = element.read(document, pointer, &reader) else { continue }
                if let unique, !unique.key(value).isEmpty, !taken.insert(unique.key(value)).inserted {
                    reader.note(pointer + unique.pointer, unique.fault(value))
                }
                values.append(value)
            }
            return values
        } write: {
            .array($0.map(element.write))
        }
    }

    /// An object whose members have names of their own.
    ///
    /// - Parameter read: nil when a fault was noted.
    static func map<Element>(
        _ count: ClosedRange<Int>, hint: String, write: @escaping @Sendable (Element) -> Document.Member,
        read: @escaping @Sendable (Document.Member, _ pointer: String, inout DocumentReader) -> Element?
    ) -> Form where Value == [Element] {
        Form(.map(count), hint: hint) { document, pointer, reader in
            guard case .object(let members) = document, count.contains(members.count) else {
                reader.note(pointer, "must be \(hint), is \(document.kind)")
                return nil
            }
            return members.compactMap { read($0, pointer + "/" + Fault.escaped($0.key), &reader) }
        } write: {
            .object($0.map(write))
        }
    }
}
