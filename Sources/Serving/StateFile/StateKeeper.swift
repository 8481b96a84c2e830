import Logging
import NIOPosix
import Probing
import ServiceLifecycle
import Steering
import Storage

/// Saves the last good catalog and the sequences once a second, and once more at the end.
actor StateKeeper: Service {
    private let file: StateFile
    private let node: String
    private let publisher: Publisher
    private let prober: Prober
    private let logger: Logger
    /// Disks may hang: this thread alone waits for them.
    private let thread = NIOThreadPool(numberOfThreads: 1)
    private var last: SavedState?
    private var trouble: String?

    init(file: StateFile, node: String, publisher: Publisher, prober: Prober, logger: Logger) {
        self.file = file
        self.node = node
        self.publisher = publisher
        self.prober = prober
        self.logger = logger
    }

    func run() async throws {
        thread.start()
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: .seconds(1))
                await self.save()
            }
        }
        await save()
    }

    private func save() async {
        let current = publisher.view.current
        let down = await prober.memories
        let state = SavedState(
            databaseID: current.databaseID, revision: current.revision, catalog: current.catalog,
            sequences: publisher.book.snapshot.map { SavedSequence(name: $0.name, redirects: $0.redirects, cdnBound: $0.cdnBound) },
            node: node, verdicts: down.map { SavedVerdict($0, now: SystemClock.now()) })
        guard state != last else { return }
        do {
            try await thread.runIfActive { [file] in try file.save(state) }
            last = state
            if trouble != nil { logger.notice("the state file is written again", metadata: ["path": "\(file.path)"]) }
            trouble = nil
        } catch {
            if trouble != "\(error)" {
                logger.error(
                    "the state file cannot be written; a restart would count from an older number", metadata: ["error": "\(error)"])
            }
            trouble = "\(error)"
        }
    }
}
