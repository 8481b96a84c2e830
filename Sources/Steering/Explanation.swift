/// One decision told step by step, for a person. Made by the same reading and the same `decide` as the answer on the wire.
public struct Explanation: Sendable, Equatable {
    public let steps: [Step]
    /// The URL a player would be sent to; nil when it would be refused.
    public let location: String?
    public let refusal: Refusal?

    public struct Step: Sendable, Equatable {
        public let about: String
        public let text: String
    }
}

extension RoutingTable {
    /// Explains what would be decided for a video's URL. Takes no number: it decides on a copy of the sequences.
    ///
    /// - Parameters:
    ///   - url: as the `video` parameter would carry it, or a path `/{server}/…`.
    ///   - name: a CDN to leave out, as the `avoid` parameter would.
    public func explain(_ url: String, avoiding name: String?, sequences: SequenceSet) -> Explanation {
        let bytes = Array(url.utf8)
        var decoded: [UInt8] = []
        var steps: [Explanation.Step] = []
        do throws(Refusal) {
            let video: VideoReference
            if bytes.first == UInt8(ascii: "/") {
                video = try self.video(atPath: 0..<bytes.count, of: bytes.span)
            } else {
                video = try self.video(in: 0..<bytes.count, of: bytes.span, decodedInto: &decoded)
            }
            steps.append(.init(about: "read", text: describe(video)))
            var avoided: Int?
            if let name {
                avoided = cdn(named: 0..<name.utf8.count, of: Array(name.utf8).span)
                let text = avoided == nil ? "no CDN is named \"\(name)\"; passed over" : "\(name) is left out"
                steps.append(.init(about: "avoid", text: text))
            }
            for cdn in catalog.cdns where !cdn.takesTraffic {
                steps.append(.init(about: "excluded", text: "\(cdn.name): \(cdn.enabled ? "its weight is 0" : "it is disabled")"))
            }
            let decision = try decide(server: video.server, avoiding: avoided, sequences: sequences.copy())
            steps.append(.init(about: "decide", text: describe(decision, server: video.server)))
            var location: [UInt8] = []
            if video.isDecoded {
                appendLocation(decision.target, video, of: decoded.span, to: &location)
            } else {
                appendLocation(decision.target, video, of: bytes.span, to: &location)
            }
            let text = String(decoding: location, as: UTF8.self)
            steps.append(.init(about: "answer", text: "\(catalog.redirect.status) \(text)"))
            return Explanation(steps: steps, location: text, refusal: nil)
        } catch {
            steps.append(.init(about: "refuse", text: "\(error.status) \(error.name): \(error.detail)"))
            return Explanation(steps: steps, location: nil, refusal: error)
        }
    }

    private func describe(_ video: VideoReference) -> String {
        let server = catalog.origin.labels[video.server]
        let form =
            switch video.form {
            case .originURL: "an origin URL"
            case .cdnURL: "a CDN's URL, mapped back to the origin"
            case .path: "a path at the balancer"
            }
        return "\(form): server \(server), domain \(catalog.origin.domains[video.domain])\(video.isDecoded ? ", percent-decoded once" : "")"
    }

    private func describe(_ decision: Decision, server: Int) -> String {
        let scope = catalog.origin.scope == .all ? "" : " of server \(catalog.origin.labels[server])"
        let number = "redirect number \(decision.number)\(scope)"
        let every = catalog.origin.every
        guard case .cdn(let cdn) = decision.target else {
            return decision.reason == .everyNth
                ? "\(number) is a multiple of \(every): to the origin" : "\(number): no CDN is left: to the origin"
        }
        let share = every == 0 ? "the origin gets none" : "\(number) is no multiple of \(every)"
        return "\(share): to CDN \(catalog.cdns[cdn].name) (\(decision.reason.name))"
    }
}
