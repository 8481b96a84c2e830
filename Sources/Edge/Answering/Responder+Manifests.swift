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
        if delivery == .redirect { return nil }
        // A token is for one link; a manifest's go to many places.
        if table.catalog.hasSignedTargets { return refuse(.signed) }
        if isFast {
            // The slow path lets it in anew.
            rate?.giveBack(asker.client)
            return .needsTime
        }
        switch fetched {
        case .manifest(let manifest):
            return try serve(manifest, video, of: source, asker, head, bytes, delivery, session, format)
        case .refused(let reason): return refuse(reason)
        case .page: return nil
        case nil: break
        }
        guard let upstream else { return nil }
        if Responder.hasCredentials(head.fields, of: bytes) { return refuse(.credentials) }
        kept = upstream.kept(table.manifestKey(video, of: source, asker, head: bytes))
        if kept != nil { return .needsUpstream }
        let place = try table.manifestSource(
            video, of: source, asker, head: bytes, sequences: sequences, ranking: &writer.targets)
        wanted = UpstreamRequest(target: bytes.bytes(head.target), source: place, format: format)
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
        _ bytes: borrowing Span<UInt8>, _ delivery: Catalog.Delivery, _ session: UInt64?, _ format: SteeringFormat
    ) throws(Refusal) -> Answer? {
        let base = baseURL(head, bytes)
        // Players of HLS resolve a path against where the playlist came from; those of DASH might take a base URL of the MPD.
        if base.isEmpty, format == .dash { return refuse(.host) }
        let film = Film(table, video, source, base: base, format, hasLinks: delivery == .links && format == .hls)
        // Before a number is taken: the longest that any session could get.
        let most = manifest.capacity(for: film.session(.max, table.longestPathways))
        if most > Manifest.largestWritten { return refuse(.tooLarge) }
        guard manifests.take(most) else { return refuse(.busy) }
        manifestBytes += most
        let begun: (number: UInt64, list: SteeringList)
        if let session {
            let list = try table.steer(
                video, of: source, asker, head: bytes, session: session, sequences: sequences, ranking: &writer.targets)
            guard let list else { return nil }
            begun = (session, list)
        } else {
            begun = try table.beginSession(video, of: source, asker, head: bytes, sequences: sequences, ranking: &writer.targets)
        }
        let pathways = (0..<begun.list.count).map { table.pathway(begun.list[$0], video) }
        do throws(Manifest.Refusal) {
            let body = ByteBuffer(bytes: try manifest.written(for: film.session(begun.number, pathways)))
            made = EdgePage(path: "", type: format.manifestType, body: body, policy: nil)
        } catch {
            return refuse(error)
        }
        return .manifest(.init(list: begun.list, session: begun.number, format: format))
    }

    /// What the sessions of one film have in common.
    private struct Film {
        /// Scheme and host of this balancer.
        let base: [UInt8]
        /// `/s1`, and the path and query behind it.
        let server: [UInt8]
        let tail: [UInt8]
        let format: SteeringFormat
        let hasLinks: Bool

        init(
            _ table: RoutingTable, _ video: VideoReference, _ source: borrowing Span<UInt8>, base: [UInt8], _ format: SteeringFormat,
            hasLinks: Bool
        ) {
            var location: [UInt8] = []
            table.appendUnsignedLocation(.origin, video, of: source, to: &location)
            (self.base, self.format, self.hasLinks) = (base, format, hasLinks)
            server = Array("/\(table.catalog.origin.labels[video.server])".utf8)
            tail = Array(location[table.root(.origin, video).count...])
        }

        func session(_ number: UInt64, _ pathways: [Manifest.Pathway]) -> Manifest.Session {
            let path = server + tail.prefix { $0 != UInt8(ascii: "?") }
            let steering = Array(format.path.description.utf8.dropLast()) + path + "?session=\(number)".utf8
            let link = Array("/session/\(number)".utf8)
            return Manifest.Session(
                pathways: pathways, steeringURL: (format == .dash ? base : []) + steering, reloadURL: base + link + server + tail,
                linkRoot: hasLinks ? link + server : nil)
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
        let start = target.lowerBound + 9
        let end = bytes.firstIndex(of: UInt8(ascii: "/"), in: start..<target.upperBound)
        // A link that players hold goes on working when manifests are no longer served.
        guard let session = SteeringQuery.number(bytes, start..<end), !namesServer(head, bytes) else {
            return redirectByPath(head, bytes, from: client, second: second, isFast: isFast)
        }
        guard admits(client) else { return .fault(.tooManyRequests) }
        do throws(Refusal) {
            var video = try table.video(atPath: end..<target.upperBound, of: bytes)
            switch head.method {
            case .get, .head: break
            case .options: return options(.reading, head, bytes)
            default: return .methodNotAllowed(.reading)
            }
            video.isAskedByHTTPS = isByHTTPS(head, head.fields, of: bytes)
            let (link, now) = (Responder.link(bytes, start..<target.upperBound), instant)
            let asker = Asker(client: client, second: second, avoided: links?.last(link, now: now), fields: head.fields)
            if table.manifestFormat(video, of: bytes) == .dash,
                let answer = try deliver(video, of: bytes, asker, head, bytes, session: session, isFast: isFast)
            {
                return answer
            }
            var decision = try table.resume(
                session, video, of: bytes, asker, head: bytes, sequences: sequences, ranking: &writer.targets)
            if decision == nil { decision = try table.decide(video, of: bytes, asker, head: bytes, sequences: sequences) }
            guard let decision else { return .refusal(.noTarget) }
            if case .cdn(let cdn) = decision.target { links?.remember(link, cdn: cdn, now: now) }
            return .redirect(.init(decision: decision, video: video, avoided: asker.avoided, query: asker.query, wantsJSON: false))
        } catch {
            return .refusal(error)
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

extension RoutingTable {
    fileprivate func pathway(_ target: Decision.Target, _ video: VideoReference) -> Manifest.Pathway {
        switch target {
        case .origin: Manifest.Pathway(name: "origin", root: root(target, video))
        case .cdn(let cdn): Manifest.Pathway(name: catalog.cdns[cdn].name, root: root(target, video))
        }
    }

    /// As many pathways as a session has at most, each no shorter than any. Names have 64 bytes at most.
    fileprivate var longestPathways: [Manifest.Pathway] {
        let longest = Manifest.Pathway(name: String(repeating: "x", count: 64), root: [UInt8](repeating: 0, count: longestRoot))
        return Array(repeating: longest, count: min(SteeringList.maximum, catalog.cdns.count + 1))
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
