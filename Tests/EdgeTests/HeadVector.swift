@testable import Edge

/// One input of the head scanner with the verdict it must get.
struct HeadVector: Sendable {
    let bytes: [UInt8]
    let verdict: Verdict

    /// - Parameter text: ends where the head ends.
    static func accepts(_ text: String, _ head: ReadHead = ReadHead()) -> HeadVector {
        let bytes = [UInt8](latin1: text)
        return HeadVector(bytes: bytes, verdict: .accepts(head, length: bytes.count))
    }

    static func refuses(_ text: String, _ fault: HTTPFault) -> HeadVector {
        HeadVector(bytes: [UInt8](latin1: text), verdict: .refuses(fault))
    }

    static func waits(_ text: String) -> HeadVector { HeadVector(bytes: [UInt8](latin1: text), verdict: .waits) }

    /// A whole head of a request line and field lines.
    static func head(_ line: String = "GET / HTTP/1.1", _ fields: [String] = ["Host: h"]) -> String {
        ([line] + fields).map { "\($0)\r\n" }.joined() + "\r\n"
    }

    /// A whole head with a Host and one more field line.
    static func head(adding field: String) -> String { head(fields: ["Host: h", field]) }

    static func head(fields: [String]) -> String { head("GET / HTTP/1.1", fields) }
}

extension [HeadVector] {
    /// All vectors.
    static var all: [HeadVector] {
        requestLines + methods + targets + versions + lineEnds + fields + hosts + framings + connections + expectations + accepts + limits
    }
}
