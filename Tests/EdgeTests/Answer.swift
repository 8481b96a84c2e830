import Foundation
import Testing

/// One answer, taken apart strictly: whatever is not exactly an HTTP/1.1 answer is an error.
struct Answer: Equatable {
    let status: Int
    let fields: [(name: String, value: String)]
    let body: String

    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    /// The value of a field; nil when it is missing or stands twice.
    subscript(name: String) -> String? {
        let values = self[all: name]
        return values.count == 1 ? values[0] : nil
    }

    subscript(all name: String) -> [String] { fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value) }

    var closes: Bool { self["Connection"] == "close" }

    static func == (left: Answer, right: Answer) -> Bool {
        left.status == right.status && left.body == right.body && left.fields.elementsEqual(right.fields) { $0 == $1 }
    }

    /// Takes one answer from the front of `bytes`.
    ///
    /// - Parameter toHead: the request was HEAD: fields and no body.
    init(from bytes: inout ArraySlice<UInt8>, toHead: Bool = false) throws {
        var lines: [String] = []
        while true {
            guard let end = bytes.firstIndex(of: 0x0D), end + 1 < bytes.endIndex, bytes[end + 1] == 0x0A else {
                throw Malformed(description: "no CR LF in \(shown(Array(bytes)))")
            }
            let line = bytes[bytes.startIndex..<end]
            guard line.allSatisfy({ (0x20...0x7E).contains($0) }) else { throw Malformed(description: "controls in \(shown(Array(line)))") }
            bytes = bytes[(end + 2)...]
            if line.isEmpty { break }
            lines.append(line.latin1)
        }
        guard let first = lines.first, first.hasPrefix("HTTP/1.1 "), let status = Int(first.dropFirst(9).prefix(3)),
            first.dropFirst(12).hasPrefix(" ")
        else { throw Malformed(description: "status line \(lines.first ?? "missing")") }
        self.status = status
        fields = try lines.dropFirst().map { line in
            guard let colon = line.range(of: ": "), !line[..<colon.lowerBound].contains(" ") else {
                throw Malformed(description: "field \(line)")
            }
            return (String(line[..<colon.lowerBound]), String(line[colon.upperBound...]))
        }
        var length = 0
        if status != 204, status >= 200 {
            let values = fields.filter { $0.name == "Content-Length" }.compactMap { Int($0.value) }
            guard values.count == 1 else { throw Malformed(description: "Content-Length \(values) in \(lines)") }
            length = toHead ? 0 : values[0]
        }
        guard bytes.count >= length else { throw Malformed(description: "\(length - bytes.count) bytes of the body are missing") }
        body = bytes.prefix(length).latin1
        bytes = bytes.dropFirst(length)
    }

    /// All answers in `bytes`, which must hold nothing else.
    static func all(in bytes: [UInt8], toHead: Bool = false) throws -> [Answer] {
        var rest = bytes[...]
        var answers: [Answer] = []
        while !rest.isEmpty { answers.append(try Answer(from: &rest, toHead: toHead)) }
        return answers
    }

    /// The only answer in `bytes`.
    static func only(in bytes: [UInt8], toHead: Bool = false) throws -> Answer {
        let answers = try all(in: bytes, toHead: toHead)
        try #require(answers.count == 1, "\(answers.count) answers")
        return answers[0]
    }
}
