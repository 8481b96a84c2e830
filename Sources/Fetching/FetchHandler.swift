import NIOCore
import NIOHTTP1
import NIOHTTPCompression
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
            if body.count + bytes.readableBytes > Manifest.largest { return answer.fail(FetchHandler.tooLarge) }
            body += bytes.readableBytesView
        case .end: if let head { answer.succeed(FetchClient.Answer(head: head, body: body)) }
        }
    }

    private func take(_ head: HTTPResponseHead) {
        self.head = head
        guard head.status == .ok else { return answer.succeed(FetchClient.Answer(head: head, body: [])) }
        let codings = head.headers[canonicalForm: "Content-Encoding"].map { $0.lowercased() }
        // Not asked for, but there are stores that keep playlists compressed. The handler before this one undoes it.
        guard codings.count <= 1, codings.allSatisfy(["identity", "gzip", "deflate"].contains) else {
            return answer.fail(FetchFault(.coding, "its Content-Encoding is \(codings.joined(separator: ", ").prefix(40))"))
        }
        let length = head.headers.first(name: "Content-Length").flatMap { Int($0) }
        // Without either nobody can tell whether it was cut.
        if length == nil, !head.headers.contains(name: "Transfer-Encoding") {
            return answer.fail(FetchFault(.incomplete, "it has neither Content-Length nor chunks, so nobody can tell whether it is whole"))
        }
        if length ?? 0 > Manifest.largest { return answer.fail(FetchHandler.tooLarge) }
    }

    private static let tooLarge = FetchFault(.tooLarge, "it has more than \(Manifest.largest) bytes")

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        // Many servers end a connection without saying so in TLS; whether the answer was whole is what the decoder says.
        case NIOSSLError.uncleanShutdown: return
        case NIOHTTPDecompression.DecompressionError.limit: answer.fail(FetchHandler.tooLarge)
        case let error as NIOHTTPDecompression.ExtraDecompressionError where error == .truncatedData: answer.fail(FetchFault.cut)
        case is NIOHTTPDecompression.DecompressionError, is NIOHTTPDecompression.ExtraDecompressionError:
            answer.fail(FetchFault(.coding, "it is not compressed as its Content-Encoding says"))
        default: answer.fail(head == nil ? FetchFault(unreachable: error) : .cut)
        }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        answer.fail(head == nil ? FetchFault(.unreachable, "it closed the connection without an answer") : .cut)
    }
}
