import HTTPTypes
import Hummingbird
import Logging
import Steering

/// Turns every error of the control plane into a problem document (RFC 9457).
struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    func handle(_ request: Request, context: Context, next: (Request, Context) async throws -> Response) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPError {
            return problem(error.status, error.body ?? error.status.reasonPhrase)
        } catch {
            context.logger.error("request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            return problem(.internalServerError, "The server failed on this request; its log says why.")
        }
    }

    private func problem(_ status: HTTPResponse.Status, _ detail: String) -> Response {
        let document = Document.object([
            .init("type", .string("about:blank")), .init("title", .string(status.reasonPhrase)),
            .init("status", .integer(status.code)), .init("detail", .string(detail)),
        ])
        return Response(
            status: status, headers: [.contentType: "application/problem+json", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: document.json + "\n")))
    }
}
