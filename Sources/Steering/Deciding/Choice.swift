/// How the CDN of a redirect is found: a strategy compiled over the CDNs that may be chosen now.
enum Choice: Sendable {
    /// No CDN takes traffic.
    case none
    /// Positions of CDNs; number modulo length.
    case ring([Int])
    /// Positions of CDNs; each in turn gets `every` numbers.
    case rotation([Int], every: UInt64)
    /// The first is preferred.
    case ordered([Int])
    /// - Parameter on: what is hashed; nil: the place itself.
    case rendezvous([Rendezvous.Entry], on: Catalog.HashKey?, viewer: ViewerName)

    /// Where a viewer's name stands in a request.
    enum ViewerName: Sendable {
        case network
        case header([UInt8])
        case cookie([UInt8])
        case query([UInt8])
    }

    /// - Parameter shares: CDNs that take traffic, with weights over 0.
    init(_ selection: Catalog.Selection, _ shares: [(cdn: Int, name: String, weight: Int)]) {
        if shares.isEmpty {
            self = .none
            return
        }
        switch selection {
        case .weighted: self = .ring(Ring.slots(weights: shares.map(\.weight)).map { shares[$0].cdn })
        case .rotate(let every): self = .rotation(shares.map(\.cdn), every: UInt64(every))
        case .ordered: self = .ordered(shares.map(\.cdn))
        case .hash(let key, let viewer):
            let name: ViewerName =
                switch viewer {
                case .network: .network
                case .header(let name): .header(Array(name.lowercased().utf8))
                case .cookie(let name): .cookie(Array(name.utf8))
                case .query(let name): .query(Array(name.utf8))
                }
            self = .rendezvous(
                shares.map { Rendezvous.Entry(cdn: $0.cdn, name: $0.name, weight: $0.weight) }, on: key, viewer: name)
        }
    }

    /// For sessions, which keep their place: it is hashed where redirects take turns. A standby stays one.
    static func forSessions(_ selection: Catalog.Selection, _ shares: [(cdn: Int, name: String, weight: Int)]) -> Choice {
        let takesWeights: Bool
        switch selection {
        case .weighted: takesWeights = true
        case .rotate: takesWeights = false
        case .hash, .ordered: return Choice(selection, shares)
        }
        let entries = shares.map { Rendezvous.Entry(cdn: $0.cdn, name: $0.name, weight: takesWeights ? $0.weight : 1) }
        return entries.isEmpty ? .none : .rendezvous(entries, on: nil, viewer: .network)
    }

    var reason: Decision.Reason {
        switch self {
        case .none: .noCDN
        case .ring: .weighted
        case .rotation: .rotated
        case .ordered: .ordered
        case .rendezvous: .hashed
        }
    }

    func hasCDN(besides avoided: Int?) -> Bool {
        switch self {
        case .none: false
        case .ring(let slots), .rotation(let slots, _), .ordered(let slots): avoided == nil || slots.contains { $0 != avoided }
        case .rendezvous(let entries, _, _): avoided == nil || entries.contains { $0.cdn != avoided }
        }
    }

    /// The CDN that is preferred; nil when there is none.
    func first(from place: UInt64) -> Int? {
        switch self {
        case .none: nil
        case .ring(let slots), .rotation(let slots, _), .ordered(let slots): slots[start(slots.count, place)]
        case .rendezvous(let entries, _, _): Rendezvous.winner(of: entries, place)?.cdn
        }
    }

    /// The slot that is looked at first.
    private func start(_ count: Int, _ place: UInt64) -> Int {
        switch self {
        case .ring: Int(place % UInt64(count))
        case .rotation(_, let every): Int(place / every % UInt64(count))
        case .none, .ordered, .rendezvous: 0
        }
    }

    /// CDNs in order of preference. One may come more than once.
    ///
    /// - Parameter place: the CDN-bound number, from 0, or what is hashed.
    func order(from place: UInt64) -> Order { Order(self, place) }

    struct Order: IteratorProtocol {
        private let choice: Choice
        private let place: UInt64
        private var position = 0
        private var steps = 0
        private var last = Rendezvous.Draw.beforeAll
        /// The first of a rendezvous, once the first is asked for.
        private var winners = (Rendezvous.Draw.afterAll, Rendezvous.Draw.afterAll, Rendezvous.Draw.afterAll, Rendezvous.Draw.afterAll)

        fileprivate init(_ choice: Choice, _ place: UInt64) {
            self.choice = choice
            self.place = place
            switch choice {
            case .ring(let slots), .rotation(let slots, _): position = choice.start(slots.count, place)
            case .none, .ordered, .rendezvous: break
            }
        }

        mutating func next() -> Int? {
            switch choice {
            case .none: return nil
            case .ring(let slots), .rotation(let slots, _), .ordered(let slots):
                guard steps < slots.count else { return nil }
                defer {
                    steps += 1
                    position = position + 1 == slots.count ? 0 : position + 1
                }
                return slots[position]
            case .rendezvous(let entries, _, _):
                guard let next = next(of: entries) else { return nil }
                last = next
                return next.cdn
            }
        }

        /// The first four in one pass, any other in one of its own.
        private mutating func next(of entries: [Rendezvous.Entry]) -> Rendezvous.Draw? {
            if steps == 0 { winners = Rendezvous.winners(of: entries, place) }
            steps += 1
            guard steps <= 4 else { return Rendezvous.winner(of: entries, place, after: last) }
            let next = winners.0
            winners = (winners.1, winners.2, winners.3, .afterAll)
            return next == .afterAll ? nil : next
        }
    }
}
