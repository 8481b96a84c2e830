import Steering

extension RoutingTable {
    /// The body of a redirect for who asks for JSON.
    ///
    /// - Parameters:
    ///   - location: of the answer.
    ///   - targets: all of them, in order of preference.
    ///   - source: what the video's offsets count in.
    ///   - head: what the asker's offsets count in.
    func document(
        of decision: Decision, location: String, _ targets: [Decision.Target], _ video: VideoReference, _ source: borrowing Span<UInt8>,
        _ asker: Asker, _ head: borrowing Span<UInt8>
    ) -> Document {
        var ranked: [Document] = []
        for target in targets {
            var url: [UInt8] = []
            appendLocation(target, video, of: source, passing: asker.query, of: head, for: asker, to: &url)
            ranked.append(.object(members(String(decoding: url, as: UTF8.self), target)))
        }
        return .object(
            members(location, decision.target) + [
                .init("sequence", .integer(Int(clamping: decision.number))),
                .init("reason", .string(decision.reason.name)),
                .init("client", .string(asker.client.description)),
                .init("targets", .array(ranked)),
            ])
    }

    private func members(_ location: String, _ target: Decision.Target) -> [Document.Member] {
        let (kind, cdn): (String, Document) =
            switch target {
            case .origin: ("origin", .null)
            case .cdn(let index): ("cdn", .string(catalog.cdns[index].name))
            }
        return [.init("location", .string(location)), .init("target", .string(kind)), .init("cdn", cdn)]
    }
}
