import HTTPTypes
import HummingbirdCore
import Steering
import Storage

/// Reading and changing the catalog, whole or in parts. Every change goes one way: read the newest, check If-Match, change the
/// document, validate the whole, commit.
struct CatalogEndpoints {
    let node: any Node
    private let store: any RevisionHistory
    private let newest: NewestCatalog

    init(node: any Node, store: any RevisionHistory) {
        self.node = node
        self.store = store
        newest = NewestCatalog(store: store)
    }

    private typealias Shown = NewestCatalog.Shown
    private static let patchTypes = ["application/merge-patch+json", "application/json"]

    var all: [Endpoint] {
        // A list has no members that a merge patch could name.
        wholeAndCDNs + part("rules", isObject: false)
            + ["origin", "selection", "redirect", "failover"].flatMap { part($0, isObject: true) }
    }

    private var wholeAndCDNs: [Endpoint] {
        [
            Endpoint(.get, "/api/v1/catalog", .viewer) { call in try await read(call, "") },
            Endpoint(.put, "/api/v1/catalog", .operator, replaceCatalog),
            Endpoint(.get, "/api/v1/cdns", .viewer) { call in try await read(call, "cdns") },
            Endpoint(.post, "/api/v1/cdns", .operator, addCDN),
            Endpoint(.get, "/api/v1/cdns/:name", .viewer) { call in
                let shown = try await newest.shown(call)
                return try await call.compute { answer(try cdn(shown, call.parameter).value, shown) }
            },
            Endpoint(.put, "/api/v1/cdns/:name", .operator) { call in
                let body = try await RequestBody.document(call)
                return try await changeCDN(call) { _ in body }
            },
            Endpoint(.patch, "/api/v1/cdns/:name", .operator) { call in
                let body = try await RequestBody.document(call, types: CatalogEndpoints.patchTypes)
                return try await changeCDN(call) { $0.merged(with: body) }
            },
            Endpoint(.delete, "/api/v1/cdns/:name", .operator, removeCDN),
        ]
    }

    private func part(_ name: String, isObject: Bool) -> [Endpoint] {
        let path = "/api/v1/\(name)"
        let endpoints = [
            Endpoint(.get, path, .viewer) { call in try await read(call, name) },
            Endpoint(.put, path, .operator) { call in
                let body = try await RequestBody.document(call, maximum: RequestBody.maximumCatalog)
                return try await changePart(call, name) { _ in body }
            },
        ]
        guard isObject else { return endpoints }
        return endpoints + [
            Endpoint(.patch, path, .operator) { call in
                let body = try await RequestBody.document(call, types: CatalogEndpoints.patchTypes)
                return try await changePart(call, name) { $0.merged(with: body) }
            }
        ]
    }

    // MARK: Reading

    private func read(_ call: Call, _ part: String) async throws -> Response { try await answer(call, try await newest.shown(call), part) }

    private func cdn(_ shown: Shown, _ name: String) throws(Problem) -> (index: Int, value: Document) {
        guard let index = shown.revision.catalog.cdns.firstIndex(where: { $0.name == name }), case .array(let list) = shown.part("cdns")
        else { throw Problem(.notFound, "There is no CDN of this name; GET /api/v1/cdns lists them.") }
        return (index, list[index])
    }

    private func answer(_ document: Document, _ shown: Shown, status: HTTPResponse.Status = .ok) -> Response {
        var response = Response.json(document, status: status)
        response.headers[.eTag] = shown.tag
        return response
    }

    private func answer(_ call: Call, _ shown: Shown, _ part: String) async throws -> Response {
        let text = try await call.compute { shown.text(part) }
        return Response(
            status: .ok, headers: [.contentType: "application/json", .eTag: shown.tag], body: .init(byteBuffer: text))
    }

    // MARK: Changing

    @Sendable private func replaceCatalog(_ call: Call) async throws -> Response {
        try call.allowQuery(CatalogEndpoints.queryOfWhole)
        let body = try await RequestBody.document(call, maximum: RequestBody.maximumCatalog)
        return try await replaceOrCheck(call) { body }
    }

    private static let queryOfWhole = ["comment", "validate"]

    /// Stores another whole catalog, or with `validate=true` says what that would change.
    private func replaceOrCheck(
        _ call: Call, wasStored: Bool = false, with document: @escaping @Sendable () throws -> Document
    ) async throws -> Response {
        switch try call.query("validate") {
        case nil, "false"?: return try await answer(call, try await replace(call, wasStored: wasStored, with: document), "")
        case "true"?: break
        // Who mistypes it must not have written the catalog.
        default: throw Problem(.badRequest, "validate must be true or false.")
        }
        _ = try comment(call)
        let current = try await newest.shown(call)
        // A dry run needs no tag. One that is sent is judged as the write would.
        if let field = call.request.headers[.ifMatch] { try EntityTag.check(field, against: current.revision.head) }
        return try await call.compute {
            let changes = RevisionChanges(
                from: current.document,
                to: try valid(try document(), at: "", replacing: current.revision.catalog, wasStored: wasStored).document)
            return answer(.object([.init("valid", .bool(true))] + RevisionEndpoints.describe(changes)), current)
        }
    }

    @Sendable private func addCDN(_ call: Call) async throws -> Response {
        let body = try await RequestBody.document(call)
        var name = ""
        if case .string(let text)? = body["name"] { name = text }
        let path = "/api/v1/cdns/\(name)"
        let shown = try await change(call, at: { "/cdns/\($0.revision.catalog.cdns.count)" }) { [name] current in
            guard case .array(let list) = current.part("cdns") else { return current.document }
            if current.revision.catalog.cdns.contains(where: { $0.name.lowercased() == name.lowercased() }) {
                throw Problem(.conflict, "There is a CDN of this name; change it with PUT or PATCH \(path).")
            }
            return current.document.replacing("cdns", with: .array(list + [body]))
        }
        var response = answer(try cdn(shown, name).value, shown, status: .created)
        response.headers[.location] = path
        return response
    }

    private func changeCDN(_ call: Call, _ edit: @escaping @Sendable (Document) -> Document) async throws -> Response {
        let shown = try await change(call, at: { "/cdns/\(try cdn($0, call.parameter).index)" }) { current in
            let (index, old) = try cdn(current, call.parameter)
            let new = edit(old)
            guard new["name"] == nil || new["name"] == .string(call.parameter) else {
                throw Problem(
                    .unprocessableContent, "The CDN's name cannot change; add a new CDN and remove this one.",
                    faults: [Fault("/name", "must be \"\(call.parameter)\" as in the path")])
            }
            guard case .array(var list) = current.part("cdns") else { return current.document }
            list[index] = new
            return current.document.replacing("cdns", with: .array(list))
        }
        return answer(try cdn(shown, call.parameter).value, shown)
    }

    @Sendable private func removeCDN(_ call: Call) async throws -> Response {
        let shown = try await change(call, at: { _ in nil }) { current in
            let (index, _) = try cdn(current, call.parameter)
            guard case .array(var list) = current.part("cdns") else { return current.document }
            list.remove(at: index)
            return current.document.replacing("cdns", with: .array(list))
        }
        return Response(status: .noContent, headers: [.eTag: shown.tag])
    }

    private func changePart(_ call: Call, _ name: String, _ edit: @escaping @Sendable (Document) -> Document) async throws -> Response {
        let shown = try await change(call, at: { _ in "/\(name)" }) { $0.document.replacing(name, with: edit($0.part(name))) }
        return try await answer(call, shown, name)
    }

    /// A change of the newest catalog.
    ///
    /// - Parameter place: where in the catalog the caller's body stands, so that faults point into the body; nil without a body.
    private func change(
        _ call: Call, at place: @escaping @Sendable (Shown) throws -> String?,
        _ edit: @escaping @Sendable (Shown) throws -> Document
    ) async throws -> Shown {
        try call.allowQuery(["comment"])
        let comment = try comment(call)
        let current = try await newest.shown(call)
        let revision = current.revision
        try EntityTag.check(call.request.headers[.ifMatch], against: revision.head)
        let draft = try await call.compute {
            RevisionDraft(
                try valid(try edit(current), at: try place(current), replacing: revision.catalog), replacing: current.document,
                expecting: revision.id,
                author: call.author, comment: comment)
        }
        return try await commit(draft)
    }

    /// Another whole catalog. Nothing is read of the newest, so that one that is damaged can be replaced.
    ///
    /// - Parameter wasStored: the new one is an old revision, which may name time zones that this version does not know.
    private func replace(_ call: Call, wasStored: Bool = false, with document: @escaping @Sendable () throws -> Document) async throws
        -> Shown
    {
        let comment = try comment(call)
        let head = try await newest.head()
        try EntityTag.check(call.request.headers[.ifMatch], against: head)
        let current = try? await newest.shown(call)
        let isCurrent = current?.revision.id == head.revision && current?.revision.checksum == head.checksum
        let draft = try await call.compute {
            RevisionDraft(
                try valid(try document(), at: "", replacing: current?.revision.catalog, wasStored: wasStored),
                replacing: isCurrent ? current?.document : nil, expecting: head.revision,
                author: call.author, comment: comment)
        }
        return try await commit(draft)
    }

    private func commit(_ draft: RevisionDraft) async throws -> Shown {
        do {
            let shown = Shown(try await node.commit(draft), draft.document)
            newest.keep(shown)
            return shown
        } catch let error as StorageError {
            guard case .conflict = error.kind else { throw error }
            throw EntityTag.stale(try await newest.head())
        }
    }

    /// - Throws: 400 for one that would not be stored.
    private func comment(_ call: Call) throws(Problem) -> String {
        let comment = try call.query("comment") ?? ""
        guard comment.unicodeScalars.count <= 500, !comment.unicodeScalars.contains(where: { $0.value == 0 }) else {
            throw Problem(.badRequest, "The comment must have at most 500 characters and no NUL.")
        }
        return comment
    }

    /// - Parameters:
    ///   - current: the time zones that it names pass, known or not: whoever changes a weight is not to be held up.
    ///   - wasStored: all time zones pass.
    private func valid(
        _ document: Document, at place: String?, replacing current: Catalog?, wasStored: Bool = false
    ) throws(Problem) -> Catalog {
        do throws(CatalogFaults) {
            let stored = current?.timeZones ?? []
            return try Catalog(document) { wasStored || stored.contains($0) || TimeZones.know($0) }
        } catch {
            let faults = error.faults.map { fault in
                if let place, fault.pointer == place || fault.pointer.hasPrefix(place + "/") {
                    return Fault(String(fault.pointer.dropFirst(place.count)), fault.message)
                }
                // A fault of the whole, which no member of the body has by itself.
                return Fault("", "\(fault.pointer): \(fault.message)")
            }
            throw Problem(
                .unprocessableContent,
                "The catalog would have \(faults.count == 1 ? "a fault" : "\(faults.count) faults"); nothing was changed.", faults: faults)
        }
    }
}

extension Revision {
    /// What a tag is made of; the database's id plays no part in one.
    fileprivate var head: Head { Head(databaseID: "", revision: id, checksum: checksum) }
}

extension CatalogEndpoints {
    /// Going back: an old catalog becomes a new revision.
    var restore: Endpoint {
        Endpoint(.post, "/api/v1/revisions/:id/restore", .operator) { call in
            guard let id = Int(call.parameter), let old = try await store.stored(id) else {
                throw Problem(.notFound, "There is no revision \(call.parameter.prefix(20)); GET /api/v1/revisions lists them.")
            }
            try call.allowQuery(CatalogEndpoints.queryOfWhole)
            return try await replaceOrCheck(call, wasStored: true) { try old.read().catalog.document }
        }
    }
}
