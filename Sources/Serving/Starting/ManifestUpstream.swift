import Edge
import Fetching
import NIOCore
import Playlist

/// Where the data plane's manifests come from.
struct ManifestUpstream: Upstream {
    let fetcher: Fetcher

    func kept(_ key: [UInt8], _ format: Manifest.Format) -> UpstreamContent? { fetcher.kept(key, format).map { UpstreamContent($0) } }

    func fetch(_ request: UpstreamRequest, on loop: any EventLoop) -> EventLoopFuture<UpstreamContent> {
        guard let source = request.source else { return loop.makeSucceededFuture(.refused(.unreachable)) }
        return fetcher.fetch(source, request.format).map { UpstreamContent($0) }.hop(to: loop)
    }
}

extension UpstreamContent {
    fileprivate init(_ fetched: Fetcher.Fetched) {
        switch fetched {
        case .manifest(let manifest): self = .manifest(manifest)
        case .refused(let reason): self = .refused(reason)
        }
    }
}
