/// What a steered player would be told, step by step; made by the same `steer` as the answer on the wire.
extension RoutingTable {
    /// - Parameters:
    ///   - target: of a request, with its query.
    ///   - name: a CDN to leave out beside what the query says; it counts where the query names none.
    ///   - head: the request's field lines.
    /// - Returns: nil where the target is no steering path, or one that is answered as any other path.
    func explainSteering(
        _ target: [UInt8], avoiding name: String?, _ client: ClientAddress, _ head: [UInt8], at second: Int, _ sequences: SequenceSet
    ) -> Explanation? {
        let question = target.firstIndex(of: UInt8(ascii: "?")) ?? target.count
        guard steers, let format = SteeringFormat(target.span, path: 0..<question) else { return nil }
        var steps: [Explanation.Step] = []
        do throws(Refusal) {
            let start = format.path.utf8CodeUnitCount - 1
            // Head and target are one text, as on the wire: what names a viewer stands in either.
            var text = target
            if let name, !target.isEmpty { text += Array((question < target.count ? "&avoid=" : "?avoid=").utf8) + Array(name.utf8) }
            let end = text.count
            text += head
            let bytes = text.span
            let video = try self.video(atPath: start..<question, of: bytes)
            let query = HeadRange(min(question + 1, end)..<end)
            let parameters = try SteeringQuery(bytes, query.range, format)
            let asker = asker(parameters, in: query, of: bytes, client: client, second: second, fields: HeadRange(end..<text.count))
            var ranking: [Decision.Target] = []
            guard
                let list = try steer(
                    video, of: bytes, asker, head: bytes, session: parameters.session, sequences: sequences, ranking: &ranking)
            else { return nil }
            steps.append(.init(about: "read", text: describe(video)))
            steps += describe(parameters, asker, text)
            if let place = place(of: client) { steps.append(.init(about: "client", text: place)) }
            steps += (blindRules + zoneWarnings).map { .init(about: "blind", text: $0) }
            steps += describe(policy: list.policy, asker, sequences)
            steps += describe(list, server: video.server)
            return Explanation(
                steps: steps, location: nil, refusal: nil,
                steering: .init(ttl: list.ttl, pathways: names(list), usable: list.usable, reason: list.reason))
        } catch {
            steps.append(.init(about: "refuse", text: "\(error.status) \(error.name): \(error.detail)"))
            return Explanation(steps: steps, location: nil, refusal: error)
        }
    }

    /// What the query says.
    private func describe(_ parameters: SteeringQuery, _ asker: Asker, _ text: [UInt8]) -> [Explanation.Step] {
        func value(_ range: Range<Int>) -> String { String(decoding: text[range], as: UTF8.self) }
        var steps = [
            Explanation.Step(
                about: "session",
                text: parameters.session.map { "number \($0)" } ?? "none: the viewer is the place, alike for one network or name")
        ]
        if parameters.ignored > 0 {
            steps.append(.init(about: "session", text: "parameters that do not parse and count as absent: \(parameters.ignored)"))
        }
        if let range = parameters.avoid {
            let text = asker.avoided == nil ? "no CDN is named \"\(value(range))\"; passed over" : "\(value(range)) is left out"
            steps.append(.init(about: "avoid", text: text))
        }
        if let range = parameters.pathway {
            let text = asker.playing.map { "the player says that it uses \(name($0))" }
            steps.append(.init(about: "playing", text: text ?? "no pathway is named \"\(value(range))\"; passed over"))
        }
        return steps
    }

    private func describe(_ list: SteeringList, server: Int) -> [Explanation.Step] {
        let policy = sessionPolicies[list.policy]
        var steps = describeOrder(list, server: server)
        let asking = policy.asking
        let period = list.isUnhealthy ? asking.ttlUnhealthy : asking.ttl
        let key = list.isUnhealthy ? "ttlUnhealthy (a target of the session does not work, or all keep their shares)" : "ttl"
        let shift = list.ttl - period
        let moment = shift == 0 ? "the session asks at its moment" : "\(shift > 0 ? "+" : "")\(shift) towards the session's moment"
        steps.append(.init(about: "ttl", text: "\(list.ttl): \(period) by \(key), \(moment)"))
        steps.append(.init(about: "answer", text: "200 \(names(list).joined(separator: ", "))"))
        return steps
    }

    func names(_ list: SteeringList) -> [String] { (0..<list.count).map { name(list[$0]) } }

    /// Why a session's targets are in this order.
    func describeOrder(_ list: SteeringList, server: Int) -> [Explanation.Step] {
        let policy = sessionPolicies[list.policy]
        let names = names(list)
        var steps: [Explanation.Step] = []
        if list.usable > 0 {
            steps.append(.init(about: "decide", text: "\(names[0]): \(why(list, policy, server: server))"))
            if list.usable > 1 {
                steps.append(.init(about: "then", text: names[1..<list.usable].joined(separator: ", ")))
            }
        } else {
            steps.append(
                .init(about: "decide", text: "nothing may be used now: a redirect would be 503, a player that plays goes on trying"))
        }
        if list.usable < list.count {
            let rest = names[list.usable...].joined(separator: ", ")
            steps.append(.init(about: "append", text: "\(rest): not usable now, but fewer than two are, and players need a second"))
        }
        return steps
    }

    /// Why the first is the first.
    private func why(_ list: SteeringList, _ policy: Policy, server: Int) -> String {
        switch list.reason {
        case .everyNth: "the session's number is a multiple of \(policy.every), so the origin is its place"
        case .noCDN: "no CDN is left, or the one that has the session does not work"
        case .originDown:
            "the session's number is a multiple of \(policy.every), but the probes of origin server \(catalog.origin.labels[server]) fail"
        case .avoided: "the next after the CDN that is avoided"
        case .signingBusy: "the next after a CDN whose links cannot be signed in time"
        case .overCap: "the next after a CDN that has its redirects for this second"
        case .ordered: "the first in the order of the catalog that works"
        case .hashed, .weighted, .rotated: "its place by the weighted hash (\(list.reason.name))"
        }
    }
}
