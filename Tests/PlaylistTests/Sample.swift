import Testing

@testable import Playlist

/// A film at three targets.
enum Sample {
    static let place = Manifest.Place(
        path: Array("/film/master.m3u8".utf8),
        roots: Roots(["http://cdn-a.example/s1", "https://cdn-b.example/films/s1", "http://s1.origin"].map { Array($0.utf8) }))

    static let pathways = [
        Manifest.Pathway(name: "cdn-a", root: Array("http://cdn-a.example/s1".utf8)),
        Manifest.Pathway(name: "cdn-b", root: Array("https://cdn-b.example/films/s1".utf8)),
        Manifest.Pathway(name: "origin", root: Array("http://s1.origin".utf8)),
    ]

    static func session(
        _ pathways: [Manifest.Pathway] = pathways, linkRoot: String? = nil, hasPathways: Bool? = nil
    ) -> Manifest.Session {
        Manifest.Session(
            pathways: pathways, steeringURL: Array("/steering/hls/s1/film/master.m3u8?session=17".utf8),
            reloadURL: Array("http://b/session/17/s1/film/manifest.mpd".utf8), linkRoot: linkRoot.map { Array($0.utf8) },
            hasPathways: hasPathways)
    }

    static func written(
        _ text: String, _ format: Manifest.Format = .hls, _ session: Manifest.Session = session()
    ) throws -> String {
        String(decoding: try Manifest(Array(text.utf8), format, at: place).written(for: session), as: UTF8.self)
    }

    /// Why a text is not rewritten; nil when it is.
    static func refusal(_ text: String, _ format: Manifest.Format = .hls) -> Manifest.Refusal? { refusal(Array(text.utf8), format) }

    static func refusal(_ bytes: [UInt8], _ format: Manifest.Format = .hls) -> Manifest.Refusal? {
        do throws(Manifest.Refusal) {
            _ = try Manifest(bytes, format, at: place).written(for: session())
            return nil
        } catch {
            return error
        }
    }
}
