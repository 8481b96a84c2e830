@testable import Steering

/// A video together with the bytes that its tail counts in.
struct FoundVideo {
    let table: RoutingTable
    var video: VideoReference
    let source: [UInt8]

    var server: String { table.catalog.origin.labels[video.server] }
    var domain: String { table.catalog.origin.domains[video.domain] }
    var tail: String { String(decoding: source[video.tail.range], as: UTF8.self) }

    func locationBytes(_ target: Decision.Target) -> [UInt8] {
        var out: [UInt8] = []
        table.appendLocation(
            target, video, of: source.span, passing: .empty, of: source.span, for: Asker(client: .unknown, second: 0), to: &out)
        return out
    }

    func location(_ target: Decision.Target = .origin) -> String { String(decoding: locationBytes(target), as: UTF8.self) }
}

extension RoutingTable {
    /// Reads a `video` value that stands amid bytes which would change its meaning if they were read too.
    func find(_ value: [UInt8]) throws(Refusal) -> FoundVideo {
        let request = Array("/%2e".utf8) + value + Array("41/../".utf8)
        var buffer = Array("left over".utf8)
        let video = try video(in: 4..<4 + value.count, of: request.span, decodedInto: &buffer)
        return FoundVideo(table: self, video: video, source: video.isDecoded ? buffer : request)
    }

    func find(_ value: String) throws(Refusal) -> FoundVideo { try find(Array(value.utf8)) }

    /// Reads the path form, amid bytes likewise.
    func find(path: [UInt8]) throws(Refusal) -> FoundVideo {
        let request = Array("%2e".utf8) + path + Array("41/../".utf8)
        let video = try video(atPath: 3..<3 + path.count, of: request.span)
        return FoundVideo(table: self, video: video, source: request)
    }

    func find(path: String) throws(Refusal) -> FoundVideo { try find(path: Array(path.utf8)) }

    /// Reads the `video` parameter of a query, as the data plane does.
    func find(query: [UInt8]) throws(Refusal) -> FoundVideo {
        guard let value = try Query(query.span, 0..<query.count).video else { throw .missingVideo }
        return try find(Array(query[value]))
    }

    func find(query: String) throws(Refusal) -> FoundVideo { try find(query: Array(query.utf8)) }
}

/// Percent-encodes all but letters and digits.
func encoded(_ bytes: [UInt8]) -> [UInt8] {
    let hex = Array("0123456789ABCDEF".utf8)
    return bytes.flatMap { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: [byte]
        default: [0x25, hex[Int(byte) / 16], hex[Int(byte) % 16]]
        }
    }
}

func encoded(_ text: String) -> String { String(decoding: encoded(Array(text.utf8)), as: UTF8.self) }
