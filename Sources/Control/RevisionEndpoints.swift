import Foundation
import HTTPTypes
import Hummingbird
import Steering
import Storage

/// The history: who changed what, when and why.
struct RevisionEndpoints {
    let node: any Node

    var all: [Endpoint] {
        [
            Endpoint(.get, "/api/v1/revisions", .viewer, list),
            Endpoint(.get, "/api/v1/revisions/:id", .viewer, one),
        ]
    }

    /// A page. One more than asked for is read: the oldest one's difference needs its predecessor, and the page its end.
    @Sendable private func list(_ call: Call) async throws -> Response {
        let limit = try number(call, "limit", in: 1...100) ?? 20
        let before = try number(call, "before", in: 1...Int(Int32.max))
        let revisions = try await node.revisions(before: before, limit: limit + 1)
        let page = revisions.prefix(limit)
        let documents = page.indices.map { index in
            RevisionEndpoints.describe(page[index], after: index + 1 < revisions.count ? revisions[index + 1] : nil)
        }
        let next = revisions.count > limit ? page.last.map { Document.integer($0.id) } : nil
        return .json(.object([.init("revisions", .array(documents.map(Document.object))), .init("next", next ?? .null)]))
    }

    @Sendable private func one(_ call: Call) async throws -> Response {
        guard let id = Int(call.parameter), let revision = try await node.revision(id) else {
            throw Problem(.notFound, "There is no revision \(call.parameter.prefix(20)); GET /api/v1/revisions lists them.")
        }
        let members = RevisionEndpoints.describe(revision, after: try await node.revision(id - 1))
        var response = Response.json(.object(members + [.init("catalog", revision.catalog.document)]))
        response.headers[.eTag] = EntityTag.of(revision)
        return response
    }

    private func number(_ call: Call, _ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
        guard let text = try call.query(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw Problem(.badRequest, "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    private static func describe(_ revision: Revision, after previous: Revision?) -> [Document.Member] {
        let time = Date(timeIntervalSince1970: Double(revision.created) / 1000)
        let changes = previous.map { revision.catalog.document.changes(from: $0.catalog.document) } ?? []
        return [
            .init("id", .integer(revision.id)),
            .init("created", .string(time.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))),
            .init("author", .string(revision.author)),
            .init("comment", .string(revision.comment)),
            .init("checksum", .string(revision.checksum)),
            .init("changes", .array(changes.map(\.document))),
        ]
    }
}
