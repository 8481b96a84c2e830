import Foundation
import HTTPTypes
import NIOCore
import Steering

/// Tells a client that speaks HTTP where TLS alone is spoken, which else would be cut without a word. Stands before TLS.
final class PlainHTTPAnswer: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State { case unknown, secure, refused }
    private var state = State.unknown
    /// What still comes is read for that long, or it would reset the answer away.
    private static let drain = TimeAmount.seconds(1)

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if state == .unknown, let first = unwrapInboundIn(data).readableBytesView.first {
            // No record begins with a capital letter, and every request line does.
            state = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) ? .refused : .secure
            if state == .refused { refuse(context) }
        }
        if state != .refused { context.fireChannelRead(data) }
    }

    private func refuse(_ context: ChannelHandlerContext) {
        let body = Problem(.badRequest, "This port speaks TLS: ask it by https://.").document.prettyJSON
        let head = """
            HTTP/1.1 400 Bad Request\r
            Content-Type: application/problem+json\r
            Content-Length: \(body.utf8.count)\r
            Connection: close\r
            Date: \(ParserAnswer.date(Date.now))\r
            Cache-Control: no-store\r
            X-Content-Type-Options: nosniff\r
            \r

            """
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: head + body)), promise: nil)
        context.eventLoop.assumeIsolated().scheduleTask(in: PlainHTTPAnswer.drain) { context.close(promise: nil) }
    }
}
