import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Steering

/// Sends one probe and reads its whole answer, within a deadline and a bound.
///
/// Each probe has a connection of its own: that a CDN takes new connections is part of what is asked. Redirects are not followed, so a
/// target cannot send the balancer elsewhere.
struct ProbeClient: Sendable {
    /// More of an answer than this is refused.
    static let bodyLimit = 64 * 1024

    /// Seconds after which a probe's connection ends even if nobody waits for it any more.
    private static let longest: Int64 = 61

    private let group = MultiThreadedEventLoopGroup.singleton
    let resolver: Resolver

    /// What came back, before the body is judged.
    enum Answer {
        case verdict(Verdict)
        /// A good status; the body is still to be judged.
        case body(status: Int, String)
    }

    /// Returns within the probe's timeout.
    func ask(_ target: ProbeTarget) async -> Answer {
        let timeout = Duration.seconds(target.probe.timeout)
        let (answers, first) = AsyncStream.makeStream(of: Answer.self, bufferingPolicy: .bufferingOldest(1))
        // Not a task group: that would wait for a name lookup, which nothing can cancel.
        let asking = Task { first.yield(await answer(of: target)) }
        let waiting = Task {
            try await Task.sleep(for: timeout)
            first.yield(.verdict(.bad("no whole answer within \(target.probe.timeout) s")))
        }
        defer {
            asking.cancel()
            waiting.cancel()
        }
        for await answer in answers { return answer }
        return .verdict(.bad("stopped"))
    }

    private func answer(of target: ProbeTarget) async -> Answer {
        do {
            let address = try await resolver.address(of: target.host)
            switch target.probe.check {
            case .tcp: return .verdict(try await connect(address, target))
            case .http(let http): return try await request(http, address, target)
            }
        } catch let failure as Resolver.Failure {
            return .verdict(.bad(failure.reason))
        } catch {
            return .verdict(.bad(ProbeClient.reason(error)))
        }
    }

    private func connect(_ address: ClientAddress, _ target: ProbeTarget) async throws -> Verdict {
        let channel = try await ClientBootstrap(group: group)
            .connectTimeout(.seconds(ProbeClient.longest))
            .connect(host: address.description, port: target.port).get()
        try? await channel.close()
        return .good("connected")
    }

    private func request(_ http: Probe.HTTP, _ address: ClientAddress, _ target: ProbeTarget) async throws -> Answer {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: .seconds(ProbeClient.longest)), decompression: .disabled)
        configuration.httpVersion = .http1Only
        configuration.dnsOverride = [target.host: address.description]
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
        let result: Result<Answer, any Error>
        do { result = .success(try await exchange(http, target, client)) } catch { result = .failure(error) }
        try? await client.shutdown()
        return try result.get()
    }

    private func exchange(_ http: Probe.HTTP, _ target: ProbeTarget, _ client: HTTPClient) async throws -> Answer {
        let host = target.host.contains(":") ? "[\(target.host)]" : target.host
        var request = HTTPClientRequest(url: "\(target.scheme.rawValue)://\(host):\(target.port)\(target.prefix)\(http.path)")
        request.method = http.method == .head ? .HEAD : .GET
        request.headers = HTTPHeaders([("Host", http.host ?? target.authority), ("User-Agent", "video-balancer"), ("Connection", "close")])
        for header in http.headers { request.headers.replaceOrAdd(name: header.name, value: header.value) }
        let response = try await client.execute(request, deadline: .now() + .seconds(ProbeClient.longest))
        let status = Int(response.status.code)
        guard http.expect.contains(status) else {
            return .verdict(.bad("status \(status), not \(http.expect.map(String.init).joined(separator: " or "))"))
        }
        do {
            let body = try await response.body.collect(upTo: ProbeClient.bodyLimit)
            return .body(status: status, String(buffer: body))
        } catch is NIOTooManyBytesError {
            return .verdict(.bad("the answer has more than \(ProbeClient.bodyLimit / 1024) KiB"))
        }
    }

    /// A library's error in an operator's words.
    private static func reason(_ error: any Error) -> String {
        if let error = error as? HTTPClientError {
            switch error {
            case .remoteConnectionClosed: return "closed before the answer was whole"
            case .connectTimeout, .deadlineExceeded, .readTimeout: return "no answer in time"
            default: return error.shortDescription
            }
        }
        if error as? HTTPParserError == .invalidEOFState { return "closed before the answer was whole" }
        if let error = error as? NIOConnectionError {
            return error.connectionErrors.first.map { reason($0.error) } ?? "no connection"
        }
        if let error = error as? IOError {
            return unsafe String(cString: strerror(error.errnoCode)).lowercased()
        }
        return "\(error)".split(separator: "\n").first.map { String($0.prefix(200)) } ?? "failed"
    }
}
