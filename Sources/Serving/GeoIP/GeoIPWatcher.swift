import ServiceLifecycle

/// Follows the GeoIP databases: a new file is in use on every worker within seconds.
struct GeoIPWatcher: Service {
    /// The makers of databases bring a new one twice a week at most.
    static let interval = Duration.seconds(10)

    let files: GeoIPFiles
    let publisher: Publisher
    /// A look by a signal and one by the clock, one after the other: the newer must win.
    private let turnstile = Turnstile()

    init(files: GeoIPFiles, publisher: Publisher) {
        self.files = files
        self.publisher = publisher
    }

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: GeoIPWatcher.interval)
                await look()
            }
        }
    }

    /// Compares once and takes over what differs.
    func look() async {
        try? await turnstile.pass {
            if await files.look() { await publisher.geographyChanged(await files.geography) }
        }
    }
}
