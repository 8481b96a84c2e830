import Steering

/// Whose pages may read an answer (Fetch standard, "CORS protocol").
enum AllowedOrigin: Equatable {
    /// Everybody's, without credentials; nothing is set that would tell origins apart.
    case any
    /// Everybody's, without credentials: this one is not listed.
    case unlisted
    /// The listed origin of this index, with credentials.
    case listed(Int)

    private static let fieldName = Array("origin".utf8)

    /// - Parameters:
    ///   - fields: a head's field lines in `bytes`.
    ///   - listed: the origins that may send credentials.
    init(_ fields: Range<Int>, of bytes: borrowing Span<UInt8>, listed: [String]) {
        self = .unlisted
        guard let origin = FieldLines.value(of: AllowedOrigin.fieldName, in: fields, of: bytes) else { return }
        for index in listed.indices where bytes.equals(listed[index], in: origin) {
            self = .listed(index)
            return
        }
    }

    var isListed: Bool { if case .listed = self { true } else { false } }

    /// What a preflight asks leave for, `Access-Control-Request-Headers`, when it may be repeated: names and commas, and not too many.
    ///
    /// A `*` instead would not cover `Authorization`, nothing at all with credentials, and older browsers do not know it.
    static func isFieldList(_ bytes: borrowing Span<UInt8>, _ value: Range<Int>) -> Bool {
        guard (1...1024).contains(value.count) else { return false }
        var start = value.lowerBound
        while start <= value.upperBound {
            let end = bytes.firstIndex(of: UInt8(ascii: ","), in: start..<value.upperBound)
            let name = bytes.trimmed(start..<end)
            if name.isEmpty { return false }
            for index in name where !HeadByte.isToken(bytes[index]) { return false }
            for index in start..<end where bytes[index] == .tab { return false }
            start = end + 1
        }
        return true
    }
}
