import Foundation
import Serving
import Steering

/// An access log to play: the balancer's own lines, or as nginx (`combined`) and Apache (Common Log Format) write them, the client first
/// and the request in quotes.
enum PlayedLog {
    /// Plays every request for a video; other lines are passed over.
    static func play(_ path: String, _ simulation: inout Simulation) throws {
        guard let data = CatalogFile.contents(path) else {
            throw ConfigurationFault("\(path): the access log cannot be read")
        }
        for line in data.split(separator: 0x0A) {
            guard let (client, url) = request(Array(line)) else { continue }
            simulation.play(url.span, of: client)
        }
    }

    /// The client, and the video's URL or path.
    static func request(_ line: [UInt8]) -> (client: ClientAddress, url: [UInt8])? {
        guard let (client, request) = line.first == UInt8(ascii: "{") ? own(line) : common(line) else { return nil }
        guard request.count >= 2, [Array("GET".utf8), Array("HEAD".utf8)].contains(Array(request[0])) else { return nil }
        let target = Array(request[1])
        guard let question = target.firstIndex(of: 0x3F), [Array("/".utf8), Array("/origin".utf8)].contains(Array(target[..<question]))
        else { return target.count > 1 ? (client, target) : nil }
        guard let query = try? Query(target.span, question + 1..<target.count), let video = query.video else { return nil }
        return (client, Array(target[video]))
    }

    /// The client, and the words of the request line.
    private static func common(_ line: [UInt8]) -> (ClientAddress, [ArraySlice<UInt8>])? {
        let words = line.split(separator: 0x20, maxSplits: 1)
        guard words.count == 2, let quote = line.firstIndex(of: 0x22),
            let client = ClientAddress(String(decoding: words[0], as: UTF8.self))
        else { return nil }
        return (client, line[(quote + 1)...].prefix { $0 != 0x22 }.split(separator: 0x20))
    }

    private static func own(_ line: [UInt8]) -> (ClientAddress, [ArraySlice<UInt8>])? {
        struct Line: Decodable {
            let client: String
            let request: String
        }
        guard let read = try? JSONDecoder().decode(Line.self, from: Data(line)), let client = ClientAddress(read.client) else { return nil }
        return (client, Array(read.request.utf8).split(separator: 0x20))
    }
}
