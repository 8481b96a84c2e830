public import NIOCore
public import Playlist
public import Steering

/// Fetches what an answer is made of.
public protocol Upstream: Sendable {
    /// What is there at once, without a fetch: nil when nothing is. Called on any loop, fast ones too; blocks it for no longer than it takes
    /// to look something up.
    ///
    /// - Parameter key: of a `ManifestSource`.
    func kept(_ key: [UInt8], _ format: Manifest.Format) -> UpstreamContent?

    /// Called on the loop; must not block it. Who asked waits for `Limits.upstreamSeconds`.
    func fetch(_ request: UpstreamRequest, on loop: any EventLoop) -> EventLoopFuture<UpstreamContent>
}

extension Upstream {
    public func kept(_ key: [UInt8], _ format: Manifest.Format) -> UpstreamContent? { nil }
}

/// What has to be fetched for an answer.
public struct UpstreamRequest: Sendable, Equatable {
    /// Of the client's request: path and query.
    let target: [UInt8]
    /// Where a manifest is.
    public let source: ManifestSource?
    public let format: Manifest.Format
    /// What has to be signed besides, or instead where there is no source.
    let signatures: [SignatureWork]

    init(target: [UInt8], source: ManifestSource? = nil, format: Manifest.Format = .hls, signatures: [SignatureWork] = []) {
        self.signatures = signatures
        self.target = target
        self.source = source
        self.format = format
    }
}

/// What was fetched.
public enum UpstreamContent: Sendable {
    case manifest(Manifest)
    /// The client is redirected.
    case refused(Manifest.Refusal)
    /// Links can be signed now.
    case signed
    /// To be sent as it is.
    case page(EdgePage)

    /// It has failed, or taken too long.
    static var nothing: UpstreamContent { .refused(.unreachable) }
}
