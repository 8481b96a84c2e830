import Foundation
import HTTPTypes
import HummingbirdCore
import Steering
import Storage

/// `GET /api/v1/traffic`: sums of what the whole fleet answered.
struct TrafficEndpoint {
    let store: any TrafficHistory
    /// Milliseconds since 1970, UTC.
    let now: @Sendable () -> Int64

    var endpoint: Endpoint { Endpoint(.get, "/api/v1/traffic", .viewer, sums) }

    @Sendable private func sums(_ call: Call) async throws -> Response {
        let to = try time(call, "to") ?? now() / 1000 + 1
        let from = try time(call, "from") ?? to - 3600
        guard from < to else { throw Problem(.badRequest, "from must be earlier than to.") }
        let by = try dimensions(call)
        let sums = try await store.traffic(TrafficQuestion(from: from, to: to, by: by))
        guard sums.count < TrafficQuestion.maximumSums else {
            throw Problem(
                .badRequest, "The answer would have more than \(sums.count - 1) sums; ask for a shorter time or fewer dimensions.")
        }
        return try await call.compute { .json(TrafficEndpoint.describe(sums, by, from: from, to: to)) }
    }

    private static func describe(
        _ sums: [TrafficSum], _ by: [TrafficQuestion.Dimension], from: Int64, to: Int64
    ) -> Document {
        .object([
            .init("from", .string(TrafficEndpoint.text(from))),
            .init("to", .string(TrafficEndpoint.text(to))),
            .init("by", .array(by.map { .string($0.rawValue) })),
            .init("total", .integer(sums.reduce(0) { $0 &+ Int($1.requests) })),
            .init("sums", .array(sums.map { TrafficEndpoint.describe($0, by) })),
        ])
    }

    private func time(_ call: Call, _ name: String) throws(Problem) -> Int64? {
        guard let text = try call.query(name) else { return nil }
        guard let time = Call.time(text) else {
            throw Problem(.badRequest, "\(name) must be a time such as 2026-11-23T18:00:00Z.")
        }
        return time
    }

    private func dimensions(_ call: Call) throws(Problem) -> [TrafficQuestion.Dimension] {
        var dimensions: [TrafficQuestion.Dimension] = []
        for name in (try call.query("by") ?? "target").split(separator: ",", omittingEmptySubsequences: false) {
            guard let dimension = TrafficQuestion.Dimension(rawValue: String(name)), !dimensions.contains(dimension),
                dimension.seconds == nil || !dimensions.contains(where: { $0.seconds != nil })
            else {
                let known = TrafficQuestion.Dimension.allCases.map(\.rawValue).joined(separator: ", ")
                throw Problem(.badRequest, "by must be some of \(known), each once and with a comma between, and one of time at most.")
            }
            dimensions.append(dimension)
        }
        return dimensions
    }

    private static func describe(_ sum: TrafficSum, _ by: [TrafficQuestion.Dimension]) -> Document {
        let values = zip(by, sum.values).map { dimension, value in
            let document: Document =
                switch value {
                case .text(let text): .string(text)
                case .number(let number): dimension.seconds == nil ? .integer(Int(number)) : .string(text(number))
                }
            return Document.Member(dimension.rawValue, document)
        }
        return .object(values + [.init("requests", .integer(Int(sum.requests)))])
    }

    private static func text(_ seconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(seconds)).formatted(Date.ISO8601FormatStyle())
    }
}

extension Call {
    /// An RFC 3339 time in seconds since 1970, UTC; nil for everything else, and for years before 1970 or after 9999.
    static func time(_ text: String) -> Int64? {
        guard text.utf8.count <= 40 else { return nil }
        let styles = [Date.ISO8601FormatStyle(), Date.ISO8601FormatStyle(includingFractionalSeconds: true)]
        // RFC 3339 §5.6: T and Z may be written in lower case.
        let text = text.uppercased()
        guard let date = styles.lazy.compactMap({ try? Date(text, strategy: $0) }).first else { return nil }
        let seconds = date.timeIntervalSince1970.rounded(.down)
        return (0..<253_402_300_800).contains(seconds) ? Int64(seconds) : nil
    }
}
