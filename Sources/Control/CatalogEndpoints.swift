import HTTPTypes
import Hummingbird
import Steering
import Storage

/// Reading and changing the catalog, whole or in parts. Every change goes one way: read the newest, check If-Match, change the
/// document, validate the whole, commit.
struct CatalogEndpoints {
    let node: any Node

    var all: [Endpoint] {
        let parts = ["origin", "selection", "redirect", "failover"]
        return [
            Endpoint(.get, "/api/v1/catalog", .viewer) { _ in try await read { $0.catalog.document } },
            Endpoint(.put, "/api/v1/catalog", .operator, replaceCatalog),
            Endpoint(.get, "/api/v1/cdns", .viewer) { _ in try await read { part($0, "cdns") } },
            Endpoint(.post, "/api/v1/cdns", .operator, addCDN),
            Endpoint(.get, "/api/v1/cdns/:name", .viewer) { call in try await read { try cdn($0, call.parameter).value } },
            Endpoint(.put, "/api/v1/cdns/:name", .operator) { call in
                let body = try await RequestBody.document(call.request)
                return try await changeCDN(call) { _ in body }
            },
            Endpoint(.patch, "/api/v1/cdns/:name", .operator) { call in
                let body = try await RequestBody.document(call.request, types: CatalogEndpoints.patchTypes)
                return try await changeCDN(call) { $0.merged(with: body) }
            },
            Endpoint(.delete, "/api/v1/cdns/:name", .operator, removeCDN),
            // A list has no members that a merge patch could name.
            Endpoint(.get, "/api/v1/rules", .viewer) { _ in try await read { part($0, "rules") } },
            Endpoint(.put, "/api/v1/rules", .operator) { call in
                let body = try await RequestBody.document(call.request)
                return try await changePart(call, "rules") { _ in body }
            },
        ]
            + parts.flatMap { name in
                [
                    Endpoint(.get, "/api/v1/\(name)", .viewer) { _ in try await read { part($0, name) } },
                    Endpoint(.put, "/api/v1/\(name)", .operator) { call in
                        let body = try await RequestBody.document(call.request)
                        return try await changePart(call, name) { _ in body }
                    },
                    Endpoint(.patch, "/api/v1/\(name)", .operator) { call in
                        let body = try await RequestBody.document(call.request, types: CatalogEndpoints.patchTypes)
                        return try await changePart(call, name) { $0.merged(with: body) }
                    },
                ]
            }
    }

    private static let patchTypes = ["application/merge-patch+json", "application/json"]

    // MARK: Reading

    private func newest() async throws -> Revision {
        guard let revision = try await node.newest() else {
            throw Problem(.serviceUnavailable, "The database holds no catalog.", headers: [(.retryAfter, "5")])
        }
        return revision
    }

    private func read(_ view: (Revision) throws -> Document) async throws -> Response {
        let revision = try await newest()
        return answer(try view(revision), revision)
    }

    private func part(_ revision: Revision, _ name: String) -> Document { revision.catalog.document[name] ?? .null }

    private func cdn(_ revision: Revision, _ name: String) throws(Problem) -> (index: Int, value: Document) {
        guard let index = revision.catalog.cdns.firstIndex(where: { $0.name == name }),
            case .array(let list) = part(revision, "cdns")
        else { throw Problem(.notFound, "There is no CDN of this name; GET /api/v1/cdns lists them.") }
        return (index, list[index])
    }

    private func answer(_ document: Document, _ revision: Revision, status: HTTPResponse.Status = .ok) -> Response {
        var response = Response.json(document, status: status)
        response.headers[.eTag] = EntityTag.of(revision)
        return response
    }

    // MARK: Changing

    @Sendable private func replaceCatalog(_ call: Call) async throws -> Response {
        let body = try await RequestBody.document(call.request)
        switch try call.query("validate") {
        case nil, "false"?:
            let revision = try await change(call, at: "") { _ in body }
            return answer(revision.catalog.document, revision)
        case "true"?: break
        // Who mistypes it must not have written the catalog.
        default: throw Problem(.badRequest, "validate must be true or false.")
        }
        let current = try await newest()
        let catalog = try valid(body, at: "")
        let changes = catalog.document.changes(from: current.catalog.document).map(\.document)
        return answer(.object([.init("valid", .bool(true)), .init("changes", .array(changes))]), current)
    }

    @Sendable private func addCDN(_ call: Call) async throws -> Response {
        let body = try await RequestBody.document(call.request)
        var name = ""
        let revision = try await change(call, at: { "/cdns/\($0.catalog.cdns.count)" }) { current in
            guard case .array(let list) = part(current, "cdns") else { return current.catalog.document }
            if case .string(let text)? = body["name"] { name = text }
            if current.catalog.cdns.contains(where: { $0.name.lowercased() == name.lowercased() }) {
                throw Problem(.conflict, "There is a CDN of this name; change it with PUT or PATCH /api/v1/cdns/\(name).")
            }
            return current.catalog.document.replacing("cdns", with: .array(list + [body]))
        }
        var response = answer(try cdn(revision, name).value, revision, status: .created)
        response.headers[.location] = "/api/v1/cdns/\(name)"
        return response
    }

    private func changeCDN(_ call: Call, _ edit: (Document) -> Document) async throws -> Response {
        let revision = try await change(call, at: { "/cdns/\(try cdn($0, call.parameter).index)" }) { current in
            let (index, old) = try cdn(current, call.parameter)
            let new = edit(old)
            guard new["name"] == nil || new["name"] == .string(call.parameter) else {
                throw Problem(
                    .unprocessableContent, "The CDN's name cannot change; add a new CDN and remove this one.",
                    faults: [Fault("/name", "must be \"\(call.parameter)\" as in the path")])
            }
            guard case .array(var list) = part(current, "cdns") else { return current.catalog.document }
            list[index] = new
            return current.catalog.document.replacing("cdns", with: .array(list))
        }
        return answer(try cdn(revision, call.parameter).value, revision)
    }

    @Sendable private func removeCDN(_ call: Call) async throws -> Response {
        let revision = try await change(call, at: { _ in nil }) { current in
            let (index, _) = try cdn(current, call.parameter)
            guard case .array(var list) = part(current, "cdns") else { return current.catalog.document }
            list.remove(at: index)
            return current.catalog.document.replacing("cdns", with: .array(list))
        }
        return Response(status: .noContent, headers: [.eTag: EntityTag.of(revision)])
    }

    private func changePart(_ call: Call, _ name: String, _ edit: (Document) -> Document) async throws -> Response {
        let revision = try await change(call, at: "/\(name)") { current in
            current.catalog.document.replacing(name, with: edit(part(current, name)))
        }
        return answer(part(revision, name), revision)
    }

    private func change(_ call: Call, at pointer: String, _ edit: (Revision) throws -> Document) async throws -> Revision {
        try await change(call, at: { _ in pointer }, edit)
    }

    /// - Parameter place: where in the catalog the caller's body stands, so that faults point into the body; nil without a body.
    private func change(
        _ call: Call, at place: (Revision) throws -> String?, _ edit: (Revision) throws -> Document
    ) async throws -> Revision {
        let comment = try call.query("comment") ?? ""
        guard comment.unicodeScalars.count <= 500, !comment.unicodeScalars.contains(where: { $0.value == 0 }) else {
            throw Problem(.badRequest, "The comment must have at most 500 characters and no NUL.")
        }
        let current = try await newest()
        try EntityTag.check(call.request.headers[.ifMatch], against: current)
        let catalog = try valid(try edit(current), at: try place(current))
        do {
            return try await node.commit(catalog, expecting: current.id, author: call.author, comment: comment)
        } catch let error as StorageError {
            guard case .conflict = error.kind else { throw error }
            throw EntityTag.stale(try await newest())
        }
    }

    private func valid(_ document: Document, at place: String?) throws(Problem) -> Catalog {
        do throws(CatalogFaults) {
            return try Catalog(document)
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

extension CatalogEndpoints {
    /// Going back: an old catalog becomes a new revision.
    var restore: Endpoint {
        Endpoint(.post, "/api/v1/revisions/:id/restore", .operator) { call in
            guard let id = Int(call.parameter), let old = try await node.revision(id) else {
                throw Problem(.notFound, "There is no revision \(call.parameter.prefix(20)); GET /api/v1/revisions lists them.")
            }
            let revision = try await change(call, at: "") { _ in old.catalog.document }
            return answer(revision.catalog.document, revision)
        }
    }
}
