import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Steering

/// Sends one probe to each address of a target and reads the answers, within a deadline and a bound.
///
/// Each probe has a connection of its own: that a CDN takes new connections is part of what is asked. One that a good answer leaves open is
/// handed over with it, since its end tells that the server goes away. Redirects are not followed, so a
/// target cannot send the balancer elsewhere. All happens on one event loop, so that no other work of the process holds a verdict up.
struct ProbeClient: Sendable {
    /// More of an answer than this is not read.
    static let bodyLimit = 64 * 1024
    /// More of a live playlist than this is not read.
    static let playlistLimit = 4 * 1024 * 1024

    /// A timer that is later than this says that the process stood still.
    private static let lateness = TimeAmount.seconds(1)

    let eventLoop: any EventLoop
    let resolver: Resolver
    private let trusted: TrustedContext

    init(resolver: Resolver, on eventLoop: any EventLoop, roots: NIOSSLTrustRoots = .default) {
        self.resolver = resolver
        self.eventLoop = eventLoop
        trusted = TrustedContext(roots, on: eventLoop)
    }

    /// What one address answered.
    struct Found: Sendable {
        let address: ClientAddress
        let answer: Answer
        let took: TimeAmount
        /// What it has shown; nil without TLS.
        var certificate: ProbeCertificate?
        /// Still open; whoever asked closes it.
        var connection: (any Channel)?
    }

    /// An answer, the certificate that came before it, and the connection if it stays open.
    struct Heard: Sendable {
        let answer: Answer
        var certificate: ProbeCertificate?
        var connection: (any Channel)?
    }

    enum Answer: Sendable {
        case verdict(Verdict)
        /// A good status and the playlist of the body, which is still to be judged; nil when it is none.
        case playlist(status: Int, Playlist?)
    }

    /// Asks all addresses at once.
    ///
    /// - Returns: within the probe's timeout. Fails with `Resolver.Failure` when there is no address to ask.
    func ask(_ target: ProbeTarget) -> EventLoopFuture<[Found]> {
        eventLoop.flatSubmit {
            let began = NIODeadline.now()
            let timeout = TimeAmount.seconds(Int64(target.probe.timeout))
            return resolver.assumeIsolated {
                $0.addresses(
                    of: target.host, target.probe.addresses, patience: .nanoseconds(timeout.nanoseconds / 4), until: began + timeout)
            }.flatMap { addresses in
                EventLoopFuture.whenAllSucceed(addresses.map { ask(target, at: $0, from: began, until: began + timeout) }, on: eventLoop)
            }
        }
    }

    private func ask(
        _ target: ProbeTarget, at address: ClientAddress, from began: NIODeadline, until deadline: NIODeadline
    ) -> EventLoopFuture<Found> {
        let answer = eventLoop.makePromise(of: Heard.self)
        let timer = eventLoop.scheduleTask(deadline: deadline) {
            answer.succeed(
                Heard(
                    answer: .verdict(
                        .now() - deadline > ProbeClient.lateness
                            ? .unknown("this process stood still while it waited for the answer")
                            : .bad("no whole answer within \(target.probe.timeout) s"))))
        }
        answer.futureResult.whenComplete { _ in timer.cancel() }
        switch target.probe.check {
        case .tcp:
            connect(target, address, deadline, answer) { _ in }.whenSuccess { _ in
                answer.succeed(Heard(answer: .verdict(.good("connected"))))
            }
        case .http(let http):
            let security =
                target.scheme == .https ? trusted.assumeIsolated { $0.get() }.map(Optional.some) : eventLoop.makeSucceededFuture(nil)
            security.whenFailure { answer.fail($0) }
            security.whenSuccess { context in
                _ = connect(target, address, deadline, answer) { channel in
                    try add(ProbeHandler(http, target, answer), to: channel, context, target)
                }
            }
        }
        return answer.futureResult
            .flatMapErrorThrowing { Heard(answer: .verdict(ProbeFault.verdict($0, at: address))) }
            .map {
                Found(address: address, answer: $0.answer, took: .now() - began, certificate: $0.certificate, connection: $0.connection)
            }
    }

    /// Connects, and closes when the answer is there and does not keep the connection.
    private func connect(
        _ target: ProbeTarget, _ address: ClientAddress, _ deadline: NIODeadline, _ answer: EventLoopPromise<Heard>,
        _ prepare: @escaping @Sendable (any Channel) throws -> Void
    ) -> EventLoopFuture<any Channel> {
        let connected = eventLoop.submit { try SocketAddress(ipAddress: address.description, port: target.port) }
            .flatMap { peer in
                ClientBootstrap(group: eventLoop)
                    .connectTimeout(max(.milliseconds(1), deadline - .now()))
                    .channelInitializer { channel in channel.eventLoop.makeCompletedFuture { try prepare(channel) } }
                    .connect(to: peer)
            }
        connected.whenFailure { answer.fail($0) }
        connected.whenSuccess { channel in
            answer.futureResult.whenComplete { result in
                if case .success(let heard) = result, heard.connection != nil { return }
                channel.close(promise: nil)
            }
        }
        return connected
    }

    private func add(_ handler: ProbeHandler, to channel: any Channel, _ context: NIOSSLContext?, _ target: ProbeTarget) throws {
        let pipeline = channel.pipeline.syncOperations
        if let context {
            // An address has no name to send; its certificate is then compared with the address.
            let name = ClientAddress(target.host) == nil ? target.host : nil
            try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: name))
        }
        try pipeline.addHTTPClientHandlers(leftOverBytesStrategy: .dropBytes)
        try pipeline.addHandler(handler)
    }
}
