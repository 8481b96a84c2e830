import Steering

/// The hops that `X-Forwarded-For` or `Forwarded` (RFC 7239 §4) list, over all lines of the field (RFC 9110 §5.3), read from the right.
///
/// The client is the first hop from the right that is no trusted proxy; the last, if all are. What stands before it was written by that
/// client and is not even looked at. A hop without an address (`unknown`, `_hidden`, a mistake) hides what is before it.
struct ForwardedChain {
    let source: ClientSource
    private(set) var client: ClientAddress?
    private var isEnded = false

    init(source: ClientSource) { self.source = source }

    /// - Parameter lines: whole field lines of a head that was found valid.
    mutating func read(_ bytes: borrowing Span<UInt8>, _ lines: Range<Int>) {
        let name = source.field.rawValue
        var end = lines.upperBound
        while end > lines.lowerBound, !isEnded {
            var start = end - 1
            while start > lines.lowerBound, bytes[start - 1] != .lineFeed { start -= 1 }
            let colon = bytes.firstIndex(of: UInt8(ascii: ":"), in: start..<end)
            if colon < end, colon - start == name.utf8.count, bytes.equalsIgnoringCase(name, in: start..<colon) {
                readElements(bytes, bytes.trimmed(colon + 1..<end - 2))
            }
            end = start
        }
    }

    /// Elements are separated by commas; one inside quotes does not separate.
    private mutating func readElements(_ bytes: borrowing Span<UInt8>, _ value: Range<Int>) {
        var end = value.upperBound
        var index = end
        var isQuoted = false
        while !isEnded {
            if index == value.lowerBound || (bytes[index - 1] == UInt8(ascii: ",") && !isQuoted) {
                take(bytes, bytes.trimmed(index..<end))
                if index == value.lowerBound { return }
                end = index - 1
            } else if bytes[index - 1] == UInt8(ascii: "\"") {
                isQuoted.toggle()
            }
            index -= 1
        }
    }

    private mutating func take(_ bytes: borrowing Span<UInt8>, _ element: Range<Int>) {
        // An empty element is no hop (RFC 9110 §5.6.1).
        if element.isEmpty { return }
        guard let node = source.field == .forwarded ? forNode(bytes, element) : element, let hop = address(bytes, node) else {
            isEnded = true
            return
        }
        client = hop
        isEnded = !source.trusts(hop)
    }

    /// The value of the parameter `for`, without its quotes.
    private func forNode(_ bytes: borrowing Span<UInt8>, _ element: Range<Int>) -> Range<Int>? {
        var start = element.lowerBound
        while start < element.upperBound {
            let end = bytes.firstIndex(of: UInt8(ascii: ";"), in: start..<element.upperBound)
            let pair = bytes.trimmed(start..<end)
            if pair.count > 4, bytes.equalsIgnoringCase("for=", in: pair.lowerBound..<pair.lowerBound + 4) {
                var node = pair.lowerBound + 4..<pair.upperBound
                if node.count >= 2, bytes[node.lowerBound] == UInt8(ascii: "\""), bytes[node.upperBound - 1] == UInt8(ascii: "\"") {
                    node = node.lowerBound + 1..<node.upperBound - 1
                }
                return node
            }
            start = end + 1
        }
        return nil
    }

    /// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`.
    private func address(_ bytes: borrowing Span<UInt8>, _ node: Range<Int>) -> ClientAddress? {
        if node.isEmpty { return nil }
        if bytes[node.lowerBound] == UInt8(ascii: "[") {
            let close = bytes.firstIndex(of: UInt8(ascii: "]"), in: node)
            guard close < node.upperBound, close + 1 == node.upperBound || bytes[close + 1] == UInt8(ascii: ":") else { return nil }
            return ClientAddress(bytes, node.lowerBound + 1..<close)
        }
        let colon = bytes.firstIndex(of: UInt8(ascii: ":"), in: node)
        let hasPort = colon < node.upperBound && bytes.firstIndex(of: UInt8(ascii: ":"), in: colon + 1..<node.upperBound) == node.upperBound
        return ClientAddress(bytes, hasPort ? node.lowerBound..<colon : node)
    }
}
