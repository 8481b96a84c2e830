/// Who asks for a video, and when: what rules, viewers and caps go by. Offsets count in the bytes of the request.
public struct Asker: Sendable {
    public let client: ClientAddress
    /// Seconds since 1970-01-01 UTC.
    public let second: Int
    /// Index of a CDN that must not be chosen.
    public let avoided: Int?
    /// The head's field lines.
    public let fields: Range<Int>
    /// The balancer's own query, without its `?`.
    public let query: Range<Int>

    public init(client: ClientAddress, second: Int, avoided: Int? = nil, fields: Range<Int> = 0..<0, query: Range<Int> = 0..<0) {
        self.client = client
        self.second = second
        self.avoided = avoided
        self.fields = fields
        self.query = query
    }
}
