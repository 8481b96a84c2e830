public import Hummingbird
import HTTPTypes
public import Logging
import Steering

/// What the control plane shows of the rest of the process. Closures, because it sees neither the data plane nor the wiring.
public struct ControlSource: Sendable {
    public enum Readiness: Sendable, Equatable {
        case ready
        /// Redirects go on, but the database does not answer.
        case degraded(String)
        case draining
    }

    public let readiness: @Sendable () async -> Readiness
    public let metrics: @Sendable () async throws -> [MetricFamily]

    public init(readiness: @escaping @Sendable () async -> Readiness, metrics: @escaping @Sendable () async throws -> [MetricFamily]) {
        self.readiness = readiness
        self.metrics = metrics
    }
}

/// The control plane: an HTTP server of its own on its own port.
public enum ControlServer {
    /// - Parameters:
    ///   - host: a literal address.
    ///   - started: told the port once it listens.
    public static func application(
        host: String, port: Int, source: ControlSource, logger: Logger, started: @escaping @Sendable (Int) -> Void
    ) -> some ApplicationProtocol {
        Application(
            router: router(source),
            server: .http1(configuration: .init(idleTimeout: .seconds(30))),
            configuration: .init(address: .hostname(host, port: port), serverName: nil),
            onServerRunning: { channel in started(channel.localAddress?.port ?? port) },
            logger: logger)
    }

    private static func router(_ source: ControlSource) -> Router<BasicRequestContext> {
        let router = Router()
        router.add(middleware: ProblemMiddleware())
        router.get("livez") { _, _ in text(.ok, "ok\n") }
        router.get("readyz") { _, _ in
            switch await source.readiness() {
            case .ready: text(.ok, "ready\n")
            case .degraded(let why): text(.ok, "ready, degraded: \(why)\n")
            case .draining: text(.serviceUnavailable, "draining\n")
            }
        }
        router.get("metrics") { _, _ in
            text(.ok, Exposition.text(try await source.metrics()), type: Exposition.contentType)
        }
        return router
    }

    private static func text(_ status: HTTPResponse.Status, _ body: String, type: String = "text/plain; charset=utf-8") -> Response {
        Response(
            status: status, headers: [.contentType: type, .cacheControl: "no-store"], body: .init(byteBuffer: ByteBuffer(string: body)))
    }
}
