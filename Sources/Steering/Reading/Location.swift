extension RoutingTable {
    /// Appends the `Location` of a decision: scheme, host and port from the catalog, path and query as they came, and the parameters of the
    /// balancer's own query that the catalog passes on. A target that speaks both schemes is named by HTTPS for a request that came so; else
    /// the origin's is the video's own, and a CDN's that of its `url`.
    ///
    /// A link that has to be signed is, for this asker and from this second on; the token of one that came back signed is left out first.
    ///
    /// Only bytes 0x21…0x7E are written, whatever `source` and `head` hold; bytes that no URL may have are percent-encoded.
    ///
    /// - Parameters:
    ///   - source: what `video.tail` counts in: the request's bytes, or the buffer they were decoded into.
    ///   - query: the balancer's own, without its `?`.
    ///   - head: what `query` counts in.
    ///   - asker: whose link it is.
    /// - Returns: where the token stands in `out`; empty without one.
    @discardableResult
    public func appendLocation(
        _ target: Decision.Target, _ video: VideoReference, of source: borrowing Span<UInt8>, passing query: HeadRange,
        of head: borrowing Span<UInt8>, for asker: Asker, to out: inout [UInt8]
    ) -> Range<Int> {
        // The buffer that is handed out begins behind what is there.
        let start = out.count
        var token = 0..<0
        out.append(addingCapacity: locationCapacity(video, passing: query)) { output in
            let offset = start - output.count
            let range = appendLocation(target, video, of: source, passing: query, of: head, for: asker, to: &output)
            token = range.lowerBound + offset..<range.upperBound + offset
        }
        return token
    }

    /// The same into a buffer that has room for `locationCapacity` bytes.
    @discardableResult
    public func appendLocation(
        _ target: Decision.Target, _ video: VideoReference, of source: borrowing Span<UInt8>, passing query: HeadRange,
        of head: borrowing Span<UInt8>, for asker: Asker, to out: inout OutputSpan<UInt8>
    ) -> Range<Int> {
        let start = out.count
        let base = appendUnsigned(target, video, of: source, passing: query, of: head, to: &out)
        if signers.isEmpty { return 0..<0 }
        if video.folderLength > 0, tokens.coversFolder(target) {
            out.removeLast(out.count - start)
            return appendInFolder(target, video, of: source, passing: query, of: head, for: asker, to: &out)
        }
        tokens.removeOwnParameters(of: target, from: start, of: &out)
        return sign(&out, from: start, base: base, target, for: asker)
    }

    private func sign(
        _ out: inout OutputSpan<UInt8>, from start: Int, base: Int, _ target: Decision.Target, for asker: Asker
    ) -> Range<Int> {
        signers.lending(Signers.index(target)) {
            $0.signer?.sign(&out, from: start, base: base, for: asker.client, second: asker.second) ?? 0..<0
        }
    }

    /// Whether links to all targets can be written at once: none waits for a signature by a private key.
    ///
    /// - Parameter scratch: room to work in.
    public func areLinksReady(
        _ video: VideoReference, of source: borrowing Span<UInt8>, passing query: HeadRange, of head: borrowing Span<UInt8>,
        for asker: Asker, scratch: inout [UInt8]
    ) -> Bool {
        for index in slowSigners {
            let target: Decision.Target = index == 0 ? .origin : .cdn(index - 1)
            if !isLinkReady(target, video, of: source, passing: query, of: head, for: asker, scratch: &scratch) { return false }
        }
        return true
    }

    /// The same of one target.
    public func isLinkReady(
        _ target: Decision.Target, _ video: VideoReference, of source: borrowing Span<UInt8>, passing query: HeadRange,
        of head: borrowing Span<UInt8>, for asker: Asker, scratch: inout [UInt8]
    ) -> Bool {
        if slowSigners.isEmpty { return true }
        var isReady = true
        let signer = Signers.index(target)
        scratch.removeAll(keepingCapacity: true)
        scratch.append(addingCapacity: locationCapacity(video, passing: query)) { output in
            let base = appendSignedPart(target, video, of: source, passing: query, of: head, to: &output)
            isReady = signers.lending(signer) {
                $0.signer?.isReady(&output, from: 0, base: base, for: asker.client, second: asker.second) ?? true
            }
        }
        return isReady
    }

    /// What has to be signed before links to all targets can be written at once.
    public func linkPreparations(
        _ video: VideoReference, of source: borrowing Span<UInt8>, passing query: HeadRange, of head: borrowing Span<UInt8>,
        for asker: Asker
    ) -> [SignatureWork] {
        var works: [SignatureWork] = []
        for index in slowSigners {
            let target: Decision.Target = index == 0 ? .origin : .cdn(index - 1)
            var link: [UInt8] = []
            link.append(addingCapacity: locationCapacity(video, passing: query)) { output in
                let base = appendSignedPart(target, video, of: source, passing: query, of: head, to: &output)
                let signer = signers[index].signer
                let work = signer?.preparation(&output, from: 0, base: base, for: asker.client, second: asker.second)
                if let work { works.append(work) }
            }
        }
        return works
    }

    /// What of a link a token covers: the film's folder, or all of it.
    ///
    /// - Returns: where the server's label begins in `out`.
    private func appendSignedPart(
        _ target: Decision.Target, _ video: VideoReference, of source: borrowing Span<UInt8>, passing query: HeadRange,
        of head: borrowing Span<UInt8>, to out: inout OutputSpan<UInt8>
    ) -> Int {
        if video.folderLength > 0, tokens.coversFolder(target) {
            return appendUnsigned(target, video.folder, of: source, passing: .empty, of: head, to: &out)
        }
        let start = out.count
        let base = appendUnsigned(target, video, of: source, passing: query, of: head, to: &out)
        tokens.removeOwnParameters(of: target, from: start, of: &out)
        return base
    }

    /// The same with a token that is good for the film's folder, and not for the video's own alone: it stands before the path, so the
    /// folder is signed and the rest follows.
    private func appendInFolder(
        _ target: Decision.Target, _ video: VideoReference, of source: borrowing Span<UInt8>, passing query: HeadRange,
        of head: borrowing Span<UInt8>, for asker: Asker, to out: inout OutputSpan<UInt8>
    ) -> Range<Int> {
        let start = out.count
        let folder = video.folder
        let base = appendUnsigned(target, folder, of: source, passing: .empty, of: head, to: &out)
        let token = sign(&out, from: start, base: base, target, for: asker)
        let rest = out.count
        RoutingTable.append(folder.tail.range.upperBound..<video.tail.range.upperBound, of: source, to: &out)
        if passedNames.count > 0, !query.range.isEmpty {
            let hasQuery = out.span.firstIndex(of: UInt8(ascii: "?"), in: rest..<out.count) < out.count
            appendPassed(query.range, of: head, hasQuery: hasQuery, to: &out)
        }
        return token
    }

    /// The same without parameters and token: where a target has a video, not how it is got there.
    public func appendUnsignedLocation(
        _ target: Decision.Target, _ video: VideoReference, of source: borrowing Span<UInt8>, to out: inout [UInt8]
    ) {
        let nothing: [UInt8] = []
        out.append(addingCapacity: locationCapacity(video, passing: .empty)) {
            _ = appendUnsigned(target, video, of: source, passing: .empty, of: nothing.span, to: &$0)
        }
    }

    /// - Returns: where the server's label begins in `out`.
    @inline(__always)
    private func appendUnsigned(
        _ target: Decision.Target, _ video: VideoReference, of source: borrowing Span<UInt8>, passing query: HeadRange,
        of head: borrowing Span<UInt8>, to out: inout OutputSpan<UInt8>
    ) -> Int {
        let start = out.count
        let base: Int
        switch target {
        case .origin:
            let prefix =
                switch video.isAskedByHTTPS ? .https : video.scheme {
                case nil: 0
                case .http: 1
                case .https: 2
                }
            locationPrefixes.append(prefix, to: &out)
            base = out.count
            servers.keys.append(video.server, to: &out)
            out.append(UInt8(ascii: "."))
            domains.keys.append(video.domain, to: &out)
        case .cdn(let cdn):
            locationPrefixes.append(3 + 2 * cdn + (video.isAskedByHTTPS ? 1 : 0), to: &out)
            base = out.count
            servers.keys.append(video.server, to: &out)
        }
        let tail = video.tail.range
        if tail.isEmpty || source[tail.lowerBound] != UInt8(ascii: "/") { out.append(UInt8(ascii: "/")) }
        if video.isPlain {
            out.append(copying: source.extracting(tail))
        } else {
            RoutingTable.append(tail, of: source, to: &out)
        }
        if tokens.areInQueries(video.form) { tokens.removeParameters(from: start, of: &out) }
        if passedNames.count > 0, !query.range.isEmpty {
            let hasQuery = out.span.firstIndex(of: UInt8(ascii: "?"), in: start..<out.count) < out.count
            appendPassed(query.range, of: head, hasQuery: hasQuery, to: &out)
        }
        return base
    }

    /// The most bytes that a video's `Location` can have: all of the request's may have to be percent-encoded, and it may be signed.
    public func locationCapacity(_ video: VideoReference, passing query: HeadRange) -> Int {
        let plain = locationStartCapacity + 3 * (video.tail.range.count + query.range.count)
        if signers.isEmpty { return plain }
        var most = 0
        for index in signers.indices {
            most = max(most, signers.lending(index) { $0.signer?.capacity(plain) ?? 0 })
        }
        return plain + most
    }

    /// Appends parameters in their order and as they stand; the first makes the query where the target has none.
    private func appendPassed(_ query: Range<Int>, of head: borrowing Span<UInt8>, hasQuery: Bool, to out: inout OutputSpan<UInt8>) {
        var separator = hasQuery ? UInt8(ascii: "&") : UInt8(ascii: "?")
        var start = query.lowerBound
        while start < query.upperBound {
            let end = head.firstIndex(of: UInt8(ascii: "&"), in: start..<query.upperBound)
            if isPassed(start..<head.firstIndex(of: UInt8(ascii: "="), in: start..<end), of: head) {
                out.append(separator)
                RoutingTable.append(start..<end, of: head, to: &out)
                separator = UInt8(ascii: "&")
            }
            start = end + 1
        }
    }

    private func isPassed(_ name: Range<Int>, of head: borrowing Span<UInt8>) -> Bool {
        for position in 0..<passedNames.count where passedNames.equals(position, head, name) { return true }
        return false
    }

    static func append(_ range: Range<Int>, of source: borrowing Span<UInt8>, to out: inout OutputSpan<UInt8>) {
        if URLByte.areTailBytes(source, range) { return out.append(copying: source.extracting(range)) }
        for index in range { PercentEncoding.append(source[index], to: &out) }
    }
}
