/// A link of a session: `/session/17/s1/…`, or `/session/17-2/s1/…` where a token is to cover the first two folders.
public struct SessionLink {
    /// Folders that can be said at most.
    public static let deepest = 99
    public let session: UInt64
    public let depth: Int?
    /// Where the video's path begins.
    public let path: Int

    /// - Parameter target: begins with `/session/`.
    public init?(_ bytes: borrowing Span<UInt8>, _ target: Range<Int>) {
        let start = target.lowerBound + 9
        path = bytes.firstIndex(of: UInt8(ascii: "/"), in: start..<target.upperBound)
        let hyphen = bytes.firstIndex(of: UInt8(ascii: "-"), in: start..<path)
        guard let session = SteeringQuery.number(bytes, start..<hyphen) else { return nil }
        self.session = session
        if hyphen == path {
            depth = nil
            return
        }
        guard path - hyphen <= 3, let depth = SteeringQuery.number(bytes, hyphen + 1..<path) else { return nil }
        self.depth = Int(depth)
    }
}
