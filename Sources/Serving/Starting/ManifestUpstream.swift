import Edge
import Fetching
import NIOCore
import Playlist

/// Where the data plane's manifests come from.
struct ManifestUpstream: Upstream {
    let fetcher: Fetcher

    func fetch(_ request: UpstreamRequest, on loop: any EventLoop) -> EventLoopFuture<UpstreamContent> {
        guard let source = request.source else { return loop.makeSucceededFuture(.refused(.unreachable)) }
        return fetcher.fetch(source, request.format).map { fetched in
            switch fetched {
            case .manifest(let manifest): UpstreamContent.manifest(manifest)
            case .refused(let reason): .refused(reason)
            }
        }.hop(to: loop)
    }
}
