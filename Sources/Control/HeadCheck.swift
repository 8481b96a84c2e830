import Foundation
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import Steering

/// Judges what the server's own types do not keep: how many `Host` fields a head had, and its version. The fault goes to the dispatcher in a
/// field of its own, so that it is answered like every other.
final class HeadCheck: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        head.headers.remove(name: HTTPField.Name.hostFault.rawName)
        let target = HeadCheck.authority(of: head.uri)
        if let fault = HeadCheck.fault(head, target) {
            head.headers.remove(name: "host")
            head.headers.add(name: HTTPField.Name.hostFault.rawName, value: fault)
        } else if let target {
            head.headers.replaceOrAdd(name: "host", value: target)
        }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    /// Of an absolute target, whose host counts in place of `Host` (RFC 9112 §3.2.2); nil for other targets.
    private static func authority(of target: String) -> String? {
        guard let scheme = ["http://", "https://"].first(where: { target.prefix($0.count).lowercased() == $0 }) else { return nil }
        return String(target.dropFirst(scheme.count).prefix { !"/?#".contains($0) })
    }

    /// RFC 9112 §3.2; HTTP/1.0 knows no `Host`. It is checked where the target's host counts, too.
    private static func fault(_ head: HTTPRequestHead, _ target: String?) -> String? {
        if let target, HostNames.host(in: target) == nil {
            return "The target's host must be a name or an address, with a port from 0 to 65535 or without"
        }
        let hosts = head.headers["host"]
        if hosts.count > 1 { return "Send one Host, not \(hosts.count)" }
        guard let host = hosts.first else { return head.version.minor == 0 ? nil : "Send a Host" }
        return HostNames.host(in: host) == nil ? "Host must be a name or an address, with a port from 0 to 65535 or without" : nil
    }
}

/// Gives an answer of the server's parser, which is bare, the form of all others; puts `HeadCheck` where heads are still whole.
final class ParserAnswer: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    func handlerAdded(context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        do {
            let codec = try pipeline.handler(type: HTTP1ToHTTPServerCodec.self)
            try pipeline.addHandler(HeadCheck(), position: .before(codec))
        } catch {
            // Without the check nothing may be answered.
            context.close(promise: nil)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // The dispatcher's answers all have a number.
        guard case .head(let head) = unwrapOutboundIn(data), head.status == .badRequest, head.headerFields[.xRequestID] == nil else {
            return context.write(data, promise: promise)
        }
        let problem = Problem(.badRequest, "The request is not HTTP/1.1 as RFC 9112 has it.")
        let body = ByteBuffer(string: problem.document.prettyJSON)
        var fields: HTTPFields = [
            .contentType: "application/problem+json", .contentLength: "\(body.readableBytes)", .connection: "close",
            .date: ParserAnswer.date(Date.now), .cacheControl: "no-store",
        ]
        fields[.xContentTypeOptions] = "nosniff"
        context.write(wrapOutboundOut(.head(HTTPResponse(status: .badRequest, headerFields: fields))), promise: promise)
        context.write(wrapOutboundOut(.body(body)), promise: nil)
    }

    /// RFC 9110 §5.6.7.
    static func date(_ date: Date) -> String {
        date.formatted(
            Date.VerbatimFormatStyle(
                format: """
                    \(weekday: .abbreviated), \(day: .twoDigits) \(month: .abbreviated) \(year: .defaultDigits) \
                    \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits):\(second: .twoDigits) GMT
                    """, locale: Locale(identifier: "en_US_POSIX"), timeZone: .gmt, calendar: Calendar(identifier: .gregorian)))
    }
}

extension HTTPField.Name {
    // A token, so making it cannot fail; the fallback is never taken.
    static let hostFault = HTTPField.Name("X-Balancer-Host-Fault") ?? .via
}
