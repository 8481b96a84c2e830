import HTTPTypes
import HummingbirdCore
import NIOCore
import ServiceLifecycle
import Storage
import Synchronization

/// `GET /api/v1/events`: the status each second, as server-sent events (HTML standard, section 9.2).
///
/// The next event is made when the client has taken the one before, so that one that does not read costs no memory. A stream ends when
/// its key or session does, and when the control plane stops.
struct EventsEndpoint {
    let gate: Gate
    private let feed: StatusFeed
    private let places = Places()

    init(feed: StatusFeed, gate: Gate) {
        self.gate = gate
        self.feed = feed
    }

    var endpoint: Endpoint { Endpoint(.get, "/api/v1/events", .viewer, stream) }

    @Sendable private func stream(_ call: Call) async throws -> Response {
        let count = try count(call)
        guard let caller = call.caller, let place = places.take(by: caller.key.hash) else {
            throw Problem(
                .serviceUnavailable,
                """
                \(Places.maximumOfKey) event streams of this key or \(Places.maximum) of all are open, which is the limit; close one, or ask \
                GET /api/v1/status.
                """, headers: [(.retryAfter, "5")])
        }
        var response = Response(status: .ok, headers: [.contentType: "text/event-stream"])
        // nginx in between would gather events up.
        response.headers[.xAccelBuffering] = "no"
        response.body = ResponseBody { [gate, feed] writer in
            defer { withExtendedLifetime(place) {} }
            try await writer.write(ByteBuffer(string: "retry: 2000\n\n"))
            for number in 1... {
                guard gate.admits(caller) else { break }
                try await writer.write(ByteBuffer(string: "event: status\ndata: \(try await feed.text())\n\n"))
                if number == count || Task.isShuttingDownGracefully { break }
                do {
                    try await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
                } catch is CancellationError {
                    break
                }
            }
            try await writer.finish(nil)
        }
        return response
    }

    /// After how many events the stream ends; nil for never.
    private func count(_ call: Call) throws(Problem) -> Int? {
        guard let text = try call.query("count") else { return nil }
        guard let count = Int(text), (1...3600).contains(count) else {
            throw Problem(.badRequest, "count must be a whole number from 1 to 3600.")
        }
        return count
    }
}

/// Streams that are open at once: at most so many, and at most so many of one key.
final class Places: Sendable {
    static let maximum = 32
    static let maximumOfKey = 8
    private let taken = Mutex<[String: Int]>([:])

    /// Nil when all are taken.
    func take(by key: String) -> Place? {
        let isFree = taken.withLock { taken in
            guard taken.values.reduce(0, +) < Places.maximum, taken[key, default: 0] < Places.maximumOfKey else { return false }
            taken[key, default: 0] += 1
            return true
        }
        return isFree ? Place(places: self, key: key) : nil
    }

    func release(by key: String) {
        taken.withLock { taken in
            let rest = (taken[key] ?? 0) - 1
            taken[key] = rest > 0 ? rest : nil
        }
    }
}

/// One stream's place: free again when nothing holds it, also where an answer was never begun.
final class Place: Sendable {
    private let places: Places
    private let key: String
    init(places: Places, key: String) {
        self.places = places
        self.key = key
    }
    deinit { places.release(by: key) }
}

extension HTTPField.Name {
    // A token, so making it cannot fail; the fallback is never taken.
    fileprivate static let xAccelBuffering = HTTPField.Name("X-Accel-Buffering") ?? .via
}
