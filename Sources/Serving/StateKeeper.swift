import Logging
import ServiceLifecycle
import Storage

/// Saves the last good catalog and the sequences once a second, and once more at the end.
actor StateKeeper: Service {
    private let file: StateFile
    private let node: String
    private let publisher: Publisher
    private let logger: Logger
    private var last: SavedState?
    private var trouble: String?

    init(file: StateFile, node: String, publisher: Publisher, logger: Logger) {
        self.file = file
        self.node = node
        self.publisher = publisher
        self.logger = logger
    }

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: .seconds(1))
                await self.save()
            }
        }
        await save()
    }

    private func save() async {
        let state = await publisher.savedState(of: node)
        guard state != last else { return }
        do throws(StorageError) {
            try file.save(state)
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
