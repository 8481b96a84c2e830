import Steering

/// The state file's text: a line with a checksum of all that follows, then one JSON object in one line.
extension SavedState {
    private static let heading = "video-balancer-state 1"

    /// - Parameter catalogText: `catalog.document.json`, which the caller may have from an earlier save.
    func text(catalogText: String) -> [UInt8] {
        var body = "{\"databaseID\":\(Document.string(databaseID).json),\"revision\":\(revision),\"catalog\":\(catalogText),\"sequences\":["
        for (index, sequence) in sequences.enumerated() {
            if index > 0 { body += "," }
            // As strings: the whole range of UInt64 does not fit in the integers of a JSON reader.
            body += "{\"name\":\(Document.string(sequence.name).json),\"redirects\":\"\(sequence.redirects)\""
            body += ",\"cdnBound\":\"\(sequence.cdnBound)\"}"
        }
        body += "]"
        if let node { body += ",\"node\":\(Document.string(node).json)" }
        if !verdicts.isEmpty { body += ",\"verdicts\":\(Document.array(verdicts.map(\.document)).json)" }
        body += "}\n"
        let bytes = Array(body.utf8)
        return Array("\(SavedState.heading) \(Checksum.sha256(of: bytes))\n".utf8) + bytes
    }

    /// Why a file's bytes are not taken.
    struct Unusable: Error {
        let reason: String
    }

    /// - Throws: why the bytes are no state that this program wrote.
    init(text: [UInt8]) throws(Unusable) {
        guard !text.isEmpty else { throw Unusable(reason: "it is empty") }
        guard let end = text.firstIndex(of: UInt8(ascii: "\n")) else { throw Unusable(reason: "its first line has no end") }
        let body = Array(text[(end + 1)...])
        guard text[..<end].elementsEqual("\(SavedState.heading) \(Checksum.sha256(of: body))".utf8) else {
            let known = text.starts(with: "\(SavedState.heading) ".utf8)
            throw Unusable(
                reason: known ? "its checksum does not match: it was cut or changed" : "it does not begin with \"\(SavedState.heading)\"")
        }
        do {
            try self.init(Document(json: body))
        } catch let unusable as Unusable {
            throw unusable
        } catch {
            throw Unusable(reason: "\(error)")
        }
    }

    private init(_ document: Document) throws(Unusable) {
        guard case .string(let databaseID)? = document["databaseID"], case .integer(let revision)? = document["revision"],
            let catalog = document["catalog"], case .array(let list)? = document["sequences"]
        else { throw Unusable(reason: "it lacks databaseID, revision, catalog or sequences") }
        var sequences: [SavedSequence] = []
        for entry in list {
            guard case .string(let name)? = entry["name"], case .string(let redirects)? = entry["redirects"],
                case .string(let cdnBound)? = entry["cdnBound"], let redirects = UInt64(redirects), let cdnBound = UInt64(cdnBound)
            else { throw Unusable(reason: "a sequence lacks its name or its numbers") }
            sequences.append(SavedSequence(name: name, redirects: redirects, cdnBound: cdnBound))
        }
        var node: String?
        if case .string(let id)? = document["node"], id.utf8.count == 32 { node = id }
        var verdicts: [SavedVerdict] = []
        // A file of a version that kept none has none.
        if case .array(let list)? = document["verdicts"] { verdicts = list.compactMap { SavedVerdict($0) } }
        do {
            self.init(
                databaseID: databaseID, revision: revision, catalog: try Catalog(catalog), sequences: sequences, node: node,
                verdicts: verdicts)
        } catch {
            throw Unusable(reason: error.faults.map(\.description).joined(separator: "; "))
        }
    }
}

extension SavedVerdict {
    fileprivate var document: Document {
        .object([
            .init("kind", .string(kind)), .init("name", .string(name)), .init("reason", .string(reason)),
            .init("hasBeenGood", .bool(hasBeenGood)), .init("judged", .integer(judged)),
        ])
    }

    /// - Returns: nil when a member is missing: a verdict is not worth the state that it stands in.
    fileprivate init?(_ document: Document) {
        guard case .string(let kind)? = document["kind"], case .string(let name)? = document["name"],
            case .string(let reason)? = document["reason"], case .bool(let hasBeenGood)? = document["hasBeenGood"],
            case .integer(let judged)? = document["judged"]
        else { return nil }
        self.init(kind: kind, name: name, reason: reason, hasBeenGood: hasBeenGood, judged: judged)
    }
}
