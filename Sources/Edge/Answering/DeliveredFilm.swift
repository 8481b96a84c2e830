import Playlist
import Steering

/// What the manifests of one film's sessions have in common.
struct DeliveredFilm {
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

extension RoutingTable {
    /// - Parameter path: of the manifest.
    func pathway(_ target: Decision.Target, _ video: VideoReference, path: [UInt8], _ asker: Asker) -> Manifest.Pathway {
        let signer = signer(of: target, video, path: path, for: asker).map { PathwaySigner(signer: $0) }
        return switch target {
        case .origin: Manifest.Pathway(name: "origin", root: root(target, video), signer: signer)
        case .cdn(let cdn): Manifest.Pathway(name: catalog.cdns[cdn].name, root: root(target, video), signer: signer)
        }
    }

    /// As many pathways as a session has at most, each no shorter than any.
    var longestPathways: [Manifest.Pathway] {
        let (name, root) = (RoutingTable.longestName, [UInt8](repeating: 0, count: longestRoot))
        let longest = Manifest.Pathway(name: name, root: root)
        // The longest token counts, so one pathway asks for it: each question goes to all targets.
        let signer = signsLinks ? LongestSigner(table: self) : nil
        let others = Array(repeating: longest, count: min(SteeringList.maximum, catalog.cdns.count + 1) - 1)
        return [Manifest.Pathway(name: name, root: root, signer: signer)] + others
    }

    /// A CDN's name has 64 bytes at most.
    private static let longestName = String(repeating: "x", count: 64)
}

extension SteeringFormat {
    var manifestType: String {
        switch self {
        case .hls: "application/vnd.apple.mpegurl"
        case .dash: "application/dash+xml"
        }
    }
}
