import Foundation
import HTTPTypes
import HummingbirdCore
import Steering
import Storage

/// The history: who changed what, when and why.
struct RevisionEndpoints {
    let store: any RevisionHistory
    private let changes = UnknownChanges()

    init(store: any RevisionHistory) { self.store = store }

    var all: [Endpoint] {
        [
            Endpoint(.get, "/api/v1/revisions", .viewer, list),
            Endpoint(.get, "/api/v1/revisions/:id", .viewer, one),
        ]
    }

    /// A page. One more than asked for is read, which tells whether there is another.
    @Sendable private func list(_ call: Call) async throws -> Response {
        let limit = try number(call, "limit", in: 1...100) ?? 20
        let before = try number(call, "before", in: 1...Int(Int32.max))
        let revisions = try await store.revisions(before: before, limit: limit + 1)
        let page = Array(revisions.prefix(limit))
        let found = try await changes.find(in: page, call, store)
        let next = revisions.count > limit ? page.last.map { Document.integer($0.id) } : nil
        return try await call.compute {
            let documents = page.map { Document.object(RevisionEndpoints.describe($0, $0.changes ?? found[$0.id])) }
            return .json(.object([.init("revisions", .array(documents)), .init("next", next ?? .null)]))
        }
    }

    @Sendable private func one(_ call: Call) async throws -> Response {
        guard let id = Int(call.parameter), let stored = try await store.stored(id) else {
            throw Problem(.notFound, "There is no revision \(call.parameter.prefix(20)); GET /api/v1/revisions lists them.")
        }
        // The list has its changes, and needs one more to look past this one.
        let page = try await store.revisions(before: id.addingReportingOverflow(1).partialValue, limit: 1)
        let found = try await changes.find(in: page, call, store)
        let changes = page.first.flatMap { $0.changes ?? found[$0.id] }
        return try await call.compute {
            let members = RevisionEndpoints.describe(stored.summary, changes)
            var response = Response.json(.object(members + [.init("catalog", try stored.read().catalog.document)]))
            response.headers[.eTag] = EntityTag.of(stored.summary.id, stored.summary.checksum)
            return response
        }
    }

    private func number(_ call: Call, _ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
        guard let text = try call.query(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw Problem(.badRequest, "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    private static func describe(_ revision: RevisionSummary, _ changes: RevisionChanges?) -> [Document.Member] {
        let time = Date(timeIntervalSince1970: Double(revision.created) / 1000)
        return [
            .init("id", .integer(revision.id)),
            .init("created", .string(time.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))),
            .init("author", .string(revision.author)),
            .init("comment", .string(revision.comment)),
            .init("checksum", .string(revision.checksum)),
        ] + describe(changes)
    }

    /// - Parameter changes: nil when they are not known.
    static func describe(_ changes: RevisionChanges?) -> [Document.Member] {
        [
            .init("changes", .array(changes?.shown ?? [])),
            .init("changeCount", changes.map { .integer($0.count) } ?? .null),
        ]
    }
}
