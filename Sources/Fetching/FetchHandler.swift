import NIOCore
import NIOHTTP1
import NIOSSL
import Playlist

/// One request on one connection: collects the answer, as far as it may be long.
///
/// Confined to its channel's loop.
final class FetchHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let url: FetchURL
    private let answer: EventLoopPromise<FetchClient.Answer>
    private var head: HTTPResponseHead?
    private var body: [UInt8] = []

    init(_ url: FetchURL, _ answer: EventLoopPromise<FetchClient.Answer>) {
        self.url = url
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        // Nothing of any viewer is in it: what it gets is for all.
        let head = HTTPRequestHead(
            version: .http1_1, method: .GET, uri: url.target,
            headers: [
                "Host": url.authority, "User-Agent": "video-balancer", "Accept": "*/*", "Accept-Encoding": "identity",
                "Connection": "close",
            ])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): take(head)
        case .body(let bytes):
            if body.count + bytes.readableBytes > Manifest.largest { return answer.fail(Manifest.Refusal.tooLarge) }
            body += bytes.readableBytesView
        case .end: if let head { answer.succeed(FetchClient.Answer(head: head, body: body)) }
        }
    }

    private func take(_ head: HTTPResponseHead) {
        self.head = head
        guard head.status == .ok else { return answer.succeed(FetchClient.Answer(head: head, body: [])) }
        let coding = head.headers[canonicalForm: "Content-Encoding"]
        if coding.contains(where: { $0.lowercased() != "identity" }) { return answer.fail(Manifest.Refusal.coding) }
        let length = head.headers.first(name: "Content-Length").flatMap { Int($0) }
        // Without either nobody can tell whether it was cut.
        if length == nil, !head.headers.contains(name: "Transfer-Encoding") { return answer.fail(Manifest.Refusal.incomplete) }
        if length ?? 0 > Manifest.largest { return answer.fail(Manifest.Refusal.tooLarge) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Many servers end a connection without saying so in TLS; whether the answer was whole is what the decoder says.
        if case NIOSSLError.uncleanShutdown = error { return }
        fail()
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { fail() }

    private func fail() { answer.fail(head == nil ? Manifest.Refusal.unreachable : .incomplete) }
}
