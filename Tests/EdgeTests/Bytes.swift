/// Bytes and text, one scalar a byte: a request may hold bytes that are no UTF-8.
extension [UInt8] {
    /// - Parameter text: scalars up to U+00FF alone.
    init(latin1 text: String) { self = text.unicodeScalars.map { UInt8($0.value) } }

    /// The bytes as text, one scalar a byte.
    var latin1: String { ArraySlice(self).latin1 }
}

extension ArraySlice<UInt8> {
    var latin1: String { String(String.UnicodeScalarView(map { Unicode.Scalar($0) })) }
}

/// Text for a failure message: controls and bytes from 0x7F on are escaped, long text is cut.
func shown(_ bytes: [UInt8]) -> String {
    let text = bytes.prefix(300).latin1.unicodeScalars.map { $0.escaped(asASCII: true) }.joined()
    return bytes.count > 300 ? "\(text)… (\(bytes.count) bytes)" : text
}
