/// The two kinds of content steering, which differ in how a player reports.
public enum SteeringFormat: Sendable, CaseIterable {
    /// HLS (draft-pantos-hls-rfc8216bis §7).
    case hls
    /// DASH (ETSI TS 103 998).
    case dash

    /// What stands before the server's label.
    public var path: StaticString {
        switch self {
        case .hls: "/steering/hls/"
        case .dash: "/steering/dash/"
        }
    }

    /// Of a request's path; nil when it is no steering path.
    public init?(_ bytes: borrowing Span<UInt8>, path: Range<Int>) {
        if bytes.begins(with: SteeringFormat.hls.path, in: path) {
            self = .hls
        } else if bytes.begins(with: SteeringFormat.dash.path, in: path) {
            self = .dash
        } else {
            return nil
        }
    }
}

/// What a player says in the query of a steering request: the session, a CDN to leave out, and where it plays and how fast.
///
/// A player cannot mend what it sends, so what does not parse counts as absent and is counted. Offsets count in the request's bytes.
public struct SteeringQuery: Sendable, Equatable {
    /// Up to 20 decimal digits that fit into 64 bits.
    public private(set) var session: UInt64?
    /// Where the value of `avoid` stands.
    public private(set) var avoid: Range<Int>?
    /// Where the name of the pathway stands that the player uses: of several the last.
    public private(set) var pathway: Range<Int>?
    /// Parameters that did not parse.
    public private(set) var ignored = 0

    private var pathways = 0
    private var throughputs = 0

    /// - Parameter range: the query without its `?`.
    /// - Throws: `repeatedAvoid`.
    public init(_ text: borrowing Span<UInt8>, _ range: Range<Int>, _ format: SteeringFormat) throws(Refusal) {
        var start = range.lowerBound
        while start < range.upperBound {
            let end = text.firstIndex(of: UInt8(ascii: "&"), in: start..<range.upperBound)
            if text.begins(with: "session=", in: start..<end) {
                readSession(text, start + 8..<end)
            } else if text.begins(with: "avoid=", in: start..<end) {
                if avoid != nil { throw .repeatedAvoid }
                avoid = start + 6..<end
            } else {
                readReport(text, start..<end, format)
            }
            start = end + 1
        }
        // The lists of DASH say of each location how fast it was.
        if format == .dash, throughputs > 0, throughputs != pathways { ignored += 1 }
    }

    private mutating func readSession(_ text: borrowing Span<UInt8>, _ value: Range<Int>) {
        if session == nil, let number = SteeringQuery.number(text, value) { session = number } else { ignored += 1 }
    }

    private mutating func readReport(_ text: borrowing Span<UInt8>, _ parameter: Range<Int>, _ format: SteeringFormat) {
        let isHLS = format == .hls
        let (pathway, throughput): (StaticString, StaticString) =
            isHLS ? ("_HLS_pathway=", "_HLS_throughput=") : ("_DASH_pathway=", "_DASH_throughput=")
        if text.begins(with: pathway, in: parameter) {
            let list = SteeringQuery.unquoted(text, parameter.lowerBound + pathway.utf8CodeUnitCount..<parameter.upperBound)
            let (count, last) = SteeringQuery.items(text, list) { SteeringQuery.isName($0, $1) }
            guard pathways == 0, count > 0, count == 1 || !isHLS else { return ignored += 1 }
            (pathways, self.pathway) = (count, last)
        } else if text.begins(with: throughput, in: parameter) {
            let list = SteeringQuery.unquoted(text, parameter.lowerBound + throughput.utf8CodeUnitCount..<parameter.upperBound)
            let (count, _) = SteeringQuery.items(text, list) { ($1.isEmpty && !isHLS) || SteeringQuery.number($0, $1) != nil }
            guard throughputs == 0, count > 0, count == 1 || !isHLS else { return ignored += 1 }
            throughputs = count
        }
    }

    /// Nil for what is no number of at most 20 digits, or one that does not fit.
    public static func number(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> UInt64? {
        guard (1...20).contains(range.count) else { return nil }
        var number: UInt64 = 0
        for index in range {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (product, overflows) = number.multipliedReportingOverflow(by: 10)
            let (sum, carries) = product.addingReportingOverflow(UInt64(digit))
            if overflows || carries { return nil }
            number = sum
        }
        return number
    }

    /// A pathway's name as both specifications have it.
    private static func isName(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard (1...64).contains(range.count) else { return false }
        for index in range where !URLByte.isNameByte(text[index]) { return false }
        return true
    }

    /// A value without the quotes around it: HLS writes them, its players leave them out, and libraries encode them.
    private static func unquoted(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        if let inner = inside(text, range, width: 1) { return inner }
        return inside(text, range, width: 3) ?? range
    }

    private static func inside(_ text: borrowing Span<UInt8>, _ range: Range<Int>, width: Int) -> Range<Int>? {
        guard range.count >= 2 * width else { return nil }
        let inner = range.lowerBound + width..<range.upperBound - width
        let isQuoted = isQuote(text, range.lowerBound..<inner.lowerBound) && isQuote(text, inner.upperBound..<range.upperBound)
        return isQuoted ? inner : nil
    }

    private static func isQuote(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        text.equals("\"", in: range) || text.equals("%22", in: range)
    }

    /// How many items a list has, between commas that may be encoded, and where the last stands; none when one of them does not parse.
    private static func items(
        _ text: borrowing Span<UInt8>, _ list: Range<Int>, isItem: (borrowing Span<UInt8>, Range<Int>) -> Bool
    ) -> (count: Int, last: Range<Int>?) {
        var (start, count) = (list.lowerBound, 0)
        while true {
            let end = text.firstIndex(in: start..<list.upperBound) { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "%") }
            guard isItem(text, start..<end) else { return (0, nil) }
            count += 1
            if end == list.upperBound { return (count, start..<end) }
            if text[end] == UInt8(ascii: ",") {
                start = end + 1
            } else if text.begins(with: "%2C", in: end..<list.upperBound) || text.begins(with: "%2c", in: end..<list.upperBound) {
                start = end + 3
            } else {
                return (0, nil)
            }
        }
    }
}
