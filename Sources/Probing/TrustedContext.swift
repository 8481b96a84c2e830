package import NIOCore
package import NIOSSL

/// What certificates are checked against: the machine's authorities, read again now and then, on a thread of its own: a disk may hang, and
/// an authority that was installed should count without a restart.
package actor TrustedContext {
    private let eventLoop: any EventLoop
    private let roots: NIOSSLTrustRoots
    private var context: NIOSSLContext?
    private var read = NIODeadline.uptimeNanoseconds(0)
    private var waiting: [EventLoopPromise<NIOSSLContext>] = []
    private var isReading = false

    private static let keeping = TimeAmount.minutes(5)

    /// The loop's thread; unowned, since the loop outlives the actor.
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe eventLoop.executor.asUnownedSerialExecutor() }

    package init(_ roots: NIOSSLTrustRoots, on eventLoop: any EventLoop) {
        self.roots = roots
        self.eventLoop = eventLoop
    }

    package func get() -> EventLoopFuture<NIOSSLContext> {
        if context == nil || .now() - read > TrustedContext.keeping { readAgain() }
        if let context { return eventLoop.makeSucceededFuture(context) }
        let promise = eventLoop.makePromise(of: NIOSSLContext.self)
        waiting.append(promise)
        return promise.futureResult
    }

    private func readAgain() {
        if isReading { return }
        isReading = true
        let hasThread = LookUp.onThread { [roots, eventLoop] in
            let result = Result<NIOSSLContext, any Error> {
                var configuration = TLSConfiguration.makeClientConfiguration()
                configuration.trustRoots = roots
                configuration.applicationProtocols = ["http/1.1"]
                return try NIOSSLContext(configuration: configuration)
            }
            eventLoop.execute { self.assumeIsolated { $0.take(result) } }
        }
        if !hasThread { take(.failure(Resolver.Failure(reason: "no thread for reading this machine's authorities", isLocal: true))) }
    }

    private func take(_ result: Result<NIOSSLContext, any Error>) {
        isReading = false
        read = .now()
        if case .success(let new) = result { context = new }
        let all = waiting
        waiting = []
        for promise in all { promise.completeWith(result) }
    }
}
