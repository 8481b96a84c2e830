import NIOCore
import Playlist
import Steering

/// Manifests that are served, and the links in them (docs/steering.md).
extension Responder {
    /// Answers a request for a manifest with itself: first with what has to be fetched, then with what was. What cannot be served is
    /// redirected as any video.
    ///
    /// - Parameters:
    ///   - source: what the video's offsets count in.
    ///   - bytes: the head.
    ///   - session: of a manifest that is asked for again; nil: one begins.
    /// - Returns: nil for what is redirected.
    mutating func deliver(
        _ video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, _ head: RequestHead, _ bytes: borrowing Span<UInt8>,
        session: UInt64? = nil, isFast: Bool
    ) throws(Refusal) -> Answer? {
        guard let format = table.manifestFormat(video, of: source), !head.wantsJSON else { return nil }
        let delivery = table.delivery(video, of: source, asker, head: bytes)
        if delivery.way == .redirect { return nil }
        if let obstacle = delivery.obstacle(format) { return refuse(obstacle.reason) }
        if isFast { return takesTime(asker.client) }
        switch fetched {
        case .manifest(let manifest):
            return try serve(manifest, video, of: source, asker, head, bytes, delivery, session, format)
        case .refused(let reason): return refuse(reason)
        case .page, .signed: return nil
        case nil: return try fetch(format == .hls ? .hls : .dash, video, of: source, asker, head, bytes)
        }
    }

    /// The slow path lets the client in anew.
    private func takesTime(_ client: ClientAddress) -> Answer {
        rate?.giveBack(client)
        return .needsTime
    }

    private mutating func fetch(
        _ format: Manifest.Format, _ video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, _ head: RequestHead,
        _ bytes: borrowing Span<UInt8>
    ) throws(Refusal) -> Answer? {
        guard let upstream else { return nil }
        if Responder.hasCredentials(head.fields, of: bytes) { return refuse(.credentials) }
        // What a private key signs may have to be awaited besides.
        if !table.signsSlowly { kept = upstream.kept(table.manifestKey(video, of: source, asker, head: bytes), format) }
        if kept != nil { return .needsUpstream }
        let place = try table.manifestSource(
            video, of: source, asker, head: bytes, sequences: sequences, ranking: &writer.targets)
        guard let place else { return refuse(.signedAddress) }
        let signatures =
            table.signsSlowly ? table.linkPreparations(video, of: source, passing: .empty, of: bytes, for: asker) : []
        wanted = UpstreamRequest(target: bytes.bytes(head.target), source: place, format: format, signatures: signatures)
        return .needsUpstream
    }

    private mutating func refuse(_ reason: Manifest.Refusal) -> Answer? {
        counters.manifestRefusals[reason.rawValue, default: 0] += 1
        return nil
    }

    private static let credentialFields = ["authorization", "cookie"].map { Array($0.utf8) }

    /// What somebody's own credentials get is not for others, and to nobody but its CDN are they to be sent.
    private static func hasCredentials(_ fields: HeadRange, of bytes: borrowing Span<UInt8>) -> Bool {
        for name in credentialFields where FieldLines.value(of: name, in: fields.range, of: bytes) != nil { return true }
        return false
    }

    private mutating func serve(
        _ manifest: Manifest, _ video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, _ head: RequestHead,
        _ bytes: borrowing Span<UInt8>, _ delivery: ManifestDelivery, _ session: UInt64?, _ format: SteeringFormat
    ) throws(Refusal) -> Answer? {
        let base = delivery.publicURL.map { Array($0.text.utf8) } ?? baseURL(head, bytes)
        // Players of HLS resolve a path against where the playlist came from; those of DASH might take a base URL of the MPD.
        if base.isEmpty, format == .dash { return refuse(.host) }
        let film = Film(table, video, source, base: base, format, delivery)
        guard holds(manifest, film.session(.max, table.longestPathways)) else { return refuse(sizeRefusal(manifest, film)) }
        let begun: (number: UInt64, list: SteeringList)
        if let session {
            let list = try table.steer(
                video, of: source, asker, head: bytes, session: session, sequences: sequences, ranking: &writer.targets)
            guard let list else { return nil }
            begun = (session, list)
        } else {
            begun = try table.beginSession(video, of: source, asker, head: bytes, sequences: sequences, ranking: &writer.targets)
        }
        let pathways = (0..<begun.list.count).map { table.pathway(begun.list[$0], video, path: film.path, asker) }
        guard write(manifest, for: film.session(begun.number, pathways), type: format.manifestType) else { return nil }
        return .manifest(.init(list: begun.list, session: begun.number, server: video.server, format: format, isMedia: false))
    }

    /// Takes room for what a session gets, before a number is taken: the longest that any could get.
    private mutating func holds(_ manifest: Manifest, _ session: Manifest.Session) -> Bool {
        let most = manifest.capacity(for: session)
        guard most <= Manifest.largestWritten, manifests.take(most) else { return false }
        manifestBytes += most
        return true
    }

    private func sizeRefusal(_ manifest: Manifest, _ film: Film) -> Manifest.Refusal {
        manifest.capacity(for: film.session(.max, table.longestPathways)) > Manifest.largestWritten ? .tooLarge : .busy
    }

    /// - Returns: false when it is refused after all.
    private mutating func write(_ manifest: Manifest, for session: Manifest.Session, type: String) -> Bool {
        do throws(Manifest.Refusal) {
            let body = ByteBuffer(bytes: try manifest.written(for: session))
            made = EdgePage(path: "", type: type, body: body, policy: nil)
            return true
        } catch {
            _ = refuse(error)
            return false
        }
    }

    /// What the sessions of one film have in common.
    private struct Film {
        /// Scheme and host of this balancer.
        let base: [UInt8]
        /// `/s1`, and the path and query behind it.
        let server: [UInt8]
        let tail: [UInt8]
        /// Without the query.
        let path: [UInt8]
        let format: SteeringFormat
        let delivery: ManifestDelivery
        /// How deep the film's folder lies, where tokens are good for it.
        let depth: Int?

        init(
            _ table: RoutingTable, _ video: VideoReference, _ source: borrowing Span<UInt8>, base: [UInt8], _ format: SteeringFormat,
            _ delivery: ManifestDelivery
        ) {
            (self.base, self.format, self.delivery) = (base, format, delivery)
            server = Array("/\(table.catalog.origin.labels[video.server])".utf8)
            tail = table.tail(video, of: source)
            path = Array(tail.prefix { $0 != UInt8(ascii: "?") })
            depth = table.linksNameFolders ? path.count { $0 == UInt8(ascii: "/") } - 1 : nil
        }

        func session(_ number: UInt64, _ pathways: [Manifest.Pathway]) -> Manifest.Session {
            let steering = Array(format.path.description.utf8.dropLast()) + server + path + "?session=\(number)".utf8
            let link = Array("/session/\(number)".utf8)
            let folder = Array((depth.map { $0 <= SessionLink.deepest ? "-\($0)" : "" } ?? "").utf8)
            // A path is enough for players of HLS, unless they have to ask elsewhere.
            let start = format == .dash || delivery.publicURL != nil ? base : []
            let hasLinks = delivery.way.hasLinks && format == .hls
            return Manifest.Session(
                pathways: pathways, steeringURL: start + steering, reloadURL: base + link + server + tail,
                linkRoot: hasLinks ? start + link + folder + server : nil, hasPathways: format == .dash || delivery.way.hasPathways)
        }
    }

    /// Scheme and host as the client sees this balancer; empty where it names none that can be written down.
    private func baseURL(_ head: RequestHead, _ bytes: borrowing Span<UInt8>) -> [UInt8] {
        let host = bytes.bytes(head.host)
        let isPlain = host.allSatisfy { byte in
            byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || [UInt8]("-._:[]".utf8).contains(byte)
        }
        guard !host.isEmpty, isPlain else { return [] }
        let scheme = isByHTTPS(head, head.fields, of: bytes) ? "https://" : "http://"
        return Array(scheme.utf8) + host
    }

    /// Follows a link of a session to where the session plays now; takes no number. Who comes again in the same instant is sent elsewhere
    /// than before. An MPD that is asked for again is served again.
    mutating func followSession(
        _ head: RequestHead, _ bytes: borrowing Span<UInt8>, from client: ClientAddress, second: Int, isFast: Bool
    ) -> Answer {
        let target = head.target.range
        // A link that players hold goes on working when manifests are no longer served.
        guard let place = SessionLink(bytes, target), !namesServer(head, bytes) else {
            return redirectByPath(head, bytes, from: client, second: second, isFast: isFast)
        }
        guard admits(client) else { return .fault(.tooManyRequests) }
        do throws(Refusal) {
            var video = try table.video(atPath: place.path..<target.upperBound, of: bytes)
            switch head.method {
            case .get, .head: break
            case .options: return options(.reading, head, bytes)
            default: return .methodNotAllowed(.reading)
            }
            video.isAskedByHTTPS = isByHTTPS(head, head.fields, of: bytes)
            if let depth = place.depth { video.folderLength = table.folderLength(video, of: bytes, depth: depth) }
            let (link, now) = (Responder.link(bytes, target.lowerBound + 9..<target.upperBound), instant)
            let asker = Asker(client: client, second: second, avoided: links?.last(link, now: now), fields: head.fields)
            if table.manifestFormat(video, of: bytes) == .dash,
                let answer = try deliver(video, of: bytes, asker, head, bytes, session: place.session, isFast: isFast)
            {
                return answer
            }
            let list = try table.resume(
                place.session, video, of: bytes, asker, head: bytes, sequences: sequences, ranking: &writer.targets)
            if let list, let answer = try deliverMedia(list, video, asker, head, bytes, session: place.session, isFast: isFast) {
                return answer
            }
            if table.signsSlowly, let answer = awaitLinks(to: video, of: bytes, asker, bytes, isFast: isFast) { return answer }
            var decision = list.map { table.decision(of: $0, session: place.session) }
            if decision == nil { decision = try table.decide(video, of: bytes, asker, head: bytes, sequences: sequences) }
            guard var decision else { return .refusal(.noTarget) }
            if table.signsSlowly { decision = try reachable(decision, video, of: bytes, asker, bytes) }
            if case .cdn(let cdn) = decision.target { links?.remember(link, cdn: cdn, now: now) }
            return .redirect(.init(decision: decision, video: video, avoided: asker.avoided, query: asker.query, wantsJSON: false))
        } catch {
            return .refusal(error)
        }
    }

    /// Answers a link to a media playlist with itself, where the session's target wants a token on each segment; as `deliver`.
    private mutating func deliverMedia(
        _ list: SteeringList, _ video: VideoReference, _ asker: Asker, _ head: RequestHead, _ bytes: borrowing Span<UInt8>,
        session: UInt64, isFast: Bool
    ) throws(Refusal) -> Answer? {
        guard table.signsSegments(at: list[0]), table.manifestFormat(video, of: bytes) == .hls,
            table.delivery(video, of: bytes, asker, head: bytes).way.hasLinks
        else { return nil }
        if isFast { return takesTime(asker.client) }
        switch fetched {
        case .manifest(let manifest):
            let path = table.tail(video, of: bytes).prefix { $0 != UInt8(ascii: "?") }
            let pathway = table.pathway(list[0], video, path: Array(path), asker)
            let written = Manifest.Session(pathways: [pathway], steeringURL: [], reloadURL: [])
            if manifest.capacity(for: written) > Manifest.largestWritten { return refuse(.tooLarge) }
            guard holds(manifest, written) else { return refuse(.busy) }
            guard write(manifest, for: written, type: SteeringFormat.hls.manifestType) else { return nil }
            return .manifest(.init(list: list, session: session, server: video.server, format: .hls, isMedia: true))
        case .refused(let reason): return refuse(reason)
        case .page, .signed: return nil
        case nil: return try fetch(.media, video, of: bytes, asker, head, bytes)
        }
    }

    /// Whether the path is a video's on an origin server named `session`, of a catalog that serves no manifests.
    private func namesServer(_ head: RequestHead, _ bytes: borrowing Span<UInt8>) -> Bool {
        if table.deliversManifests { return false }
        do throws(Refusal) {
            _ = try table.video(atPath: head.target.range, of: bytes)
            return true
        } catch {
            return false
        }
    }
}

extension Responder {
    private static func link(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> LinkMemory.Link {
        // FNV-1a, and a multiplication that brings what differs into the upper bits.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in range { hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01B3 }
        return LinkMemory.Link((hash ^ hash >> 32) &* 0x9E37_79B9_7F4A_7C15)
    }
}

/// A pathway's signer, as manifests take it.
private struct PathwaySigner: Manifest.Signer {
    let signer: TargetSigner

    func capacity(_ length: Int) -> Int { signer.capacity(length) }

    func append(_ path: ArraySlice<UInt8>, to out: inout [UInt8]) { signer.append(path, to: &out) }
}

/// One whose URLs are no shorter than any other's.
private struct LongestSigner: Manifest.Signer {
    let table: RoutingTable

    func capacity(_ length: Int) -> Int { table.signedCapacity(length) }

    func append(_ path: ArraySlice<UInt8>, to out: inout [UInt8]) { out += path }
}

extension ManifestDelivery.Obstacle {
    var reason: Manifest.Refusal {
        switch self {
        case .file: .signedFile
        case .query: .signedQuery
        }
    }
}

extension RoutingTable {
    /// - Parameter path: of the manifest.
    fileprivate func pathway(_ target: Decision.Target, _ video: VideoReference, path: [UInt8], _ asker: Asker) -> Manifest.Pathway {
        let signer = signer(of: target, video, path: path, for: asker).map { PathwaySigner(signer: $0) }
        return switch target {
        case .origin: Manifest.Pathway(name: "origin", root: root(target, video), signer: signer)
        case .cdn(let cdn): Manifest.Pathway(name: catalog.cdns[cdn].name, root: root(target, video), signer: signer)
        }
    }

    /// As many pathways as a session has at most, each no shorter than any. Names have 64 bytes at most.
    fileprivate var longestPathways: [Manifest.Pathway] {
        let (name, root) = (String(repeating: "x", count: 64), [UInt8](repeating: 0, count: longestRoot))
        let longest = Manifest.Pathway(name: name, root: root)
        // The longest token counts, so one pathway asks for it: each question goes to all targets.
        let signer = signsLinks ? LongestSigner(table: self) : nil
        let others = Array(repeating: longest, count: min(SteeringList.maximum, catalog.cdns.count + 1) - 1)
        return [Manifest.Pathway(name: name, root: root, signer: signer)] + others
    }
}

extension SteeringFormat {
    var manifestType: String {
        switch self {
        case .hls: "application/vnd.apple.mpegurl"
        case .dash: "application/dash+xml"
        }
    }
}

extension Span<UInt8> {
    /// A copy of a part.
    borrowing func bytes(_ range: HeadRange) -> [UInt8] {
        var copy: [UInt8] = []
        copy.reserveCapacity(range.range.count)
        for index in range.range { copy.append(self[index]) }
        return copy
    }
}
