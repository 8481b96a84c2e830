public import NIOCore
import NIOHTTP1
public import NIOSSL
public import Playlist
public import Steering
import Synchronization

/// Fetches manifests, keeps them for as long as they allow, and asks once for all who wait for the same.
///
/// What is somebody's own is given to who asked for it and to nobody else. Memory, fetches and time have bounds; beyond them, and when no
/// target has an answer, there is a refusal, and whoever asked is redirected.
public actor Fetcher {
    public struct Limits: Sendable {
        /// Bytes of manifests that are kept.
        public var bytes = 64 * 1024 * 1024
        /// Manifests, and marks of what is none, that are kept.
        public var entries = 20_000
        /// Fetches under way, over all hosts and at one.
        public var fetches = 64
        public var fetchesAtHost = 32
        /// Time for all targets together, less than players wait, and for one.
        public var time = TimeAmount.milliseconds(4000)
        public var attempt = TimeAmount.milliseconds(1500)

        public init() {}
    }

    /// What became of a request.
    public enum Fetched: Sendable, Equatable {
        case manifest(Manifest)
        case refused(Manifest.Refusal)
    }

    /// What was done so far.
    public struct Totals: Sendable, Equatable {
        /// Requests to targets by what became of them: `ok`, or a refusal's name.
        public var fetches: [String: UInt64] = [:]
        /// Requests that were answered from memory, that waited for the fetch of another, and that got what was kept beyond its time.
        public var hits: UInt64 = 0
        public var joined: UInt64 = 0
        public var stale: UInt64 = 0
        /// Bytes that are kept now.
        public var bytes = 0
    }

    /// Seconds that a manifest is kept at most: it may be live, and a live MPD tells what there is now.
    private static let longest = 10
    private static let longestLive = 1
    /// Seconds that it is remembered that something is no manifest to serve, is somebody's own, or that no target has it.
    private static let keepingRefusal = 60
    private static let keepingFailure = 1
    private static let maximumRedirects = 2

    private let eventLoop: any EventLoop
    private let client: FetchClient
    private let limits: Limits
    /// Read by any thread: what is kept is given without a turn of the loop. Held for a look alone, since fast loops wait for it.
    private let memory: Mutex<ManifestMemory>
    private var waiting: [[UInt8]: [EventLoopPromise<Fetched>]] = [:]
    private var underWay: [String: Int] = [:]
    private let counted = Mutex(Totals())
    private let report: @Sendable (FetchTrouble) -> Void
    private var told = ToldTroubles()

    /// The loop's thread; unowned, since the loop outlives the actor.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe eventLoop.executor.asUnownedSerialExecutor() }

    /// What a target has answered.
    private struct Found {
        let manifest: Manifest
        let lifetime: Lifetime
    }

    /// - Parameters:
    ///   - allowsLinkLocal: whether targets may be at link-local and metadata addresses.
    ///   - eventLoop: outlives the fetcher; its thread reads manifests.
    ///   - report: told on the loop why targets give no manifests, of each host and reason once a minute.
    public init(
        _ limits: Limits = Limits(), allowsLinkLocal: Bool = false, on eventLoop: any EventLoop, roots: NIOSSLTrustRoots = .default,
        report: @escaping @Sendable (FetchTrouble) -> Void = { _ in }
    ) {
        self.report = report
        self.limits = limits
        self.eventLoop = eventLoop
        memory = Mutex(ManifestMemory(bytes: limits.bytes, count: limits.entries))
        client = FetchClient(allowsLinkLocal: allowsLinkLocal, on: eventLoop, roots: roots)
    }

    /// Any thread.
    public nonisolated var totals: Totals {
        var totals = counted.withLock { $0 }
        (totals.hits, totals.bytes) = memory.withLock { ($0.hits, $0.bytes) }
        return totals
    }

    /// A manifest, from memory or from the first of its targets that has it. Any thread; does not fail.
    public nonisolated func fetch(_ source: ManifestSource, _ format: Manifest.Format) -> EventLoopFuture<Fetched> {
        eventLoop.flatSubmit { self.assumeIsolated { $0.find(source, format) } }
    }

    /// What is kept for all and fresh; nil where it has to be fetched. Any thread.
    ///
    /// - Parameter key: of a `ManifestSource`.
    public nonisolated func kept(_ key: [UInt8], _ format: Manifest.Format) -> Fetched? {
        guard case .forAll(let fetched)? = fresh(Fetcher.key(key, format)) else { return nil }
        return fetched
    }

    /// What was forgotten for it is many manifests: the loop lets go of them, and outside of the lock.
    private nonisolated func fresh(_ key: [UInt8]) -> ManifestMemory.Content? {
        let now = NIODeadline.now()
        let (content, forgotten) = memory.withLock { ($0.fresh(key, now), $0.takeForgotten()) }
        if !forgotten.isEmpty { eventLoop.execute { withExtendedLifetime(forgotten) {} } }
        return content
    }

    private func find(_ source: ManifestSource, _ format: Manifest.Format) -> EventLoopFuture<Fetched> {
        let key = Fetcher.key(source.key, format)
        switch fresh(key) {
        case .forAll(let fetched)?: return eventLoop.makeSucceededFuture(fetched)
        case .forOne?: return alone(source, format)
        case nil: break
        }
        let promise = eventLoop.makePromise(of: Fetched.self)
        let isFirst = waiting[key] == nil
        waiting[key, default: []].append(promise)
        if isFirst {
            ask(source, format).whenComplete { result in self.assumeIsolated { $0.end(result, key, source, format) } }
        } else {
            counted.withLock { $0.joined += 1 }
        }
        return promise.futureResult
    }

    /// The same text may be asked for as a media playlist, which it is, and as a multivariant one, which it is not.
    private static func key(_ key: [UInt8], _ format: Manifest.Format) -> [UInt8] {
        key + [0, format == .media ? 1 : 0]
    }

    /// For one who asks, and not kept.
    private func alone(_ source: ManifestSource, _ format: Manifest.Format) -> EventLoopFuture<Fetched> {
        ask(source, format).map { .manifest($0.manifest) }.flatMapErrorThrowing { .refused(FetchFault($0).reason) }
    }

    /// Tells all who wait, and keeps what may be kept.
    private func end(_ result: Result<Found, any Error>, _ key: [UInt8], _ source: ManifestSource, _ format: Manifest.Format) {
        let promises = waiting.removeValue(forKey: key) ?? []
        switch result {
        case .success(let found):
            guard found.lifetime.isShared else {
                keep(.forOne, key, fresh: Fetcher.keepingRefusal)
                promises.first?.succeed(.manifest(found.manifest))
                for promise in promises.dropFirst() { alone(source, format).cascade(to: promise) }
                return
            }
            keep(.forAll(.manifest(found.manifest)), key, fresh: found.lifetime.fresh, stale: found.lifetime.stale)
            for promise in promises { promise.succeed(.manifest(found.manifest)) }
        case .failure(let error):
            let fetched = afterFailure(FetchFault(error), key)
            for promise in promises { promise.succeed(fetched) }
        }
    }

    /// What is given when no target has it.
    private func afterFailure(_ fault: FetchFault, _ key: [UInt8]) -> Fetched {
        let reason = fault.reason
        if reason.isLasting {
            keep(.forAll(.refused(reason)), key, fresh: Fetcher.keepingRefusal)
            return .refused(reason)
        }
        // Else a dead CDN would be asked for each player. What is gone is gone: the last that is asked is the origin.
        if !fault.isAbsent, let manifest = memory.withLock({ $0.stale(key, .now(), keeping: Fetcher.keepingFailure) }) {
            counted.withLock { $0.stale += 1 }
            return .manifest(manifest)
        }
        keep(.forAll(.refused(reason)), key, fresh: Fetcher.keepingFailure)
        return .refused(reason)
    }

    private func keep(_ content: ManifestMemory.Content, _ key: [UInt8], fresh: Int, stale: Int = 0) {
        let now = NIODeadline.now()
        let forgotten = memory.withLock {
            $0.keep(content, key, fresh: now + .seconds(Int64(fresh)), stale: now + .seconds(Int64(fresh + stale)))
            return $0.takeForgotten()
        }
        // Outside of the lock.
        withExtendedLifetime(forgotten) {}
    }
}

// MARK: - Asking targets

extension Fetcher {
    /// Asks one target after the other.
    ///
    /// - Returns: fails with what a `FetchFault` can be made of.
    private func ask(_ source: ManifestSource, _ format: Manifest.Format) -> EventLoopFuture<Found> {
        let targets = source.targets()
        let place = Manifest.Place(path: source.path, roots: Roots(targets.roots))
        let nobody = FetchFault(.unreachable, "nobody was asked")
        return ask(targets.urls[...], place, format, until: .now() + limits.time, last: nobody)
    }

    private func ask(
        _ urls: ArraySlice<[UInt8]>, _ place: Manifest.Place, _ format: Manifest.Format, until end: NIODeadline, last: FetchFault
    ) -> EventLoopFuture<Found> {
        let now = NIODeadline.now()
        guard let url = urls.first, now < end else { return eventLoop.makeFailedFuture(last) }
        let found = get(url, place, until: min(now + limits.attempt, end), redirects: 0).flatMapThrowing { answer, place in
            let manifest = try Manifest(answer.body, format, at: place)
            let longest = manifest.isLive ? Fetcher.longestLive : Fetcher.longest
            return Found(manifest: manifest, lifetime: Lifetime(answer.head.headers, atMost: longest))
        }
        return found.flatMapError { error in
            let fault = FetchFault(error)
            self.assumeIsolated { $0.tell(fault, url, place) }
            if fault.reason.isLasting { return self.eventLoop.makeFailedFuture(fault) }
            return self.assumeIsolated { $0.ask(urls.dropFirst(), place, format, until: end, last: fault) }
        }
    }

    /// - Returns: an answer with 200, and where it lies.
    private func get(
        _ text: [UInt8], _ place: Manifest.Place, until deadline: NIODeadline, redirects: Int
    ) -> EventLoopFuture<(FetchClient.Answer, Manifest.Place)> {
        guard let url = FetchURL(text) else { return eventLoop.makeFailedFuture(FetchFault(.unreachable, "its URL cannot be asked for")) }
        guard take(url.authority) else { return failed(FetchFault(.busy, "too many fetches are under way")) }
        return client.get(url, until: deadline)
            .always { result in self.assumeIsolated { $0.give(url.authority, result) } }
            .flatMap { answer in
                let status = answer.head.status
                if status == .ok { return self.eventLoop.makeSucceededFuture((answer, place)) }
                guard Fetcher.redirects.contains(status.code) else { return self.eventLoop.makeFailedFuture(FetchFault(status: status)) }
                // A target sends nobody out of the catalog, least of all this process.
                let next = answer.head.headers.first(name: "Location").map(url.absolute)
                guard redirects < Fetcher.maximumRedirects, let next, !Fetcher.hasDotSegment(next),
                    let moved = Fetcher.place(place, ofRedirectFrom: text, to: next)
                else { return self.eventLoop.makeFailedFuture(Fetcher.redirected(to: next)) }
                return self.assumeIsolated { $0.get(next, moved, until: deadline, redirects: redirects + 1) }
            }
    }

    private static let redirects: Set<UInt> = [301, 302, 303, 307, 308]

    /// Where a manifest lies that a target has elsewhere: what it names is relative to that.
    ///
    /// - Returns: nil at no target of the catalog, and where a token stands in the path, so that nobody can tell which folders are the film's.
    private static func place(_ place: Manifest.Place, ofRedirectFrom old: [UInt8], to new: [UInt8]) -> Manifest.Place? {
        guard let path = path(new, place.roots) else { return nil }
        let asked = Fetcher.path(old, place.roots)
        if path == asked { return place }
        return asked == place.path ? Manifest.Place(path: path, roots: place.roots) : nil
    }

    private static func path(_ url: [UInt8], _ roots: Roots) -> [UInt8]? {
        roots.path(of: url).map { Array($0.prefix { $0 != UInt8(ascii: "?") }) }
    }

    private static func hasDotSegment(_ url: [UInt8]) -> Bool {
        let text = String(decoding: url, as: UTF8.self).lowercased()
        return text.split(separator: "/").contains { $0 == ".." || $0 == "." } || text.contains("%2e") || text.contains("\\")
    }

    /// - Parameter url: of which the host alone is told, since a token may be in the rest.
    private static func redirected(to url: [UInt8]?) -> FetchFault {
        guard let url else { return FetchFault(.redirected, "it redirects without saying where") }
        let start = String(decoding: url, as: UTF8.self).split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false).prefix(3)
        let host = start.last.map { $0.prefix { $0 != "/" && $0 != "?" }.prefix(255) } ?? ""
        return FetchFault(
            .redirected, "it redirects to \(start.first ?? "")//\(host), a place that is not the catalog's, or in a circle")
    }

    private func failed<T>(_ fault: FetchFault) -> EventLoopFuture<T> {
        counted.withLock { $0.fetches[fault.reason.rawValue, default: 0] += 1 }
        return eventLoop.makeFailedFuture(fault)
    }

    /// Tells an operator, who has numbers alone otherwise.
    private func tell(_ fault: FetchFault, _ url: [UInt8], _ place: Manifest.Place) {
        guard !fault.isAbsent, !fault.reason.isUsual, let host = FetchURL(url)?.authority,
            told.isNew("\(host) \(fault.reason.rawValue)", at: .now())
        else { return }
        report(
            FetchTrouble(host: host, path: String(decoding: place.path, as: UTF8.self), reason: fault.reason.rawValue, cause: fault.cause))
    }

    private func take(_ host: String) -> Bool {
        let all = underWay.values.reduce(0, +)
        guard all < limits.fetches, underWay[host, default: 0] < limits.fetchesAtHost else { return false }
        underWay[host, default: 0] += 1
        return true
    }

    private func give(_ host: String, _ result: Result<FetchClient.Answer, any Error>) {
        underWay[host, default: 1] -= 1
        if underWay[host] == 0 { underWay[host] = nil }
        let name: String
        switch result {
        case .success(let answer):
            let status = answer.head.status
            name = status == .ok ? "ok" : Fetcher.redirects.contains(status.code) ? "redirected" : "status"
        case .failure(let error): name = FetchFault(error).reason.rawValue
        }
        counted.withLock { $0.fetches[name, default: 0] += 1 }
    }
}
