import Foundation

/// One whole HTTP answer.
struct Answer {
    let status: Int
    /// The status line and the fields, as they came.
    let head: String
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
    var location: String? { self["Location"] }
    var closes: Bool { self["Connection"]?.lowercased() == "close" }

    /// A field's value; nil when it is absent.
    subscript(name: String) -> String? {
        let prefix = name.lowercased() + ":"
        for line in head.split(separator: "\r\n").dropFirst() where line.prefix(prefix.count).lowercased() == prefix {
            return line.dropFirst(prefix.count).trimmingCharacters(in: .whitespaces)
        }
        return nil
    }

    /// A member of the JSON body, as text.
    func json(_ key: String) throws -> String? {
        guard let object = try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any] else {
            throw Failure("no JSON object: \(text)")
        }
        return object[key].map { "\($0)" }
    }
}

extension Answer {
    /// Takes a whole answer off the front of what was received.
    ///
    /// - Parameter hasBody: false for an answer to HEAD.
    /// - Returns: nil when more has to come.
    static func take(from input: inout ArraySlice<UInt8>, hasBody: Bool = true) throws -> Answer? {
        guard let end = endOfHead(input) else { return nil }
        let head = String(decoding: input[input.startIndex..<end], as: UTF8.self)
        guard head.hasPrefix("HTTP/1.1 "), let status = Int(head.dropFirst(9).prefix(3)) else { throw Failure("no HTTP answer: \(head)") }
        let bare = Answer(status: status, head: head, body: [])
        let length = hasBody && status != 204 ? bare["Content-Length"].flatMap { Int($0) } : 0
        guard let length else { throw Failure("an answer without a length: \(head)") }
        guard input.endIndex - end >= length else { return nil }
        let body = Array(input[end..<(end + length)])
        input = input[(end + length)...]
        return Answer(status: status, head: head, body: body)
    }

    private static func endOfHead(_ input: ArraySlice<UInt8>) -> Int? {
        var index = input.startIndex + 3
        while index < input.endIndex {
            // Steps over three bytes wherever none of the four could be a line end: heads are searched 100,000 times.
            if input[index] > 13 {
                index += 4
                continue
            }
            if input[index] == 10, input[index - 1] == 13, input[index - 2] == 10, input[index - 3] == 13 { return index + 1 }
            index += 1
        }
        return nil
    }
}
