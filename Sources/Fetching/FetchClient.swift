import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOPosix
import NIOSSL
import Playlist
import Probing
import Steering

/// Sends one request and collects the answer, within a deadline and a bound. All on one event loop.
///
/// A connection for each request, as probes have: what is asked here is asked seldom, since answers are kept and shared.
struct FetchClient: Sendable {
    struct Answer: Sendable {
        let head: HTTPResponseHead
        let body: [UInt8]
    }

    /// Addresses of a host that are tried, one after the other.
    private static let maximumAddresses = 3
    private static let connectTimeout = TimeAmount.milliseconds(800)

    let eventLoop: any EventLoop
    private let resolver: Probing.Resolver
    private let trusted: TrustedContext

    init(allowsLinkLocal: Bool, on eventLoop: any EventLoop, roots: NIOSSLTrustRoots) {
        self.eventLoop = eventLoop
        resolver = Probing.Resolver.system(allowsLinkLocal: allowsLinkLocal, on: eventLoop)
        trusted = TrustedContext(roots, on: eventLoop)
    }

    /// Called on the loop.
    ///
    /// - Returns: at the deadline at the latest. Fails with `FetchFault`.
    func get(_ url: FetchURL, until deadline: NIODeadline) -> EventLoopFuture<Answer> {
        let answer = eventLoop.makePromise(of: Answer.self)
        let timer = eventLoop.scheduleTask(deadline: deadline) {
            answer.fail(FetchFault(.unreachable, "it has not answered in time"))
        }
        answer.futureResult.whenComplete { _ in timer.cancel() }
        let context =
            url.isSecure
            ? trusted.assumeIsolated { $0.get() }.map(Optional.some) : eventLoop.makeSucceededFuture(NIOSSLContext?.none)
        let addresses = resolver.assumeIsolated {
            $0.addresses(of: url.host, .any, patience: FetchClient.connectTimeout, until: deadline)
        }
        addresses.and(context).whenComplete { result in
            switch result {
            case .success(let (addresses, context)):
                let addresses = addresses.prefix(FetchClient.maximumAddresses).map(\.description)[...]
                connect(url, addresses, context, deadline, answer, last: FetchFault(.unreachable, "its name has no address"))
            case .failure(let error): answer.fail(FetchFault(unreachable: error))
            }
        }
        return answer.futureResult
    }

    private func connect(
        _ url: FetchURL, _ addresses: ArraySlice<String>, _ context: NIOSSLContext?, _ deadline: NIODeadline,
        _ answer: EventLoopPromise<Answer>, last: FetchFault
    ) {
        let left = deadline - .now()
        guard let address = addresses.first, left > .zero else { return answer.fail(last) }
        let connected = eventLoop.submit { try SocketAddress(ipAddress: address, port: url.port) }.flatMap { peer in
            ClientBootstrap(group: eventLoop)
                .connectTimeout(min(left, FetchClient.connectTimeout))
                .channelInitializer { channel in channel.eventLoop.makeCompletedFuture { try add(url, to: channel, context, answer) } }
                .connect(to: peer)
        }
        connected.whenFailure { error in
            connect(url, addresses.dropFirst(), context, deadline, answer, last: FetchFault(unreachable: error))
        }
        connected.whenSuccess { channel in answer.futureResult.whenComplete { _ in channel.close(promise: nil) } }
    }

    private func add(
        _ url: FetchURL, to channel: any Channel, _ context: NIOSSLContext?, _ answer: EventLoopPromise<Answer>
    ) throws {
        let pipeline = channel.pipeline.syncOperations
        if let context {
            // An address has no name to send; its certificate is then compared with the address.
            let isAddress = (try? SocketAddress(ipAddress: url.host, port: url.port)) != nil
            try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : url.host))
        }
        try pipeline.addHTTPClientHandlers(leftOverBytesStrategy: .dropBytes)
        try pipeline.addHandler(NIOHTTPResponseDecompressor(limit: .size(Manifest.largest)))
        try pipeline.addHandler(FetchHandler(url, answer))
    }
}
