import Steering

/// The status, read at most twice a second however many listen.
actor StatusFeed {
    private static let lasts = Duration.milliseconds(500)

    private let node: any Node
    private var newest: (text: String, read: ContinuousClock.Instant)?
    private var isReading = false

    init(node: any Node) { self.node = node }

    /// JSON in one line.
    func text() async -> String {
        if let newest, isReading || .now - newest.read < StatusFeed.lasts { return newest.text }
        isReading = true
        let text = await node.status().json
        isReading = false
        newest = (text, .now)
        return text
    }
}
