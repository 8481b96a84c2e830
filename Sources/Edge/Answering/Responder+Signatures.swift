import Steering

/// Links that private keys sign: a request waits for its signatures before it is decided, so that none takes a number twice.
extension Responder {
    /// What a request for a video waits with; nil when it is to be decided now, with `areLinksScarce` where some links cannot be written.
    ///
    /// - Parameters:
    ///   - source: what the video's offsets count in, unless it is decoded.
    ///   - bytes: what the asker's offsets count in.
    mutating func awaitLinks(
        to video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, _ bytes: borrowing Span<UInt8>, isFast: Bool
    ) -> Answer? {
        guard video.isDecoded else { return awaitLinks(of: video, source, asker, bytes, isFast: isFast) }
        // Taken out for the call: a copy would take a reference.
        var text: [UInt8] = []
        swap(&text, &decoded)
        defer { swap(&text, &decoded) }
        return awaitLinks(of: video, text.span, asker, bytes, isFast: isFast)
    }

    private mutating func awaitLinks(
        of video: VideoReference, _ source: borrowing Span<UInt8>, _ asker: Asker, _ bytes: borrowing Span<UInt8>, isFast: Bool
    ) -> Answer? {
        areLinksScarce = false
        // It has waited. What is missing still, since a window of time has ended meanwhile, is signed on the spot.
        if case .signed? = fetched { return nil }
        if table.areLinksReady(video, of: source, passing: asker.query, of: bytes, for: asker, scratch: &writer.scratch) {
            if fetched == nil { counters.signatures.hits += 1 }
            return nil
        }
        if table.denies(video, of: source, asker, head: bytes) { return nil }
        guard fetched == nil, signing?.hasRoom == true else {
            counters.signatures.refused += 1
            areLinksScarce = true
            return nil
        }
        if isFast {
            // The slow path lets it in anew.
            rate?.giveBack(asker.client)
            return .needsTime
        }
        counters.signatures.misses += 1
        let works = table.linkPreparations(video, of: source, passing: asker.query, of: bytes, for: asker)
        wanted = UpstreamRequest(target: [], signatures: works)
        return .needsUpstream
    }

    /// The decision, or the first of its ranking whose link can be written.
    mutating func reachable(
        _ decision: Decision, _ video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, _ bytes: borrowing Span<UInt8>
    ) throws(Refusal) -> Decision {
        guard areLinksScarce else { return decision }
        guard video.isDecoded else { return try reachable(decision, of: video, source, asker, bytes) }
        let text = decoded
        return try reachable(decision, of: video, text.span, asker, bytes)
    }

    private mutating func reachable(
        _ decision: Decision, of video: VideoReference, _ source: borrowing Span<UInt8>, _ asker: Asker, _ bytes: borrowing Span<UInt8>
    ) throws(Refusal) -> Decision {
        table.rank(decision, video, asker, sequences: sequences, into: &writer.targets)
        for (index, target) in writer.targets.enumerated()
        where table.isLinkReady(target, video, of: source, passing: asker.query, of: bytes, for: asker, scratch: &writer.scratch) {
            return index == 0 ? decision : decision.passed(to: target)
        }
        throw .signingBusy
    }
}
