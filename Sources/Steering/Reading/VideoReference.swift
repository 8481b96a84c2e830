/// A video that lies on a listed origin server: what a redirect is decided for.
public struct VideoReference: Sendable, Equatable {
    /// Index in the catalog's labels.
    public let server: Int
    /// Index in the catalog's domains: the one the request named, or the first.
    public let domain: Int
    /// Path and query. May lack its leading slash when the request named no path.
    public let tail: SourceRange
    /// False: `tail` counts in the request's own bytes. True: in the buffer it was decoded into.
    public let isDecoded: Bool
    /// How the request named the video.
    public let form: Form
    /// The scheme of the video's URL; nil where it has none.
    var scheme: Catalog.Scheme?
    /// Whether the request came by HTTPS: targets are then named by HTTPS where the catalog has them so, as a page refuses others.
    public var isAskedByHTTPS = false
    /// Whether the tail is known to have no byte that has to be encoded in a URL.
    var isPlain = false
    /// Bytes of `tail` that a token is to cover, to their last slash: the folder of the film's manifest, which the video lies in. 0: its own.
    public var folderLength: UInt16 = 0

    /// The part of it that a token covers.
    var folder: VideoReference {
        let start = tail.range.lowerBound
        return VideoReference(
            server: server, domain: domain, tail: SourceRange(start..<start + Int(folderLength)), isDecoded: isDecoded, form: form,
            scheme: scheme, isAskedByHTTPS: isAskedByHTTPS)
    }

    public enum Form: UInt8, Sendable {
        case originURL
        /// A CDN's URL, mapped back to the origin's.
        case cdnURL
        /// `/{server}/path` at the balancer.
        case path
    }
}

extension RoutingTable {
    /// Reads a video's URL as the contract says (docs/http.md, "Reading the URL").
    ///
    /// A value that begins literally with `http://` or `https://`, in any letter case, is raw and stays as it came; any other is percent-decoded once
    /// into `buffer` and must then begin so. A link to a balancer is unwrapped once; a CDN's URL is mapped back to its origin.
    ///
    /// - Parameters:
    ///   - value: where the URL stands in `request`.
    ///   - buffer: what decoded text is written into, in the place of its old content.
    /// - Throws: the refusal; nothing was counted.
    public func video(
        in value: Range<Int>, of request: borrowing Span<UInt8>, decodedInto buffer: inout [UInt8]
    ) throws(Refusal) -> VideoReference {
        var link: Range<Int>
        if !tokens.middleName.isEmpty, let video = videoBehindToken(in: value, of: request, &buffer) { return video }
        if let start = URLScheme.end(in: request, value) {
            switch try reading(request, value, authorityAt: start, isDecoded: false) {
            case .video(let video): return video
            case .link(let inner): link = inner
            }
            buffer.removeAll(keepingCapacity: true)
            if URLScheme.end(in: request, link) != nil { return try unwrapped(request, link, isDecoded: false) }
            try PercentEncoding.decode(request, link, into: &buffer)
            return try unwrapped(buffer.span, 0..<buffer.count, isDecoded: true)
        }
        buffer.removeAll(keepingCapacity: true)
        try PercentEncoding.decode(request, value, into: &buffer)
        guard let start = URLScheme.end(in: buffer.span, 0..<buffer.count) else { throw .notHTTP }
        switch try reading(buffer.span, 0..<buffer.count, authorityAt: start, isDecoded: true) {
        case .video(let video): return video
        case .link(let inner): link = inner
        }
        if URLScheme.end(in: buffer.span, link) == nil {
            let encoded = buffer
            buffer.removeAll(keepingCapacity: true)
            try PercentEncoding.decode(encoded.span, link, into: &buffer)
            link = 0..<buffer.count
        }
        return try unwrapped(buffer.span, link, isDecoded: true)
    }

    /// Reads `/{server}/path…`, the form in which relative names of a playlist come back.
    ///
    /// - Parameter target: path and query in `request`; begins with `/`.
    public func video(atPath target: Range<Int>, of request: borrowing Span<UInt8>) throws(Refusal) -> VideoReference {
        guard !target.isEmpty, request[target.lowerBound] == UInt8(ascii: "/") else { throw .unknownServer }
        let start = target.lowerBound + 1
        let end = request.firstIndex(in: start..<target.upperBound) { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
        guard let server = servers.position(of: request, start..<end) else { throw .unknownServer }
        let tail = end..<target.upperBound
        let isPlain = try URLByte.checkTail(request, tail)
        return VideoReference(server: server, domain: 0, tail: SourceRange(tail), isDecoded: false, form: .path, isPlain: isPlain)
    }

    /// A signed link whose token stands in the middle of its path, read without it; nil for all else, which is read as it is.
    private func videoBehindToken(in value: Range<Int>, of request: borrowing Span<UInt8>, _ buffer: inout [UInt8]) -> VideoReference? {
        buffer.removeAll(keepingCapacity: true)
        do throws(Refusal) {
            if URLScheme.end(in: request, value) != nil {
                for index in value { buffer.append(request[index]) }
            } else {
                try PercentEncoding.decode(request, value, into: &buffer)
            }
            guard tokens.removeSegment(from: &buffer), let start = URLScheme.end(in: buffer.span, 0..<buffer.count),
                case .video(let video) = try reading(buffer.span, 0..<buffer.count, authorityAt: start, isDecoded: true)
            else { return nil }
            return video.form == .cdnURL || tokens.areOriginsInMiddle ? video : nil
        } catch {
            return nil
        }
    }

    private enum Reading {
        case video(VideoReference)
        /// A link to a balancer: where its `video` value stands.
        case link(Range<Int>)
    }

    private func unwrapped(_ text: borrowing Span<UInt8>, _ url: Range<Int>, isDecoded: Bool) throws(Refusal) -> VideoReference {
        guard let start = URLScheme.end(in: text, url) else { throw .notHTTP }
        guard case .video(let video) = try reading(text, url, authorityAt: start, isDecoded: isDecoded) else { throw .unknownHost }
        return video
    }

    /// - Parameter start: what follows the `://`.
    private func reading(
        _ text: borrowing Span<UInt8>, _ url: Range<Int>, authorityAt start: Int, isDecoded: Bool
    ) throws(Refusal) -> Reading {
        let end = text.firstIndex(
            in: start..<url.upperBound, { $0.equal(UInt8(ascii: "/")) | $0.equal(UInt8(ascii: "?")) | $0.equal(UInt8(ascii: "#")) },
            or: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") })
        let scheme: Catalog.Scheme = start - url.lowerBound == 8 ? .https : .http
        let authority = start..<end
        let tail = end..<url.upperBound
        if let video = try videoAtOrigin(text, authority, tail, isDecoded: isDecoded, scheme) { return .video(video) }
        let plain = URLScheme.withoutDefaults(text, authority, of: url.lowerBound)
        if plain != authority, let video = try videoAtOrigin(text, plain, tail, isDecoded: isDecoded, scheme) { return .video(video) }
        for index in authority {
            if text[index] == UInt8(ascii: "@") { throw .userinfo }
            if text[index] <= 0x20 || text[index] == 0x7F || text[index] == UInt8(ascii: "\\") { throw .forbiddenCharacter }
        }
        _ = try URLByte.checkTail(text, tail)
        if let video = videoAtCDN(text, authority, tail, isDecoded: isDecoded, scheme) { return .video(video) }
        if let end = tokens.end(text, tail),
            let video = videoAtCDN(text, authority, end..<tail.upperBound, isDecoded: isDecoded, scheme)
                ?? videoAtCDN(text, plain, end..<tail.upperBound, isDecoded: isDecoded, scheme)
        {
            return .video(video)
        }
        if plain != authority, let video = videoAtCDN(text, plain, tail, isDecoded: isDecoded, scheme) { return .video(video) }
        guard let link = try linkedVideo(text, tail) else { throw .unknownHost }
        return .link(link)
    }

    private func videoAtOrigin(
        _ text: borrowing Span<UInt8>, _ authority: Range<Int>, _ tail: Range<Int>, isDecoded: Bool, _ scheme: Catalog.Scheme
    ) throws(Refusal) -> VideoReference? {
        let (start, end) = (authority.lowerBound, authority.upperBound)
        let dot = text.firstIndex(of: UInt8(ascii: "."), in: authority)
        guard dot < end, let server = servers.position(of: text, start..<dot), let domain = domains.position(of: text, dot + 1..<end) else {
            return nil
        }
        let isPlain = try URLByte.checkTail(text, tail)
        let path = tokens.areOriginsInPaths ? tokens.end(text, tail) ?? tail.lowerBound : tail.lowerBound
        return VideoReference(
            server: server, domain: domain, tail: SourceRange(path..<tail.upperBound), isDecoded: isDecoded, form: .originURL,
            scheme: scheme, isPlain: isPlain)
    }

    private func videoAtCDN(
        _ text: borrowing Span<UInt8>, _ authority: Range<Int>, _ tail: Range<Int>, isDecoded: Bool, _ scheme: Catalog.Scheme
    ) -> VideoReference? {
        for base in cdnBases where text.matches(base.authority, in: authority) {
            var label = tail.lowerBound + base.prefix.count + 1
            guard label <= tail.upperBound, text.begins(with: base.prefix, in: tail), text[label - 1] == UInt8(ascii: "/") else { continue }
            label = tokens.digestEnd(text, label..<tail.upperBound) ?? label
            let end = text.firstIndex(in: label..<tail.upperBound) { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
            guard let server = servers.position(of: text, label..<end) else { continue }
            return VideoReference(
                server: server, domain: 0, tail: SourceRange(end..<tail.upperBound), isDecoded: isDecoded, form: .cdnURL, scheme: scheme)
        }
        return nil
    }

    /// The `video` value when path and query are those of a balancer's link: `/?video=…` or `/origin?video=…`.
    private func linkedVideo(_ text: borrowing Span<UInt8>, _ tail: Range<Int>) throws(Refusal) -> Range<Int>? {
        let question = text.firstIndex(of: UInt8(ascii: "?"), in: tail)
        guard question < tail.upperBound else { return nil }
        let path = tail.lowerBound..<question
        guard path.isEmpty || text.equals("/", in: path) || text.equals("/origin", in: path) || text.equals("/origin/", in: path) else {
            return nil
        }
        return try Query(text, question + 1..<tail.upperBound).video
    }
}
