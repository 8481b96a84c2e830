import ServiceLifecycle

/// What follows when the last port is bound.
struct Announcement: Service {
    /// Of the control plane, once it listens.
    let ports: AsyncStream<Int>
    let announce: @Sendable (_ port: Int) async -> Void

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await port in ports { await announce(port) }
        }
    }
}
