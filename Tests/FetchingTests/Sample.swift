import NIOCore
import NIOPosix
import Playlist
import Steering

@testable import Fetching

/// Films and answers of targets.
enum Sample {
    static func playlist(_ name: String = "720") -> String { "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n\(name).m3u8\n" }

    static func answer(_ body: String = playlist(), _ fields: [String] = [], status: String = "200 OK") -> String {
        (["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)"] + fields).joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    /// A film at targets, by their ports.
    static func source(_ ports: [Int], film: String = "film") -> ManifestSource {
        let roots = ports.map { "http://127.0.0.1:\($0)/s1" }
        let path = "/\(film)/master.m3u8"
        let targets = ManifestSource.Targets(
            roots: roots.map { Array($0.utf8) }, urls: roots.map { Array("\($0)\(path)".utf8) })
        return ManifestSource(key: Array(path.utf8), path: Array(path.utf8)) { targets }
    }

    /// An answer of any bytes.
    static func bytes(_ body: [UInt8], _ fields: [String] = []) -> [UInt8] {
        Array((["HTTP/1.1 200 OK", "Content-Length: \(body.count)"] + fields).joined(separator: "\r\n").utf8) + "\r\n\r\n".utf8 + body
    }

    static func fetcher(
        _ change: (inout Fetcher.Limits) -> Void = { _ in }, report: @escaping @Sendable (FetchTrouble) -> Void = { _ in }
    ) -> Fetcher {
        var limits = Fetcher.Limits()
        // The machine may be busy.
        (limits.attempt, limits.time) = (.seconds(20), .seconds(60))
        change(&limits)
        return Fetcher(limits, on: MultiThreadedEventLoopGroup.singleton.next(), report: report)
    }

    static func manifest(_ source: ManifestSource) throws -> Fetcher.Fetched { try manifest("720", source) }

    /// - Parameter path: where it was found; nil: where it was asked for.
    static func manifest(_ name: String, _ source: ManifestSource, at path: String? = nil) throws -> Fetcher.Fetched {
        let place = Manifest.Place(path: path.map { Array($0.utf8) } ?? source.path, roots: Roots(source.targets().roots))
        return .manifest(try Manifest(Array(playlist(name).utf8), .hls, at: place))
    }
}
