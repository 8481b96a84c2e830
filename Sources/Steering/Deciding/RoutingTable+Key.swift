/// What the CDNs of a request are ranked by: a number, or a hash of film and viewer.
extension RoutingTable {
    private static let cookie = Array("cookie".utf8)

    /// What a policy's CDNs are ranked by.
    ///
    /// - Parameter number: among the CDN-bound; asked for only where the strategy goes by it.
    func key(
        _ policy: Policy, _ video: VideoReference, _ source: borrowing Span<UInt8>, _ asker: Asker, _ head: borrowing Span<UInt8>,
        number: () -> UInt64
    ) -> UInt64 {
        guard case .rendezvous(_, let key?, let viewer) = policy.choice else { return number() }
        switch key {
        case .film: return filmHash(video, source)
        case .viewer: return viewerHash(viewer, asker, head)
        case .both: return Rendezvous.mixed(filmHash(video, source)) ^ viewerHash(viewer, asker, head)
        }
    }

    /// Server and directory: all pieces of one film have the same.
    func filmHash(_ video: VideoReference, _ source: borrowing Span<UInt8>) -> UInt64 {
        var hash = serverHashes[video.server]
        var directory = hash
        for index in video.tail.range {
            let byte = source[index]
            if byte == UInt8(ascii: "?") { break }
            if byte == UInt8(ascii: "/") { directory = hash }
            hash = Rendezvous.hash(byte, hash)
        }
        return directory
    }

    func viewerHash(_ viewer: Choice.ViewerName, _ asker: Asker, _ head: borrowing Span<UInt8>) -> UInt64 {
        var name: Range<Int>?
        switch viewer {
        case .network: break
        case .header(let field): name = FieldLines.value(of: field, in: asker.fields.range, of: head)
        case .query(let parameter): name = FieldLines.parameter(parameter, in: asker.query.range, of: head)
        case .cookie(let cookie):
            if let value = FieldLines.value(of: RoutingTable.cookie, in: asker.fields.range, of: head) {
                name = FieldLines.cookie(cookie, in: value, of: head)
            }
        }
        if let name, !name.isEmpty { return Rendezvous.hash(head, name, Rendezvous.start) }
        let network = asker.client.prefix(asker.client.isIPv4 ? 120 : 56)
        return Rendezvous.mixed(network.high) ^ network.low
    }
}
