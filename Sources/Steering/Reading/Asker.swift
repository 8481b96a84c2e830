/// Who asks for a video, and when: what rules, viewers and caps go by.
public struct Asker: Sendable {
    public let client: ClientAddress
    /// Seconds since 1970-01-01 UTC.
    public let second: Int
    /// Index of a CDN that must not be chosen.
    public let avoided: Int?
    /// The head's field lines.
    public let fields: HeadRange
    /// The balancer's own query, without its `?`.
    public let query: HeadRange
    /// Where the player says it is: a cap does not send away who is there.
    public let playing: Decision.Target?

    public init(
        client: ClientAddress, second: Int, avoided: Int? = nil, fields: HeadRange = .empty, query: HeadRange = .empty,
        playing: Decision.Target? = nil
    ) {
        self.client = client
        self.second = second
        self.avoided = avoided
        self.fields = fields
        self.query = query
        self.playing = playing
    }
}
