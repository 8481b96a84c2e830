/// One decision told step by step, for a person. Made by the same reading and the same `decide` as the answer on the wire.
public struct Explanation: Sendable, Equatable {
    public let steps: [Step]
    /// The URL a player would be sent to; nil when it would be refused.
    public let location: String?
    public let refusal: Refusal?
    /// What a steered player would be told; nil for a redirect and a refusal.
    public let steering: Steering?
    /// How a request for a manifest is answered, where it is not just redirected; the rest then says what happens when the manifest cannot be
    /// rewritten, which nobody knows who has not fetched it.
    public let delivery: Delivery?

    public struct Delivery: Sendable, Equatable {
        public let way: Catalog.Delivery
        /// Why it is redirected after all, as metrics name it; nil: it is served.
        public let obstacle: String?
        /// The session's number; nil where none begins.
        public let session: UInt64?
        /// Names, by preference.
        public let pathways: [String]
    }

    public struct Steering: Sendable, Equatable {
        /// Seconds until the player asks again.
        public let ttl: Int
        /// Names, by preference.
        public let pathways: [String]
        /// How many of them may be used now.
        public let usable: Int
        /// Why the first is the first.
        public let reason: Decision.Reason
    }

    init(steps: [Step], location: String?, refusal: Refusal?, steering: Steering? = nil, delivery: Delivery? = nil) {
        (self.steps, self.location, self.refusal) = (steps, location, refusal)
        (self.steering, self.delivery) = (steering, delivery)
    }

    /// A header field as `explain` takes it; nil for what no request could carry so.
    public static func header(_ name: String, _ value: String) -> (name: String, value: String)? {
        guard FieldLines.isName(name), value.utf8.count <= 4096, value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return nil }
        return (name, value)
    }

    public struct Step: Sendable, Equatable {
        public let about: String
        public let text: String
    }
}

extension RoutingTable {
    /// Explains what would be decided for a video's URL. Takes no number: it decides on a copy of the sequences.
    ///
    /// - Parameters:
    ///   - url: as the `video` parameter would carry it, or a path `/{server}/…`; or what a steered player asks,
    ///     `/steering/hls/{server}/…?session=…`, or a session's link, `/session/{number}/{server}/…`.
    ///   - name: a CDN to leave out, as the `avoid` parameter would.
    ///   - isByHTTPS: whether the request would come so.
    ///   - client: whose request it would be.
    ///   - headers: the request's other fields: names and values without line ends.
    ///   - second: since 1970-01-01 UTC.
    ///   - showsToken: whether a signed link is shown whole; else whoever reads along gets no film.
    public func explain(
        _ url: String, avoiding name: String?, isByHTTPS: Bool = false, client: ClientAddress = .unknown,
        headers: [(name: String, value: String)] = [], at second: Int, sequences: SequenceSet, showsToken: Bool = false
    ) -> Explanation {
        let head = headers.flatMap { Array("\($0.name): \($0.value)\r\n".utf8) }
        let bytes = Array(url.utf8)
        if let told = explainSteering(bytes, avoiding: name, client, head, at: second, sequences) { return told }
        let asks = (client: client, head: head, isByHTTPS: isByHTTPS)
        if let told = explainLink(bytes, avoiding: name, asks, at: second, sequences, showsToken: showsToken) { return told }
        var decoded: [UInt8] = []
        var steps: [Explanation.Step] = []
        do throws(Refusal) {
            var video: VideoReference
            if bytes.first == UInt8(ascii: "/") {
                video = try self.video(atPath: 0..<bytes.count, of: bytes.span)
            } else {
                video = try self.video(in: 0..<bytes.count, of: bytes.span, decodedInto: &decoded)
            }
            video.isAskedByHTTPS = isByHTTPS
            steps.append(.init(about: "read", text: describe(video)))
            var avoided: Int?
            if let name {
                avoided = cdn(named: 0..<name.utf8.count, of: Array(name.utf8).span)
                let text = avoided == nil ? "no CDN is named \"\(name)\"; passed over" : "\(name) is left out"
                steps.append(.init(about: "avoid", text: text))
            }
            let source = video.isDecoded ? decoded : bytes
            let asker = Asker(client: client, second: second, avoided: avoided, fields: HeadRange(0..<head.count))
            if let text = place(of: client) { steps.append(.init(about: "client", text: text)) }
            steps += (blindRules + zoneWarnings).map { .init(about: "blind", text: $0) }
            let index = policyIndex(video, source.span, asker, head.span)
            let copy = sequences.copy()
            steps += describe(policy: index, asker, copy)
            let (told, delivery) = try explainDelivery(video, of: source.span, asker, head: head.span, sequences)
            steps += told
            let decision = try decide(video, of: source.span, asker, head: head.span, sequences: copy)
            steps.append(.init(about: "decide", text: describe(decision, server: video.server)))
            var targets: [Decision.Target] = []
            rank(decision, video, asker, sequences: copy, into: &targets)
            if policies[index].every != 0, !targets.contains(.origin) {
                steps.append(.init(about: "excluded", text: "origin: \(originExclusion(server: video.server))"))
            }
            if targets.count > 1 {
                steps.append(.init(about: "then", text: targets.dropFirst().map { self.name($0) }.joined(separator: ", ")))
            }
            var location: [UInt8] = []
            let token = appendLocation(
                decision.target, video, of: source.span, passing: .empty, of: source.span, for: asker, to: &location)
            if let text = describeSigning(of: decision.target, for: asker.client) { steps.append(.init(about: "sign", text: text)) }
            if !showsToken { location.replaceSubrange(token, with: token.isEmpty ? [] : Array("***".utf8)) }
            let text = String(decoding: location, as: UTF8.self)
            if video.form != .path, let passed { steps.append(.init(about: "pass", text: passed)) }
            let isServed = delivery.map { $0.obstacle == nil } ?? false
            steps.append(
                .init(
                    about: isServed ? "else" : "answer",
                    text: "\(decision.status) \(text)\(isServed ? ", when it is a media playlist or cannot be rewritten" : "")"))
            if isByHTTPS, let refused = mixedContent(targets) { steps.append(.init(about: "mixed", text: refused)) }
            return Explanation(steps: steps, location: text, refusal: nil, delivery: delivery)
        } catch {
            steps.append(.init(about: "refuse", text: "\(error.status) \(error.name): \(error.detail)"))
            return Explanation(steps: steps, location: nil, refusal: error)
        }
    }

    func describe(_ video: VideoReference) -> String {
        let server = catalog.origin.labels[video.server]
        let form =
            switch video.form {
            case .originURL: "an origin URL"
            case .cdnURL: "a CDN's URL, mapped back to the origin"
            case .path: "a path at the balancer"
            }
        let kept = video.isAskedByHTTPS ? .https : video.scheme
        let scheme = catalog.origin.keepsScheme ? kept.map { ", the origin by \($0.rawValue)" } ?? "" : ""
        return
            "\(form): server \(server), domain \(catalog.origin.domains[video.domain])\(scheme)\(video.isDecoded ? ", percent-decoded once" : "")"
    }

    /// How the link is signed; nil when it is not.
    func describeSigning(of target: Decision.Target, for client: ClientAddress) -> String? {
        guard let signing = catalog.signing(of: target) else { return nil }
        let life = signing.expires ? "for \(signing.life) seconds" : "for ever"
        let whose = client == .unknown ? ", for one client's address: say whose it is, or the CDN refuses it" : ", for \(client) alone"
        let text =
            "\(signing.scheme.rawValue) with key \(signing.key): good for its \(signing.coverage.rawValue), \(life)"
            + (signing.needsAddress ? whose : "")
        return compiled.signers.targets.isEmpty ? text + "; not signed here, where no keys are" : text
    }

    /// What of the answer's targets a page by HTTPS refuses.
    private func mixedContent(_ targets: [Decision.Target]) -> String? {
        let refused = targets.filter { !isReachedByHTTPS($0) }.map { name($0) }
        return refused.isEmpty ? nil : "a page by HTTPS refuses \(refused.joined(separator: ", ")): the catalog has them by http alone"
    }

    /// What the answer would have besides; a question has no parameters.
    private var passed: String? {
        let names = catalog.redirect.passParameters
        return names.isEmpty ? nil : "parameters beside video that are passed on: \(names.joined(separator: ", "))"
    }

    func name(_ target: Decision.Target) -> String {
        switch target {
        case .origin: "origin"
        case .cdn(let cdn): catalog.cdns[cdn].name
        }
    }

    /// Where the client is; nil without a database.
    func place(of client: ClientAddress) -> String? {
        let parts = [
            geography.countries.map { _ in "country \(geography.country(of: client)?.description ?? "unknown")" },
            geography.asns.map { _ in "autonomous system \(geography.asn(of: client)?.description ?? "unknown")" },
        ].compactMap { $0 }
        return parts.isEmpty ? nil : "\(client): \(parts.joined(separator: ", "))"
    }

    /// The rule, and why CDNs may not be used.
    func describe(policy index: Int, _ asker: Asker, _ sequences: SequenceSet) -> [Explanation.Step] {
        let policy = policies[index]
        var steps: [Explanation.Step] = []
        if index > 0 {
            steps.append(.init(about: "rule", text: "\"\(catalog.rules[index - 1].name)\" is the first that matches"))
        } else if rules != nil {
            steps.append(.init(about: "rule", text: "none matches"))
        }
        if policy.denies { return steps }
        for (position, cdn) in catalog.cdns.enumerated() {
            let reason: String
            if !policy.candidates.contains(position) {
                reason = exclusion(of: cdn, position, policy)
            } else if !hasRoom(position, asker, sequences) {
                reason = "it has its redirects for this second"
            } else {
                continue
            }
            steps.append(.init(about: "excluded", text: "\(cdn.name): \(reason)"))
        }
        if policy.isPanicking {
            let threshold = catalog.failover.panicThreshold
            let origin = "the origin takes the shares of CDNs that fail, up to its limit"
            let effect = policy.failing.isEmpty ? "health is ignored" : origin
            steps.append(.init(about: "panic", text: "less than \(threshold) of the weight works: \(effect)"))
        }
        return steps
    }

    private func exclusion(of cdn: Catalog.CDN, _ position: Int, _ policy: Policy) -> String {
        if !cdn.enabled { return "it is disabled" }
        if let reason = compiled.signers.missing(.cdn(position)) { return "its links cannot be signed: \(reason)" }
        if !policy.excluded.isEmpty, policy.excluded[position] {
            return health.downCDNs.contains(cdn.name) ? "its probes fail" : "its players leave it"
        }
        return cdn.weight == 0 ? "its weight is 0" : "the rule leaves it out"
    }

    private func originExclusion(server: Int) -> String {
        if let reason = compiled.signers.missing(.origin) { return "its links cannot be signed: \(reason)" }
        return serverIsUp[server]
            ? "it has its redirects for want of a CDN for this second" : "the probes of server \(catalog.origin.labels[server]) fail"
    }

    private func describe(_ decision: Decision, server: Int) -> String {
        let policy = policies[decision.policy]
        let scope = policy.countsByServer ? " of server \(catalog.origin.labels[server])" : ""
        let number = "redirect number \(decision.number)\(scope)"
        guard case .cdn(let cdn) = decision.target else {
            return decision.reason == .everyNth
                ? "\(number) is a multiple of \(policy.every): to the origin" : "\(number): no CDN is left: to the origin"
        }
        let choice = "to CDN \(catalog.cdns[cdn].name) (\(decision.reason.name))"
        if decision.reason == .originDown {
            return
                "\(number) is a multiple of \(policy.every), but the probes of origin server \(catalog.origin.labels[server]) fail: \(choice)"
        }
        return policy.every == 0 ? "the origin gets none: \(choice)" : "\(number) is no multiple of \(policy.every): \(choice)"
    }
}
