@testable import Playlist

/// What holds for a manifest of any bytes; the unit tests and the fuzzer use it.
struct ManifestProperty {
    private let place = Manifest.Place(
        path: Array("/film/master.m3u8".utf8), roots: Roots(["http://cdn-a.example/s1", "http://s1.origin"].map { Array($0.utf8) }))
    private let session = Manifest.Session(
        pathways: [
            Manifest.Pathway(name: "cdn-a", root: Array("http://cdn-a.example/s1".utf8)),
            Manifest.Pathway(name: "origin", root: Array("http://s1.origin".utf8)),
        ], steeringURL: Array("http://b/steering?session=1".utf8), reloadURL: Array("http://b/session/1/s1/x.mpd".utf8))

    /// What is wrong; nil when nothing is.
    func fault(_ bytes: [UInt8]) -> String? {
        if let fault = faultInMedia(bytes) { return fault }
        for format in [Manifest.Format.hls, .dash] {
            guard let manifest = try? Manifest(bytes, format, at: place) else { continue }
            guard let written = try? manifest.written(for: session) else { continue }
            if written.count > manifest.capacity(for: session) { return "more is written than was said" }
            do throws(Manifest.Refusal) {
                _ = try Manifest(written, format, at: place)
                return "what names pathways is rewritten again: \(String(decoding: written, as: UTF8.self))"
            } catch {
                if error != .steered, error != .tooLarge {
                    return "what is written is \(error): \(String(decoding: written, as: UTF8.self))"
                }
            }
            if format == .hls, let fault = faultInLines(written) { return fault }
        }
        return nil
    }

    /// A media playlist reads again as one, and with the same URLs, since they are absolute.
    private func faultInMedia(_ bytes: [UInt8]) -> String? {
        guard let manifest = try? Manifest(bytes, .media, at: place), let written = try? manifest.written(for: session) else { return nil }
        if written.count > manifest.capacity(for: session) { return "more is written than was said" }
        guard let again = try? Manifest(written, .media, at: place), let twice = try? again.written(for: session) else {
            return "what is written is no media playlist: \(String(decoding: written, as: UTF8.self))"
        }
        return twice == written ? nil : "what is written is read as another: \(String(decoding: written, as: UTF8.self))"
    }

    /// One steering tag, and after each variant a URI of an absolute kind.
    private func faultInLines(_ written: [UInt8]) -> String? {
        let lines = written.split(separator: 0x0A)
        if lines.count(where: { $0.starts(with: "#EXT-X-CONTENT-STEERING:".utf8) }) != 1 { return "not one steering tag" }
        for (line, next) in zip(lines, lines.dropFirst()) where line.starts(with: "#EXT-X-STREAM-INF:".utf8) {
            if next.first == UInt8(ascii: "#") || !next.contains(UInt8(ascii: ":")) { return "a variant without an absolute URI" }
        }
        return nil
    }
}
