import HTTPTypes
import Hummingbird
import NIOCore
import Steering
import Storage

/// Reading a JSON body, with a limit.
enum RequestBody {
    static let longest = 1024 * 1024

    /// - Throws: 415 for another content type, 413 over the limit, 400 for what is no JSON.
    static func document(_ request: Request, types: [String] = ["application/json"]) async throws -> Document {
        let type = request.headers[.contentType]?.split(separator: ";").first.map { $0.lowercased().filter { $0 != " " } } ?? ""
        guard types.contains(type) else {
            throw Problem(.unsupportedMediaType, "Send the body as Content-Type: \(types.joined(separator: " or ")).")
        }
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > longest { throw tooLarge }
        let bytes: ByteBuffer
        do {
            bytes = try await request.body.collect(upTo: longest)
        } catch is NIOTooManyBytesError {
            throw tooLarge
        }
        do throws(JSONSyntaxError) {
            return try Document(foreign: Array(bytes.readableBytesView))
        } catch {
            throw Problem(.badRequest, "The body is \(error).")
        }
    }

    private static var tooLarge: Problem { Problem(.contentTooLarge, "The body is larger than \(longest) bytes.") }
}
