import HTTPTypes
import HummingbirdCore
import NIOCore
import Steering
import Storage

/// Reading a JSON body, with a limit.
enum RequestBody {
    /// Of what is no catalog.
    static let maximum = 1024 * 1024
    /// Of a catalog or a list in it: what `catalog import` takes, the API takes.
    static let maximumCatalog = Document.maximumText

    /// - Parameter maximum: bytes.
    /// - Throws: 415 for another content type, 413 over the limit, 503 when too many bodies are held, 400 for what is no JSON.
    static func document(
        _ call: Call, types: [String] = ["application/json"], maximum: Int = maximum
    ) async throws -> Document {
        let bytes = try await bytes(call, types: types, maximum: maximum)
        return try await call.compute { try parsed(bytes) }
    }

    static func bytes(_ call: Call, types: [String] = ["application/json"], maximum: Int = maximum) async throws -> [UInt8] {
        let request = call.request
        let type = request.headers[.contentType]?.split(separator: ";").first.map { $0.lowercased().filter { $0 != " " } } ?? ""
        guard types.contains(type) else {
            throw Problem(.unsupportedMediaType, "Send the body as Content-Type: \(types.joined(separator: " or ")).")
        }
        let tooLarge = Problem(.contentTooLarge, "The body is larger than \(maximum) bytes.")
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > maximum { throw tooLarge }
        var bytes: [UInt8] = []
        for try await buffer in request.body {
            guard bytes.count + buffer.readableBytes <= maximum else { throw tooLarge }
            try call.lease.take(buffer.readableBytes)
            bytes += buffer.readableBytesView
        }
        return bytes
    }

    static func parsed(_ bytes: [UInt8]) throws(Problem) -> Document {
        do throws(JSONSyntaxError) {
            return try Document(json: bytes)
        } catch {
            throw Problem(.badRequest, "The body is \(error).")
        }
    }
}
