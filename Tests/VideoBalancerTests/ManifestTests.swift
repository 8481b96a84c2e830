import DatabaseServers
import Foundation
import Glibc
import Testing

/// Manifests served by the balancer: films that ffmpeg has packaged, real nginx servers as CDNs, and ffprobe and ffmpeg as players.
@Suite(
    .serialized, .onThreads,
    .enabled(
        if: ["/usr/sbin/nginx", "/usr/bin/ffmpeg", "/usr/bin/ffprobe"].allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }))
struct ManifestTests {
    /// An nginx that serves the films of a folder.
    private final class CDN {
        let port: UInt16
        private let process: ChildProcess

        init(in folder: Folder, port: UInt16) throws {
            self.port = port
            try folder.write(
                """
                daemon off; worker_processes 1; pid nginx-\(port).pid; error_log stderr;
                events { worker_connections 64; }
                http {
                  access_log \(folder.path("access-\(port).log"));
                  types { application/vnd.apple.mpegurl m3u8; application/dash+xml mpd; video/mp4 m4s mp4; video/mp2t ts; }
                  server { listen 127.0.0.1:\(port); root \(folder.path("films")); add_header Cache-Control max-age=60; }
                }
                """, to: "nginx-\(port).conf")
            process = try ChildProcess(
                ["/usr/sbin/nginx", "-p", folder.path, "-c", folder.path("nginx-\(port).conf")], environment: [:], folder: folder.path,
                output: folder.path("nginx-\(port).out"), error: folder.path("nginx-\(port).err"))
        }

        func end() { process.end() }
    }

    /// Two qualities and a sound track, as HLS and as DASH.
    private static func package(in folder: Folder) throws {
        let film = folder.path("films/s1/film")
        try FileManager.default.createDirectory(atPath: film, withIntermediateDirectories: true)
        let source = [
            "/usr/bin/ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-f", "lavfi", "-i", "sine", "-t", "4",
            "-map", "0:v", "-map", "0:v", "-map", "1:a", "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-s:v:1", "160x90", "-c:a",
            "aac",
        ]
        let hls =
            source + [
                "-f", "hls", "-hls_time", "1", "-hls_playlist_type", "vod", "-master_pl_name", "master.m3u8", "-var_stream_map",
                "v:0,agroup:sound v:1,agroup:sound a:0,agroup:sound,default:yes", "\(film)/v%v.m3u8",
            ]
        let dash = source + ["-f", "dash", "-seg_duration", "1", "\(film)/manifest.mpd"]
        for command in [hls, dash] {
            let made = try Command.run(command, in: folder)
            if made.code != 0 { throw Failure("ffmpeg: \(made.error)") }
        }
    }

    private static func catalog(_ ports: [UInt16], delivery: String) -> String {
        let cdns = ports.enumerated().map { "{\"name\": \"cdn-\($0)\", \"url\": \"http://127.0.0.1:\($1)\"}" }
        return """
            {"version": 1, "origin": {"domains": ["origin-cluster"], "servers": ["s1"], "every": 0},
             "cdns": [\(cdns.joined(separator: ","))], "steering": {"enabled": true}, "delivery": "\(delivery)"}
            """
    }

    /// What ffprobe finds at a URL: kind, codec and size of each stream, without copies.
    private static func streams(_ url: String, in folder: Folder) throws -> Set<String> {
        let probe = try Command.run(
            [
                "/usr/bin/ffprobe", "-v", "error", "-show_entries", "stream=codec_type,codec_name,width,height", "-of", "csv=p=0", url,
            ], in: folder)
        if probe.code != 0 { throw Failure("ffprobe \(url): \(probe.error)") }
        return Set(probe.output.split(separator: "\n").map(String.init))
    }

    @Test func `ffprobe finds the same film through the balancer as at a CDN, ffmpeg plays it, and one dead CDN is no harm`() throws {
        let folder = try Folder()
        try Self.package(in: folder)
        let ports = try (0..<2).map { _ in try FreePort.take() }
        let cdns = try ports.map { try CDN(in: folder, port: $0) }
        defer { cdns.forEach { $0.end() } }
        _ = try folder.importCatalog(Self.catalog(ports, delivery: "playlist"))
        let balancer = try Balancer(in: folder)
        defer { balancer.end() }
        try eventually("nginx") { try HTTPConnection("127.0.0.1", ports[1]).get("/s1/film/master.m3u8", []).status == 200 }

        for name in ["master.m3u8", "manifest.mpd"] {
            let answer = try balancer.get("/s1/film/\(name)")
            #expect(answer.status == 200, "\(answer.head)")
            for port in ports { #expect(answer.text.contains("http://127.0.0.1:\(port)/s1/film/")) }
            let url = "http://127.0.0.1:\(balancer.port)/s1/film/\(name)"
            let (served, direct) = (
                try Self.streams(url, in: folder), try Self.streams("http://127.0.0.1:\(ports[0])/s1/film/\(name)", in: folder)
            )
            #expect(served == direct && direct.count == 3, "\(name): \(served) is not \(direct)")
            let played = try Command.run(["/usr/bin/ffmpeg", "-v", "error", "-i", url, "-f", "null", "-"], in: folder)
            #expect(played.code == 0, "\(played)")
        }
        #expect(try balancer.get("/s1/film/v0.m3u8").status == 301, "a media playlist is redirected")
        // nginx writes a line once its answer is away; how long a manifest is kept is tested where the clock is.
        try eventually("a fetch of each") {
            let lines = try ports.flatMap { try folder.text("access-\($0).log").split(separator: "\n") }
            return ["master.m3u8", "manifest.mpd", "v0.m3u8"].allSatisfy { name in
                lines.contains { $0.contains("video-balancer") && $0.contains(name) }
            }
        }

        cdns[0].end()
        for index in 0..<6 {
            let before = try FileManager.default.contentsOfDirectory(atPath: folder.path("films/s1")).count
            try FileManager.default.copyItem(atPath: folder.path("films/s1/film"), toPath: folder.path("films/s1/film\(before)-\(index)"))
            #expect(try balancer.get("/s1/film\(before)-\(index)/master.m3u8").status == 200)
        }
        let metrics = try balancer.metrics()
        #expect((metrics["balancer_manifest_fetches_total{result=\"ok\"}"] ?? 0) == 9)
        #expect((metrics["balancer_manifest_reuses_total{kind=\"hit\"}"] ?? 0) >= 3)
        #expect(metrics["balancer_manifests_redirected_total{reason=\"media-playlist\"}"] == 1)
        let served = (0..<2).reduce(0) { $0 + (metrics["balancer_manifests_total{target=\"cdn\",cdn=\"cdn-\($1)\"}"] ?? 0) }
        #expect(served >= 10)
        #expect(try balancer.stop() == .exited(0))
    }

    @Test func `with links a player comes by again for each media playlist, and is kept at its CDN`() throws {
        let folder = try Folder()
        try Self.package(in: folder)
        let ports = try (0..<2).map { _ in try FreePort.take() }
        let cdns = try ports.map { try CDN(in: folder, port: $0) }
        defer { cdns.forEach { $0.end() } }
        _ = try folder.importCatalog(Self.catalog(ports, delivery: "links"))
        let balancer = try Balancer(in: folder)
        defer { balancer.end() }
        try eventually("nginx") { try HTTPConnection("127.0.0.1", ports[1]).get("/s1/film/master.m3u8", []).status == 200 }
        let url = "http://127.0.0.1:\(balancer.port)/s1/film/master.m3u8"
        let answer = try balancer.get("/s1/film/master.m3u8")
        let link = try #require(answer.text.split(separator: "\n").first { $0.hasPrefix("/session/") }).description
        let locations = try (0..<5).map { try balancer.get("\(link)?\($0)").location?.prefix { $0 != "?" } }
        #expect(Set(locations).count == 1 && locations[0]?.hasPrefix("http://127.0.0.1:") == true)
        #expect(try Self.streams(url, in: folder).count == 3)
        let played = try Command.run(["/usr/bin/ffmpeg", "-v", "error", "-i", url, "-f", "null", "-"], in: folder)
        #expect(played.code == 0, "\(played)")
        #expect(try balancer.stop() == .exited(0))
    }
}
