import Foundation

/// One line of the balancer's JSON log.
struct LogLine {
    private let members: [String: String]

    var time: String { members["time"] ?? "" }
    var level: String { members["level"] ?? "" }
    var message: String { members["message"] ?? "" }

    /// The time, which must be RFC 3339 in UTC.
    var date: Date {
        get throws {
            guard time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/) != nil,
                let date = try? Date.ISO8601FormatStyle(includingFractionalSeconds: time.contains(".")).parse(time)
            else { throw Failure("no RFC 3339 time in UTC: \(time)") }
            return date
        }
    }

    subscript(key: String) -> String? { members[key] }

    static func read(_ path: String) throws -> [LogLine] { try parse(try String(contentsOfFile: path, encoding: .utf8)) }

    /// All whole lines of a log; what follows the last line end is still being written.
    ///
    /// - Throws: `Failure` with a line that is no JSON object of strings.
    static func parse(_ text: String) throws -> [LogLine] {
        try text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { line in
            guard let members = try? JSONDecoder().decode([String: String].self, from: Data(line.utf8)) else {
                throw Failure("no JSON log line: \(line)")
            }
            return LogLine(members: members)
        }
    }
}
