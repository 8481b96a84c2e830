@testable import Steering

extension RoutingTable {
    /// Decides for a video of this server that no rule and no hash looks at.
    func decide(server: Int, avoiding avoided: Int?, sequences: SequenceSet) throws(Refusal) -> Decision {
        try ask("/v/x.m3u8", server: server, avoiding: avoided, sequences: sequences)
    }

    /// Decides for a path on a server, with a head of these fields.
    func ask(
        _ path: String, server: Int = 0, from client: String = "192.0.2.1", avoiding avoided: Int? = nil,
        fields: [(String, String)] = [], query: String = "", at second: Int = 1_700_000_000, sequences: SequenceSet
    ) throws(Refusal) -> Decision {
        let source = Array(path.utf8)
        let video = VideoReference(server: server, domain: 0, tail: SourceRange(0..<source.count), isDecoded: false, form: .originURL)
        let lines = fields.flatMap { Array("\($0.0): \($0.1)\r\n".utf8) }
        let head = lines + Array(query.utf8)
        let asker = Asker(
            client: ClientAddress(client) ?? .unknown, second: second, avoided: avoided, fields: HeadRange(0..<lines.count),
            query: HeadRange(lines.count..<head.count))
        return try decide(video, of: source.span, asker, head: head.span, sequences: sequences)
    }
}
