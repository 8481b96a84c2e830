/// Where something stands in a request's head: its target, its query, its field lines.
///
/// A range that travels without its bytes says by its type which bytes it counts in, so that it cannot take the place of another's; a plain
/// `Range<Int>` counts in the bytes that stand beside it.
public struct HeadRange: Sendable, Equatable {
    public let range: Range<Int>

    @inlinable public init(_ range: Range<Int>) { self.range = range }

    /// Of what a request does not have.
    @inlinable public static var empty: HeadRange { HeadRange(0..<0) }
}
