/// One kind of object in the catalog's document, declared once: its keys, in the order in which they are written.
///
/// Reader and writer are made of the table; CatalogSchemaTests holds the OpenAPI document and docs/catalog.md against it. A new key is one
/// entry here and one property of `Owner`.
struct Section<Owner: Sendable>: Sendable {
    /// A value with every default, which reading fills.
    let blank: Owner
    let keys: [Key<Owner>]
    /// Looks at the object as a whole, once its keys are read.
    let check: @Sendable (Owner, _ pointer: String, inout DocumentReader) -> Void

    init(
        _ blank: Owner, _ keys: [Key<Owner>],
        check: @escaping @Sendable (Owner, _ pointer: String, inout DocumentReader) -> Void = { _, _, _ in }
    ) {
        self.blank = blank
        self.keys = keys
        self.check = check
    }

    /// The object at `pointer`, with the default of every key that is absent or has a fault; nil when it is no object.
    func read(_ document: Document, at pointer: String, _ reader: inout DocumentReader) -> Owner? {
        guard let object = reader.object(document, at: pointer, keys: keys.map(\.name)) else { return nil }
        var owner = blank
        for key in keys { key.read(object, &owner, &reader) }
        check(owner, pointer, &reader)
        return owner
    }

    func write(_ owner: Owner) -> Document {
        .object(keys.compactMap { key in key.write(owner, blank).map { Document.Member(key.name, $0) } })
    }

    /// The section as the value of a key.
    ///
    /// - Parameter hint: what is asked for where it is required.
    func form(_ hint: String = "an object") -> Form<Owner> {
        Form(.object(keys.map { $0.described(blank) }), hint: hint) {
            read($0, at: $1, &$2)
        } write: {
            write($0)
        }
    }
}

/// One key of a section.
struct Key<Owner: Sendable>: Sendable {
    let name: String
    fileprivate let read: @Sendable (DocumentReader.Object, inout Owner, inout DocumentReader) -> Void
    fileprivate let write: @Sendable (_ owner: Owner, _ blank: Owner) -> Document?
    fileprivate let described: @Sendable (_ blank: Owner) -> Schema.Key

    /// - Parameters:
    ///   - foreign: why the key has no meaning beside those before it; nil when it has one. Where it is foreign it is a fault, and not written.
    ///   - after: what is kept for later keys, or looked at once this one is read.
    init<Value: Equatable & Sendable>(
        _ name: String, _ path: any WritableKeyPath<Owner, Value> & Sendable, _ form: Form<Value>, _ presence: Schema.Presence = .shown,
        foreign: @escaping @Sendable (Owner) -> String? = { _ in nil },
        after: @escaping @Sendable (Owner, inout DocumentReader) -> Void = { _, _ in }
    ) {
        self.name = name
        read = { object, owner, reader in
            let pointer = object.pointer(to: name)
            switch (object.members[name], foreign(owner)) {
            case (nil, nil): if presence == .required { reader.note(pointer, "is missing; give \(form.hint)") }
            case (nil, _): break
            case (_, let reason?): reader.note(pointer, reason)
            case (let document?, nil): if let value = form.read(document, pointer, &reader) { owner[keyPath: path] = value }
            }
            after(owner, &reader)
        }
        write = { owner, blank in
            let value = owner[keyPath: path]
            return foreign(owner) != nil || (presence == .hidden && value == blank[keyPath: path]) ? nil : form.write(value)
        }
        described = { blank in
            Schema.Key(
                name: name, presence: presence, schema: form.schema,
                fallback: presence == .required ? nil : form.write(blank[keyPath: path]))
        }
    }
}

/// What values the catalog's document may have, as far as a table can say it.
indirect enum Schema: Sendable {
    case flag
    case integer(ClosedRange<Int>)
    /// From 0 to 1.
    case fraction
    case text
    case choice([Document])
    case list(ClosedRange<Int>, of: Schema)
    /// Members of any name.
    case map(ClosedRange<Int>)
    case object([Key])
    /// Or null.
    case nullable(Schema)

    struct Key: Sendable {
        let name: String
        let presence: Presence
        let schema: Schema
        /// The default; nil when the key is required.
        let fallback: Document?
    }

    enum Presence: Sendable {
        /// A fault when it is absent.
        case required
        /// Has a default, which is written out.
        case shown
        /// Is left out while it has its default: whatever does without a newer key can be read by an earlier version.
        case hidden
    }
}
