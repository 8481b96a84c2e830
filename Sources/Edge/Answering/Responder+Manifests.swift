import NIOCore
import Playlist
import Steering

/// Manifests that are served (docs/steering.md).
extension Responder {
    /// Answers a request for a manifest with itself: first with what has to be fetched, unless it is kept, then with what was. What cannot be
    /// served is redirected as any video.
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
        // Each URL's token takes longer than the redirects that would wait for it.
        if isFast, table.signsLinks { return takesTime(asker.client) }
        let file: Manifest.Format = format == .hls ? .hls : .dash
        switch content(file, video, of: source, asker, head, bytes) {
        case .manifest(let manifest):
            return try serve(manifest, video, of: source, asker, head, bytes, delivery, session, format, isFast: isFast)
        case .refused(let reason): return refuse(reason)
        case .page, .signed: return nil
        case nil: return isFast ? takesTime(asker.client) : try fetch(file, video, of: source, asker, head, bytes)
        }
    }

    /// What was fetched for the request, or is kept and fresh; nil: it has to be fetched.
    func content(
        _ format: Manifest.Format, _ video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, _ head: RequestHead,
        _ bytes: borrowing Span<UInt8>
    ) -> UpstreamContent? {
        if let fetched { return fetched }
        if Responder.hasCredentials(head.fields, of: bytes) { return .refused(.credentials) }
        // What a private key signs may have to be awaited besides.
        if table.signsSlowly { return nil }
        return upstream?.kept(table.manifestKey(video, of: source, asker, head: bytes), format)
    }

    /// The slow path lets the client in anew.
    func takesTime(_ client: ClientAddress) -> Answer {
        rate?.giveBack(client)
        return .needsTime
    }

    mutating func fetch(
        _ format: Manifest.Format, _ video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, _ head: RequestHead,
        _ bytes: borrowing Span<UInt8>
    ) throws(Refusal) -> Answer? {
        guard upstream != nil else { return nil }
        let place = try table.manifestSource(
            video, of: source, asker, head: bytes, sequences: sequences, ranking: &writer.targets)
        guard let place else { return refuse(.signedAddress) }
        let signatures =
            table.signsSlowly ? table.linkPreparations(video, of: source, passing: .empty, of: bytes, for: asker) : []
        wanted = UpstreamRequest(target: bytes.bytes(head.target), source: place, format: format, signatures: signatures)
        return .needsUpstream
    }

    mutating func refuse(_ reason: Manifest.Refusal) -> Answer? {
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
        _ bytes: borrowing Span<UInt8>, _ delivery: ManifestDelivery, _ session: UInt64?, _ format: SteeringFormat, isFast: Bool
    ) throws(Refusal) -> Answer? {
        let base = delivery.publicURL.map { Array($0.text.utf8) } ?? baseURL(head, bytes)
        // Players of HLS resolve a path against where the playlist came from; those of DASH might take a base URL of the MPD.
        if base.isEmpty, format == .dash { return refuse(.host) }
        let film = DeliveredFilm(table, video, source, base: base, format, delivery)
        // Before a number is taken: the longest that any session could get.
        let most = manifest.capacity(for: film.session(.max, table.longestPathways))
        if isFast {
            guard fits(most) else { return takesTime(asker.client) }
        } else if let reason = takeRoom(most) {
            return refuse(reason)
        }
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
        guard write(manifest, for: film.session(begun.number, pathways)) else { return nil }
        return .manifest(.init(list: begun.list, session: begun.number, server: video.server, format: format, isMedia: false))
    }

    /// Whether the fast path may hold an answer of so many bytes for its connection.
    private func fits(_ most: Int) -> Bool { writer.bytes.count + most <= answersEnd }

    /// Takes memory for a manifest, until the client has it.
    ///
    /// - Returns: why there is none; nil when it was taken.
    mutating func takeRoom(_ most: Int) -> Manifest.Refusal? {
        if most > Manifest.largestWritten { return .tooLarge }
        guard manifests.take(most) else { return .busy }
        manifestBytes += most
        return nil
    }

    /// What was taken for the last answer; whoever sends it gives it back.
    mutating func takenManifest() -> (memory: BodyMemory, bytes: Int)? {
        guard manifestBytes > 0 else { return nil }
        defer { manifestBytes = 0 }
        return (manifests, manifestBytes)
    }

    /// - Returns: false when it is refused after all.
    mutating func write(_ manifest: Manifest, for session: Manifest.Session) -> Bool {
        do throws(Manifest.Refusal) {
            made = try manifest.written(for: session)
            return true
        } catch {
            _ = refuse(error)
            return false
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
}

extension ManifestDelivery.Obstacle {
    var reason: Manifest.Refusal {
        switch self {
        case .file: .signedFile
        case .query: .signedQuery
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
