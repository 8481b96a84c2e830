import Steering

/// The status, made once for all who ask at the same time.
actor StatusFeed {
    private static let lasts = Duration.milliseconds(500)

    private let node: any Node
    private let queue: ComputeQueue
    private var newest: (text: String, read: ContinuousClock.Instant)?
    private var isReading = false
    /// Who came while one was made: it may be older than what they have just changed.
    private var waiting: [CheckedContinuation<Document?, Never>] = []

    init(node: any Node, queue: ComputeQueue) {
        self.node = node
        self.queue = queue
    }

    /// JSON in one line, at most half a second old.
    func text() async throws -> String {
        if let newest, .now - newest.read < StatusFeed.lasts { return newest.text }
        let document = await document()
        let text = try await queue.run(for: "events") { document.json }
        newest = (text, .now)
        return text
    }

    /// A status that was begun after this call.
    func document() async -> Document {
        if isReading, let shared = await withCheckedContinuation({ waiting.append($0) }) { return shared }
        isReading = true
        let sharers = waiting
        waiting = []
        let document = await node.status()
        for sharer in sharers { sharer.resume(returning: document) }
        // Of those who came meanwhile the first makes the next.
        if waiting.isEmpty { isReading = false } else { waiting.removeFirst().resume(returning: nil) }
        return document
    }
}
