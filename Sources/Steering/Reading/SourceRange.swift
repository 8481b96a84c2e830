/// Where something stands in the bytes that a video was read from: the request's head or body, or the text decoded from either.
///
/// - SeeAlso: `HeadRange`, which says why it has a type of its own.
public struct SourceRange: Sendable, Equatable {
    public let range: Range<Int>

    @inlinable public init(_ range: Range<Int>) { self.range = range }
}
