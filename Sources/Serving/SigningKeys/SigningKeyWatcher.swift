import ServiceLifecycle

/// Follows the keys that sign links: a changed file signs on every worker within seconds.
struct SigningKeyWatcher: Service {
    static let interval = Duration.seconds(10)

    let files: SigningKeyFiles
    let publisher: Publisher
    /// A look by a signal and one by the clock, one after the other: the newer must win.
    private let turnstile = Turnstile()

    init(files: SigningKeyFiles, publisher: Publisher) {
        self.files = files
        self.publisher = publisher
    }

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: SigningKeyWatcher.interval)
                await look()
            }
        }
    }

    /// Compares once and takes over what differs.
    func look() async {
        try? await turnstile.pass {
            if await files.look() { await publisher.signingKeysChanged(await files.keys) }
        }
    }
}
