/// What a request for a manifest would be answered with, and a session's link, step by step; made by the same table as the answer on the wire,
/// without fetching anything.
extension RoutingTable {
    /// - Returns: no steps for what is no manifest, or just redirected.
    func explainDelivery(
        _ video: VideoReference, of source: borrowing Span<UInt8>, _ asker: Asker, head: borrowing Span<UInt8>, _ sequences: SequenceSet
    ) throws(Refusal) -> (steps: [Explanation.Step], Explanation.Delivery?) {
        guard let format = manifestFormat(video, of: source) else { return ([], nil) }
        let delivery = delivery(video, of: source, asker, head: head)
        if delivery.way == .redirect { return ([], nil) }
        if let obstacle = delivery.obstacle(format) { return redirected(obstacle.name, describe(obstacle), delivery) }
        var ranking: [Decision.Target] = []
        // A number and a cap's part are taken of a copy.
        let copy = sequences.copy()
        let place = try manifestSource(video, of: source, asker, head: head, sequences: copy, ranking: &ranking)
        guard place != nil else {
            return redirected("signed-address", "every target binds its tokens to the viewer's address: none can be asked", delivery)
        }
        let (number, list) = try beginSession(video, of: source, asker, head: head, sequences: copy, ranking: &ranking)
        let names = names(list)
        let way = format == .dash ? Catalog.Delivery.playlist : delivery.way
        let answer =
            switch way {
            case .links: "200 the manifest, with links to the balancer; they lead to \(names[0]) now"
            case .both: "200 the manifest, with links to the balancer and the pathways \(names.joined(separator: ", "))"
            default: "200 the manifest, with the pathways \(names.joined(separator: ", "))"
            }
        let steps = [
            Explanation.Step(about: "session", text: "number \(number) begins; sessions count apart from redirects"),
            .init(about: "answer", text: answer),
        ]
        return (steps, .init(way: delivery.way, obstacle: nil, session: number, pathways: names))
    }

    private func redirected(
        _ reason: String, _ text: String, _ delivery: ManifestDelivery
    ) -> (steps: [Explanation.Step], Explanation.Delivery?) {
        let step = Explanation.Step(about: "deliver", text: "\(delivery.way.rawValue), but redirected (\(reason)): \(text)")
        return ([step], .init(way: delivery.way, obstacle: reason, session: nil, pathways: []))
    }

    private func describe(_ obstacle: ManifestDelivery.Obstacle) -> String {
        switch obstacle {
        case .file(let target): "a token of \(name(target)) is good for one file, so what the manifest names would have none"
        case .query(let target): "a token of \(name(target)) stands in the query, which segments of an MPD do not inherit"
        }
    }

    /// - Returns: nil where the target is no link of a session.
    func explainLink(
        _ target: [UInt8], avoiding name: String?, _ asks: (client: ClientAddress, head: [UInt8], isByHTTPS: Bool), at second: Int,
        _ sequences: SequenceSet, showsToken: Bool
    ) -> Explanation? {
        guard deliversManifests, target.starts(with: "/session/".utf8), let link = SessionLink(target.span, 0..<target.count) else {
            return nil
        }
        var steps: [Explanation.Step] = []
        do throws(Refusal) {
            let (bytes, head) = (target.span, asks.head.span)
            var video = try self.video(atPath: link.path..<target.count, of: bytes)
            video.isAskedByHTTPS = asks.isByHTTPS
            if let depth = link.depth { video.folderLength = folderLength(video, of: bytes, depth: depth) }
            steps.append(.init(about: "read", text: describe(video)))
            steps.append(.init(about: "session", text: "number \(link.session)"))
            var avoided: Int?
            if let name { avoided = cdn(named: 0..<name.utf8.count, of: Array(name.utf8).span) }
            let asker = Asker(client: asks.client, second: second, avoided: avoided, fields: HeadRange(0..<asks.head.count))
            var ranking: [Decision.Target] = []
            let list = try resume(link.session, video, of: bytes, asker, head: head, sequences: sequences, ranking: &ranking)
            guard let list else { return nil }
            steps += describe(policy: list.policy, asker, sequences) + describeOrder(list, server: video.server)
            if let text = describeSigning(of: list[0], for: asks.client) { steps.append(.init(about: "sign", text: text)) }
            var location: [UInt8] = []
            let token = appendLocation(list[0], video, of: bytes, passing: .empty, of: bytes, for: asker, to: &location)
            if !showsToken { location.replaceSubrange(token, with: token.isEmpty ? [] : Array("***".utf8)) }
            let text = String(decoding: location, as: UTF8.self)
            let status = decision(of: list, session: link.session).status
            if signsSegments(at: list[0]), manifestFormat(video, of: bytes) == .hls {
                steps.append(.init(about: "answer", text: "200 the media playlist, with a token on each segment at \(self.name(list[0]))"))
                steps.append(.init(about: "else", text: "\(status) \(text), when it cannot be rewritten"))
            } else {
                steps.append(.init(about: "answer", text: "\(status) \(text)"))
            }
            return Explanation(steps: steps, location: text, refusal: nil)
        } catch {
            steps.append(.init(about: "refuse", text: "\(error.status) \(error.name): \(error.detail)"))
            return Explanation(steps: steps, location: nil, refusal: error)
        }
    }
}
