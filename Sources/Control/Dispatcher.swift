import Foundation
import HTTPTypes
import HummingbirdCore
import Logging
import Metrics
import NIOCore
import Storage

/// Finds the endpoint, checks who calls, and makes every answer, errors included, one of the contract's.
///
/// The table of endpoints decides in one place which paths exist, which methods they take, and which role each needs.
struct Dispatcher {
    let endpoints: [Endpoint]
    let gate: Gate
    private let names: HostNames
    private let queue: ComputeQueue
    private let reads = BodyBudget(.reads)
    private let changes = BodyBudget(.changes)

    init(endpoints: [Endpoint], gate: Gate, names: HostNames, queue: ComputeQueue) {
        self.names = names
        self.endpoints = endpoints
        self.gate = gate
        self.queue = queue
    }

    /// - Parameter address: the client's, without its port.
    func respond(to request: Request, from address: String, logger: Logger) async -> Response {
        let id = UUID().uuidString
        let began = ContinuousClock.now
        let endpoint = find(request)
        var response: Response
        do {
            response = try await answer(request, address, endpoint)
        } catch let problem as Problem {
            response = problem.response
        } catch let error as StorageError {
            logger.error("the database failed", metadata: ["path": "\(request.uri.path)", "request": "\(id)", "error": "\(error)"])
            response = Problem(error).response
        } catch {
            logger.error("request failed", metadata: ["path": "\(request.uri.path)", "request": "\(id)", "error": "\(error)"])
            response = Problem(.internalServerError, "The server failed on this request; its log has request \(id).").response
        }
        Dispatcher.secure(&response, id)
        Dispatcher.report(endpoint, response.status, ContinuousClock.now - began)
        return request.method == .head ? response.createHeadResponse() : response
    }

    /// The endpoint of a request, with the value of its variable segment, or what its path takes instead.
    private enum Found {
        case endpoint(Endpoint, parameter: String)
        case otherMethods([HTTPRequest.Method])
        case nothing
    }

    private func find(_ request: Request) -> Found {
        // HAProxy's `option httpchk` without a path asks about the server as a whole (9110 §9.3.7).
        let isAboutServer = request.method == .options && ["/", "*"].contains(request.uri.path)
        let segments = isAboutServer ? ["readyz"] : request.uri.path.split(separator: "/", omittingEmptySubsequences: true)
        let matching = endpoints.compactMap { endpoint in endpoint.match(segments).map { (endpoint, $0) } }
        // Load balancers ask for health with OPTIONS (HAProxy's `option httpchk`).
        let isHealth = matching.contains { Dispatcher.health.contains($0.0.path) }
        let method = request.method == .head || isHealth && request.method == .options ? .get : request.method
        if let (endpoint, parameter) = matching.first(where: { $0.0.method == method }) { return .endpoint(endpoint, parameter: parameter) }
        return matching.isEmpty ? .nothing : .otherMethods(matching.map(\.0.method) + (isHealth ? [.options] : []))
    }

    private static let health: [[Substring]] = [["livez"], ["readyz"]]

    /// Counts an answer. Labels are the API's own words: a client cannot make new ones.
    private static func report(_ found: Found, _ status: HTTPResponse.Status, _ duration: Duration) {
        var labels = [("route", "none"), ("method", "other"), ("status", "\(status.code)")]
        if case .endpoint(let endpoint, _) = found {
            labels[0].1 = "/" + endpoint.path.joined(separator: "/")
            labels[1].1 = endpoint.method.rawValue
        }
        Counter(label: "http.server.requests", dimensions: labels).increment()
        Timer(label: "http.server.request.duration", dimensions: labels).record(duration: duration)
    }

    private func answer(_ request: Request, _ address: String, _ found: Found) async throws -> Response {
        let isForeign = try names.isForeign(request)
        if isForeign {
            guard case .endpoint(let endpoint, _) = found, endpoint.answersAnyName else { throw HostNames.misdirected(request) }
        }
        switch found {
        case .nothing: throw Problem(.notFound, "There is nothing here; /docs/swagger lists what there is.")
        case .otherMethods(let methods):
            let allowed = methods.map(\.rawValue).flatMap { $0 == "GET" ? ["GET", "HEAD"] : [$0] }.joined(separator: ", ")
            throw Problem(.methodNotAllowed, "This path takes \(allowed).", headers: [(.allow, allowed)])
        case .endpoint(let endpoint, let parameter): return try await call(endpoint, parameter, request, address, isForeign: isForeign)
        }
    }

    private func call(
        _ endpoint: Endpoint, _ parameter: String, _ request: Request, _ address: String, isForeign: Bool
    ) async throws -> Response {
        let caller = try endpoint.role.map { try gate.authorise(request, from: address, $0) }
        let isChange = endpoint.role.map { $0 >= .operator } ?? false
        let lease = BodyBudget.Lease(isChange ? changes : reads, key: caller?.key.hash ?? "")
        return try await endpoint.handle(
            Call(
                request: request, parameter: parameter, caller: caller, isForeign: isForeign, queue: queue, lease: lease,
                urgency: isChange ? .change : .read))
    }

    private static func secure(_ response: inout Response, _ id: String) {
        response.headers[.xRequestID] = id
        response.headers[.date] = ParserAnswer.date(Date.now)
        response.headers[.cacheControl] = response.headers[.cacheControl] ?? "no-store"
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.referrerPolicy] = "no-referrer"
        response.headers[.contentSecurityPolicy] =
            response.headers[.contentSecurityPolicy] ?? "default-src 'none'; frame-ancestors 'none'"
    }
}

extension HTTPField.Name {
    // The names are tokens, so making them cannot fail; the fallback is never taken.
    static let xRequestID = HTTPField.Name("X-Request-Id") ?? .via
    static let referrerPolicy = HTTPField.Name("Referrer-Policy") ?? .via
}
