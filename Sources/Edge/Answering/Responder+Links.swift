import Playlist
import Steering

/// Links of sessions, which stand in manifests (docs/steering.md).
extension Responder {
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
        switch content(.media, video, of: bytes, asker, head, bytes) {
        case .manifest(let manifest):
            let path = table.tail(video, of: bytes).prefix { $0 != UInt8(ascii: "?") }
            let pathway = table.pathway(list[0], video, path: Array(path), asker)
            let written = Manifest.Session(pathways: [pathway], steeringURL: [], reloadURL: [])
            if let reason = takeRoom(manifest.capacity(for: written)) { return refuse(reason) }
            guard write(manifest, for: written) else { return nil }
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
