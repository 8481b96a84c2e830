/// Manifests that are served by the balancer: where they are fetched, and the sessions that begin with them.
extension RoutingTable {
    /// Which manifest a video's path names by its ending; nil for all else.
    public func manifestFormat(_ video: VideoReference, of source: borrowing Span<UInt8>) -> SteeringFormat? {
        let tail = video.tail.range
        let end = source.firstIndex(of: UInt8(ascii: "?"), in: tail)
        for (ending, format) in [(RoutingTable.hlsEnding, SteeringFormat.hls), (RoutingTable.dashEnding, .dash)] {
            let start = end - ending.count
            if start >= tail.lowerBound, source.matches(ending, in: start..<end) { return format }
        }
        return nil
    }

    private static let hlsEnding = Array(".m3u8".utf8)
    private static let dashEnding = Array(".mpd".utf8)

    /// How a request for a manifest is answered: as its rule says, or the catalog.
    ///
    /// - Parameters:
    ///   - source: what the video's offsets count in.
    ///   - head: what the asker's offsets count in.
    public func delivery(
        _ video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, head: borrowing Span<UInt8>
    ) -> Catalog.Delivery {
        guard deliversManifests else { return .redirect }
        let index = policyIndex(video, source, asker, head)
        return sessionPolicies[index].asking.steers ? compiled.deliveries[index] : .redirect
    }

    /// Where a manifest can be fetched: the same for all viewers under one rule, so that one fetch is for all of them.
    ///
    /// - Parameter ranking: room to work in.
    /// - Throws: as `steer`.
    public func manifestSource(
        _ video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, head: borrowing Span<UInt8>, sequences: SequenceSet,
        ranking: inout [Decision.Target]
    ) throws(Refusal) -> ManifestSource {
        let film = Rendezvous.mixed(filmHash(video, source))
        let list = try place(film, video, source, asker, head, sequences, &ranking)
        let originRoot = root(.origin, video)
        let tail = manifestTail(video, source, originRoot)
        let path = Array(tail.prefix { $0 != UInt8(ascii: "?") })
        let key = manifestKey(video, tail, policy: list.policy)
        let roots = [originRoot] + catalog.cdns.indices.map { root(.cdn($0), video) }
        // What a film's hash says of every N-th is nobody's turn: the origin is asked last.
        let targets = (0..<list.count).map { list[$0] }
        let urls = (targets.filter { $0 != .origin } + targets.filter { $0 == .origin }).map { root($0, video) + tail }
        return ManifestSource(key: key, path: path, roots: roots, urls: urls)
    }

    /// The key of a manifest's source, which is found with less work than the source.
    public func manifestKey(
        _ video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, head: borrowing Span<UInt8>
    ) -> [UInt8] {
        manifestKey(video, manifestTail(video, source, root(.origin, video)), policy: policyIndex(video, source, asker, head))
    }

    private func manifestKey(_ video: VideoReference, _ tail: ArraySlice<UInt8>, policy: Int) -> [UInt8] {
        let scheme: UInt8 = video.isAskedByHTTPS ? 1 : 0
        return Array((rule(ofPolicy: policy) ?? "").utf8) + [0, scheme] + Array(catalog.origin.labels[video.server].utf8) + tail
    }

    /// Path and query.
    private func manifestTail(_ video: VideoReference, _ source: borrowing Span<UInt8>, _ originRoot: [UInt8]) -> ArraySlice<UInt8> {
        var location: [UInt8] = []
        appendUnsignedLocation(.origin, video, of: source, to: &location)
        return location[originRoot.count...]
    }

    /// What URLs of a video's server begin with at a target: `http://cdn.example.com/s1`.
    public func root(_ target: Decision.Target, _ video: VideoReference) -> [UInt8] {
        var root: [UInt8] = []
        let bare = VideoReference(
            server: video.server, domain: video.domain, tail: SourceRange(0..<0), isDecoded: false, form: video.form,
            scheme: video.scheme, isAskedByHTTPS: video.isAskedByHTTPS)
        let nothing: [UInt8] = []
        appendUnsignedLocation(target, bare, of: nothing.span, to: &root)
        // The path's slash.
        root.removeLast()
        return root
    }

    /// Bytes that no root has more of.
    public var longestRoot: Int { locationStartCapacity }

    /// Begins a session: takes its number, and its part of a cap.
    ///
    /// - Returns: the session's number, and its targets by preference.
    /// - Throws: as `steer`; no number is taken then.
    public func beginSession(
        _ video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, head: borrowing Span<UInt8>, sequences: SequenceSet,
        ranking: inout [Decision.Target]
    ) throws(Refusal) -> (number: UInt64, list: SteeringList) {
        let index = policyIndex(video, source, asker, head)
        let policy = policies[index]
        if policy.denies { throw .denied }
        guard let scope = compiled.sessionScopes[index] else { throw .noTarget }
        // Whether there is a target is no matter of the number.
        _ = try place(1, video, source, asker, head, sequences, &ranking)
        let number = sequences.sequences[scope + (policy.countsByServer ? video.server : 0)].takeRedirect()
        let list = try place(number, video, source, asker, head, sequences, &ranking)
        switch list[0] {
        case .cdn(let cdn): _ = hasRoom(cdn, asker, sequences, takes: true)
        case .origin: if list.reason == .noCDN { _ = originHasRoom(asker, sequences, takes: true) }
        }
        return (number, list)
    }

    /// What steers nobody has no sessions; whoever asks has made sure of it.
    private func place(
        _ session: UInt64, _ video: VideoReference, _ source: borrowing Span<UInt8>, _ asker: Asker, _ head: borrowing Span<UInt8>,
        _ sequences: SequenceSet, _ ranking: inout [Decision.Target]
    ) throws(Refusal) -> SteeringList {
        let list = try steer(video, of: source, asker, head: head, session: session, sequences: sequences, ranking: &ranking)
        guard let list else { throw .noTarget }
        return list
    }

    /// Where a session that has begun is sent now. Takes nothing.
    ///
    /// - Returns: nil where nobody is steered any more.
    /// - Throws: as `steer`.
    public func resume(
        _ session: UInt64, _ video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, head: borrowing Span<UInt8>,
        sequences: SequenceSet, ranking: inout [Decision.Target]
    ) throws(Refusal) -> Decision? {
        guard steers,
            let list = try steer(video, of: source, asker, head: head, session: session, sequences: sequences, ranking: &ranking)
        else { return nil }
        return Decision(
            target: list[0], place: Decision.Place(number: session, key: session), reason: list.reason,
            status: policies[list.policy].status,
            policy: list.policy)
    }
}

/// Where a manifest is fetched, and where what it names lies.
public struct ManifestSource: Sendable, Equatable {
    /// Equal for requests that may share a fetch: the same path and query on the same server, under the same rule.
    public let key: [UInt8]
    /// Below a root, without the query.
    public let path: [UInt8]
    /// What URLs of the server begin with, at each target of the catalog.
    public let roots: [[UInt8]]
    /// By preference; at least one.
    public let urls: [[UInt8]]

    public init(key: [UInt8], path: [UInt8], roots: [[UInt8]], urls: [[UInt8]]) {
        self.key = key
        self.path = path
        self.roots = roots
        self.urls = urls
    }
}
