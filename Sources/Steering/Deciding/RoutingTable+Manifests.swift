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
    ) -> ManifestDelivery {
        guard deliversManifests else { return .redirect }
        let index = policyIndex(video, source, asker, head)
        guard sessionPolicies[index].asking.steers else { return .redirect }
        return ManifestDelivery(
            way: compiled.deliveries[index], publicURL: compiled.publicURLs[index], obstacles: compiled.obstacles[index])
    }

    /// Where a manifest can be fetched: the same for all viewers under one rule, so that one fetch is for all of them.
    ///
    /// - Parameter ranking: room to work in.
    /// - Returns: nil where nobody but a viewer can ask, since tokens are bound to addresses.
    /// - Throws: as `steer`.
    public func manifestSource(
        _ video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, head: borrowing Span<UInt8>, sequences: SequenceSet,
        ranking: inout [Decision.Target]
    ) throws(Refusal) -> ManifestSource? {
        let film = Rendezvous.mixed(filmHash(video, source))
        let list = try place(film, video, source, asker, head, sequences, &ranking)
        let tail = tail(video, of: source)
        let path = Array(tail.prefix { $0 != UInt8(ascii: "?") })
        let key = manifestKey(video, tail, policy: list.policy)
        // What a film's hash says of every N-th is nobody's turn: the origin is asked last.
        let named = (0..<list.count).map { list[$0] }.filter { !(catalog.signing(of: $0)?.needsAddress ?? false) }
        let targets = named.filter { $0 != .origin } + named.filter { $0 == .origin }
        if targets.isEmpty { return nil }
        let second = asker.second
        // Most manifests are in memory: what only a fetch needs is made when there is one.
        return ManifestSource(key: key, path: path) { self.manifestTargets(targets, video, tail, second: second) }
    }

    private func manifestTargets(
        _ targets: [Decision.Target], _ video: VideoReference, _ tail: [UInt8], second: Int
    ) -> ManifestSource.Targets {
        let (nothing, whole): ([UInt8], VideoReference) = ([], video.withTail(0..<tail.count))
        let urls = targets.map { target in
            var url: [UInt8] = []
            let asker = Asker(client: .unknown, second: second)
            appendLocation(target, whole, of: tail.span, passing: .empty, of: nothing.span, for: asker, to: &url)
            return url
        }
        return ManifestSource.Targets(roots: [root(.origin, video)] + catalog.cdns.indices.map { root(.cdn($0), video) }, urls: urls)
    }

    /// Path and query of a video below any root.
    public func tail(_ video: VideoReference, of source: borrowing Span<UInt8>) -> [UInt8] {
        var location: [UInt8] = []
        appendUnsignedLocation(.origin, video, of: source, to: &location)
        return Array(location[root(.origin, video).count...])
    }

    /// The key of a manifest's source, which is found with less work than the source.
    public func manifestKey(
        _ video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, head: borrowing Span<UInt8>
    ) -> [UInt8] {
        manifestKey(video, tail(video, of: source), policy: policyIndex(video, source, asker, head))
    }

    private func manifestKey(_ video: VideoReference, _ tail: [UInt8], policy: Int) -> [UInt8] {
        let scheme: UInt8 = video.isAskedByHTTPS ? 1 : 0
        return Array((rule(ofPolicy: policy) ?? "").utf8) + [0, scheme] + Array(catalog.origin.labels[video.server].utf8) + tail
    }

    /// What URLs of a video's server begin with at a target: `http://cdn.example.com/s1`.
    public func root(_ target: Decision.Target, _ video: VideoReference) -> [UInt8] {
        var root: [UInt8] = []
        let nothing: [UInt8] = []
        appendUnsignedLocation(target, video.withTail(0..<0), of: nothing.span, to: &root)
        // The path's slash.
        root.removeLast()
        return root
    }

    /// Bytes that no root has more of.
    public var longestRoot: Int { locationStartCapacity }

    /// Whether segments at a target have a token only if it is written to each: what a media playlist names inherits none.
    public func signsSegments(at target: Decision.Target) -> Bool {
        guard !signers.isEmpty, let signing = catalog.signing(of: target) else { return false }
        return !signing.isInherited && (signing.isShared || !signing.isByPrivateKey)
    }

    /// Whether the links in a manifest have to say how deep its folder lies, since tokens are good for that folder.
    public var linksNameFolders: Bool { !signers.isEmpty && tokens.hasFolders }

    /// Bytes of a path's first folders, to their last slash; 0 when it has not so many.
    public func folderLength(_ video: VideoReference, of source: borrowing Span<UInt8>, depth: Int) -> UInt16 {
        var (left, index) = (depth, video.tail.range.lowerBound)
        let end = source.firstIndex(of: UInt8(ascii: "?"), in: video.tail.range)
        while index < end {
            if source[index] == UInt8(ascii: "/") {
                if left == 0 { return UInt16(exactly: index + 1 - video.tail.range.lowerBound) ?? 0 }
                left -= 1
            }
            index += 1
        }
        return 0
    }

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
    ) throws(Refusal) -> SteeringList? {
        guard steers else { return nil }
        return try steer(video, of: source, asker, head: head, session: session, sequences: sequences, ranking: &ranking)
    }

    /// The redirect of a session to where it plays now.
    public func decision(of list: SteeringList, session: UInt64) -> Decision {
        Decision(
            target: list[0], place: Decision.Place(number: session, key: session), reason: list.reason,
            status: policies[list.policy].status, policy: list.policy)
    }
}

/// How requests for a manifest are answered.
public struct ManifestDelivery: Sendable, Equatable {
    public let way: Catalog.Delivery
    /// Where players reach the balancers; nil: where their requests say.
    public let publicURL: BaseURL?
    private let obstacles: DeliveryObstacles

    /// A target's token that what a manifest names would not have, so that it is redirected.
    public enum Obstacle: Sendable, Equatable {
        /// It is good for one file.
        case file(Decision.Target)
        /// It stands in the query, which nothing inherits.
        case query(Decision.Target)

        /// As metrics name it.
        public var name: String {
            switch self {
            case .file: "signed-file"
            case .query: "signed-query"
            }
        }
    }

    static let redirect = ManifestDelivery(way: .redirect, publicURL: nil, obstacles: DeliveryObstacles())

    init(way: Catalog.Delivery, publicURL: BaseURL?, obstacles: DeliveryObstacles) {
        (self.way, self.publicURL, self.obstacles) = (way, publicURL, obstacles)
    }

    public func obstacle(_ format: SteeringFormat) -> Obstacle? { obstacles.first(way, format) }
}

/// Where a manifest is fetched, and where what it names lies.
public struct ManifestSource: Sendable, Equatable {
    /// Equal for requests that may share a fetch: the same path and query on the same server, under the same rule.
    public let key: [UInt8]
    /// Below a root, without the query.
    public let path: [UInt8]
    /// Made when a fetch begins.
    public let targets: @Sendable () -> Targets

    public struct Targets: Sendable {
        /// What URLs of the server begin with, at each target of the catalog.
        public let roots: [[UInt8]]
        /// By preference, with a token where one is needed; at least one.
        public let urls: [[UInt8]]

        public init(roots: [[UInt8]], urls: [[UInt8]]) {
            self.roots = roots
            self.urls = urls
        }
    }

    public init(key: [UInt8], path: [UInt8], targets: @escaping @Sendable () -> Targets) {
        self.key = key
        self.path = path
        self.targets = targets
    }

    public static func == (one: ManifestSource, other: ManifestSource) -> Bool { one.key == other.key && one.path == other.path }
}
