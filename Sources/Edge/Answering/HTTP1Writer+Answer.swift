import NIOCore
import Steering

extension HTTP1Writer {
    /// Writes any answer but a redirect, a page or a steering document.
    ///
    /// - Parameters:
    ///   - bytes: what the answer's ranges count in.
    ///   - second: seconds since 1970, UTC.
    mutating func write(_ answer: Answer, _ supplement: Supplement, of bytes: borrowing Span<UInt8>, _ framing: Framing, second: Int) {
        switch answer {
        case .refusal, .fault, .methodNotAllowed:
            guard var problem = answer.problem else { return }
            if case .detail(let detail) = supplement { problem.detail = detail }
            write(problem, framing, second: second)
        case .options(let methods, let fields): writeOptions(methods, fields, of: bytes, framing, second: second)
        case .health(let isWell):
            begin(answer.status, framing, second: second)
            end(body: Array((isWell ? "ok\n" : "draining\n").utf8), type: "text/plain; charset=utf-8", framing)
        case .upstream: if case .content(let content) = supplement { write(content, framing, second: second) }
        case .redirect, .page, .steering, .manifest, .needsBody, .needsUpstream, .needsTime: break
        }
    }

    /// Writes a page; its body is in `attachment` then.
    mutating func write(_ page: EdgePage, _ framing: Framing, second: Int) {
        beginFile(page.type, length: page.body.readableBytes, policy: page.policy, framing, second: second)
        if !framing.omitsBody { attachment = page.body }
    }

    /// Writes a manifest; one that is long is in `attachment` then.
    mutating func write(_ manifest: [UInt8], of format: SteeringFormat, _ framing: Framing, second: Int) {
        beginFile(format.manifestType, length: manifest.count, policy: nil, framing, second: second)
        if framing.omitsBody { return }
        if manifest.count <= Limits.pendingAnswerBytes { append(manifest) } else { attachment = ByteBuffer(bytes: manifest) }
    }

    private mutating func beginFile(_ type: String, length: Int, policy: String?, _ framing: Framing, second: Int) {
        begin(200, framing, second: second)
        field("Content-Security-Policy", policy ?? "default-src 'none'; frame-ancestors 'none'")
        field("X-Content-Type-Options", "nosniff")
        field("Content-Type", type)
        field("Content-Length", String(length))
        endWithoutContent()
    }

    private mutating func writeOptions(
        _ methods: Methods, _ fields: HeadRange?, of bytes: borrowing Span<UInt8>, _ framing: Framing, second: Int
    ) {
        begin(204, framing, second: second)
        field("Allow", methods.allow)
        field("Access-Control-Allow-Methods", methods.allow)
        append("Access-Control-Allow-Headers: ")
        if let fields {
            for index in fields.range { self.bytes.append(bytes[index]) }
        } else {
            append("*, Authorization")
        }
        append("\r\n")
        field("Access-Control-Max-Age", "86400")
        field("Vary", "Access-Control-Request-Headers")
        endWithoutContent()
    }

    /// A problem document (RFC 9457). Nothing from the request goes into it.
    private mutating func write(_ problem: Problem, _ framing: Framing, second: Int) {
        let document = Document.object([
            .init("type", .string("about:blank")),
            .init("title", .string(HTTP1Writer.title(problem.status))),
            .init("status", .integer(problem.status)),
            .init("detail", .string(problem.detail)),
            .init("reason", .string(problem.name)),
        ])
        begin(problem.status, framing, second: second)
        if let field = problem.field { self.field(field.name, field.value) }
        field("Access-Control-Expose-Headers", "Allow, Date, Retry-After")
        end(body: Array((document.json + "\n").utf8), type: "application/problem+json", framing)
    }

    /// Begins an answer with the fields that every answer has, and what browsers are told of the asking page's origin.
    mutating func begin(_ status: Int, _ framing: Framing, second: Int) {
        date.refresh(now: second)
        begin(status, framing, date: date.bytes)
        switch framing.allowedOrigin {
        case .any: break
        case .unlisted: field("Vary", "Origin")
        case .listed(let index):
            field("Access-Control-Allow-Origin", credentialOrigins[index])
            field("Access-Control-Allow-Credentials", "true")
            field("Vary", "Origin")
        }
    }
}
