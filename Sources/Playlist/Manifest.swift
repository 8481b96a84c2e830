/// A multivariant playlist of HLS or an MPD of DASH, read once: what every session gets alike, and the places where something of the session
/// goes in. Reading looks at what can be named by every pathway; writing is copying.
///
/// What cannot be rewritten safely is refused with a reason, so that whoever serves it can redirect instead.
public struct Manifest: Sendable, Equatable {
    public enum Format: Sendable, Equatable {
        /// RFC 8216, draft-pantos-hls-rfc8216bis.
        case hls
        /// ISO/IEC 23009-1, ETSI TS 103 998.
        case dash
        /// A media playlist of HLS, whose segments need a token each: nothing else of it is touched.
        case media
    }

    /// Bytes of a manifest that are read at most.
    public static let largest = 1024 * 1024
    /// Bytes of one that are written at most.
    public static let largestWritten = 4 * 1024 * 1024

    public let format: Format
    /// Written once.
    let head: Template
    /// Written for each pathway.
    let body: Template
    /// Whether it tells what there is now, so that players ask for it again and again. Multivariant playlists do not say.
    public let isLive: Bool
    /// Bytes of the longest URL that it names at targets, without the root.
    private let longestPath: Int

    /// - Parameters:
    ///   - bytes: as an upstream has sent them.
    ///   - place: where it lies.
    /// - Throws: why it is not to be rewritten.
    public init(_ bytes: [UInt8], _ format: Format, at place: Place) throws(Refusal) {
        self.format = format
        if bytes.count > Manifest.largest { throw .tooLarge }
        let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
        guard String(validating: text, as: UTF8.self) != nil else { throw .notText }
        for byte in text where byte < 0x20 || byte == 0x7F {
            if byte != 0x0A, byte != 0x0D, byte != 0x09 { throw .notText }
        }
        switch format {
        case .hls:
            (head, body) = try MultivariantReader.read(text, at: place)
            isLive = false
        case .dash:
            (head, body) = (try MPDReader.read(text, at: place), Template())
            isLive = head.slots.contains { place in if case .location = place.slot { true } else { false } }
        case .media:
            body = Template()
            (head, isLive) = try MediaPlaylistReader.read(text, at: place)
        }
        longestPath = max(head.longestPath, body.longestPath)
        if max(head.bytes.count, body.bytes.count) > Manifest.largestWritten { throw .tooLarge }
    }

    /// Bytes that keeping it takes.
    public var size: Int { head.size + body.size }

    /// The most bytes that the manifest of a session can have: no less than for any other whose pathways and URLs are not longer, and whose
    /// tokens are not either.
    public func capacity(for session: Session) -> Int {
        let room = Template.Room(session, longestPath: longestPath)
        return head.capacity(room) + body.capacity(room) * (bodies(session).count + (session.linkRoot == nil ? 0 : 1))
    }

    /// The pathways that the body is written for.
    private func bodies(_ session: Session) -> [Pathway] { format == .hls && session.hasPathways ? session.pathways : [] }

    /// The manifest of a session.
    ///
    /// - Throws: `tooLarge`.
    public func written(for session: Session) throws(Refusal) -> [UInt8] {
        guard let first = session.pathways.first else { throw .unreachable }
        let most = capacity(for: session)
        if most > Manifest.largestWritten { throw .tooLarge }
        var out: [UInt8] = []
        out.reserveCapacity(most)
        head.write(session, first, to: &out)
        // Who knows no pathways takes what comes first.
        if session.linkRoot != nil { body.write(session, first, asLinks: true, to: &out) }
        for pathway in bodies(session) { body.write(session, pathway, to: &out) }
        return out
    }
}

extension Manifest {
    /// Why a manifest is not rewritten; whoever asked is redirected then. Names are stable, for metrics.
    public enum Refusal: String, Error, Sendable, CaseIterable {
        /// It is a media playlist, which is never touched.
        case media = "media-playlist"
        /// It is something else, a page of HTML say.
        case notManifest = "not-a-manifest"
        /// It has bytes that no text has, or is not UTF-8.
        case notText = "not-text"
        case tooLarge = "too-large"
        case malformed
        /// Its packager names pathways or a steering server itself.
        case steered = "already-steered"
        /// A target's token is good for one file, and what the manifest names would have none.
        case signedFile = "signed-file"
        /// A target's token stands in the query, which what an MPD names does not inherit.
        case signedQuery = "signed-query"
        /// Each target that could be asked for the manifest binds its tokens to the viewer's address.
        case signedAddress = "signed-address"
        /// A media playlist that a player may wait for, which nobody else can fetch for it.
        case lowLatency = "low-latency"
        /// A relative URI leads out of what the server has.
        case climbing = "climbing-uri"
        /// A URI means another place at each target.
        case uri
        /// Variables that depend on more than the playlist.
        case variables
        /// A document type, with which entities would come.
        case documentType = "document-type"
        case namespace
        /// Parts that lie elsewhere.
        case xlink
        /// Base URLs that no pathway can stand for.
        case baseURL = "base-url"
        /// The request has an Authorization or a Cookie.
        case credentials
        /// The request names no host that could be written down.
        case host
        /// No target has answered, or not in time.
        case unreachable
        /// No target has answered with 200.
        case status
        /// A target has answered with a content coding that was not asked for.
        case coding
        /// A target redirects to a host that is not in the catalog, or again and again.
        case redirected
        /// An answer ended before its end.
        case incomplete
        /// Too many fetches are under way.
        case busy

        /// Position among all.
        public var index: Int { Refusal.allCases.firstIndex(of: self) ?? 0 }

        /// Whether it is the manifest's own, so that asking another target would change nothing.
        public var isLasting: Bool {
            switch self {
            case .credentials, .host, .unreachable, .status, .coding, .redirected, .incomplete, .busy, .notManifest, .notText,
                .signedAddress:
                false
            default: true
            }
        }
    }
}
