import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import Steering

/// One request on one connection: sends it when connected, and judges what comes back as it comes.
///
/// Confined to its channel's loop.
final class ProbeHandler: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let http: Probe.HTTP
    private let target: ProbeTarget
    private let answer: EventLoopPromise<ProbeClient.Heard>
    private var certificate: ProbeCertificate?
    private let limit: Int
    private var status = 0
    private var keepsAlive = false
    private var count = 0
    private var length: Int?
    private var playlist = PlaylistReader()

    init(_ http: Probe.HTTP, _ target: ProbeTarget, _ answer: EventLoopPromise<ProbeClient.Heard>) {
        self.http = http
        self.target = target
        self.answer = answer
        limit = http.playlist == .live ? ProbeClient.playlistLimit : ProbeClient.bodyLimit
    }

    func channelActive(context: ChannelHandlerContext) {
        var head = HTTPRequestHead(
            version: .http1_1, method: http.method == .head ? .HEAD : .GET, uri: "\(target.prefix)\(http.path)",
            headers: ["Host": http.host ?? target.authority, "User-Agent": "video-balancer"])
        for header in http.headers { head.headers.replaceOrAdd(name: header.name, value: header.value) }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            certificate = ProbeHandler.peer(context).map { ProbeCertificate($0) }
            read(head)
        case .body(let bytes): read(bytes)
        case .end: finish(isCut: false, keeping: keepsAlive ? context.channel : nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Many servers end a connection without saying so in TLS; whether the answer was whole is what the decoder says.
        if case NIOSSLError.uncleanShutdown = error { return }
        if let fault = mistrust(error, context) { give(.verdict(.bad(fault.reason))) } else { answer.fail(error) }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { answer.fail(ProbeFault.closed) }

    /// What is wrong with the server's certificate, when that is why the handshake failed.
    private func mistrust(_ error: any Error, _ context: ChannelHandlerContext) -> ProbeFault? {
        let isForOther = (error as? NIOSSLExtraError) == .failedToValidateHostname
        guard isForOther || "\(error)".contains("CERTIFICATE_VERIFY_FAILED") else { return nil }
        guard let peer = ProbeHandler.peer(context) else { return nil }
        certificate = ProbeCertificate(peer)
        return isForOther ? ProbeFault(peer, not: target.host) : ProbeFault(peer, at: .now)
    }

    private static func peer(_ context: ChannelHandlerContext) -> NIOSSLCertificate? {
        try? context.pipeline.syncOperations.nioSSL_peerCertificate()
    }

    private func give(_ answer: ProbeClient.Answer, keeping connection: (any Channel)? = nil) {
        self.answer.succeed(.init(answer: answer, certificate: certificate, connection: connection))
    }

    private func read(_ head: HTTPResponseHead) {
        status = Int(head.status.code)
        keepsAlive = head.isKeepAlive
        length = head.headers.first(name: "Content-Length").flatMap { Int($0) }
        if !http.expect.contains(status) {
            give(.verdict(.bad("status \(status), not \(http.expect.map(String.init).joined(separator: " or "))")))
        }
    }

    private func read(_ bytes: ByteBuffer) {
        let room = limit - count
        count += bytes.readableBytes
        if http.playlist != nil { playlist.read(bytes.readableBytesView.prefix(room)) }
        // A bound on what is read is no verdict: what was read is judged.
        if count > limit { finish(isCut: true) }
    }

    private func finish(isCut: Bool, keeping connection: (any Channel)? = nil) {
        guard http.playlist != nil else { return give(.verdict(.good("\(status)")), keeping: connection) }
        give(.playlist(status: status, playlist.finish(isCut: isCut, length: length)), keeping: connection)
    }
}
