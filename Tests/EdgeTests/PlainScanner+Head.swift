@testable import Edge

extension PlainScanner {
    /// The plain head that stands in `range`; nil when there is none.
    ///
    /// - Parameter last: the one before it.
    static func scan(
        _ bytes: borrowing Span<UInt8>, _ range: Range<Int>, limits: Limits, after last: RequestHead? = nil
    ) -> RequestHead? {
        var head = last ?? RequestHead()
        return scan(bytes, range, limits: limits, &head) ? head : nil
    }
}
