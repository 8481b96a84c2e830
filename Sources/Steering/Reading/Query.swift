/// The parameters of a query that the balancer knows: `video`, `avoid` and `redirect`. Others are passed over.
///
/// Values run to the next `&` that is not encoded, and are given as they stand.
public struct Query: Sendable {
    /// Where the value of `video` stands; nil when there is none.
    public private(set) var video: Range<Int>?
    /// Where the value of `avoid` stands.
    public private(set) var avoid: Range<Int>?

    /// Whether it says `redirect=false`: the answer is to be a document, for who cannot see a redirect. Another value means nothing.
    public private(set) var wantsDocument = false

    /// What it knows.
    static let names = ["video", "avoid", "redirect"]

    /// Nothing that it knows.
    public init() {}

    /// - Parameter range: the query without its `?`.
    /// - Throws: `repeatedVideo`, `repeatedAvoid`.
    public init(_ text: borrowing Span<UInt8>, _ range: Range<Int>) throws(Refusal) {
        var start = range.lowerBound
        while start < range.upperBound {
            let end = text.firstIndex(of: UInt8(ascii: "&"), in: start..<range.upperBound)
            if text.begins(with: "video=", in: start..<end) {
                if video != nil { throw .repeatedVideo }
                video = start + 6..<end
            } else if text.begins(with: "avoid=", in: start..<end) {
                if avoid != nil { throw .repeatedAvoid }
                avoid = start + 6..<end
            } else if text.equals("redirect=false", in: start..<end) {
                wantsDocument = true
            }
            start = end + 1
        }
    }
}
