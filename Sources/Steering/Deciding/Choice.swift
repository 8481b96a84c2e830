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
    case rendezvous(Rendezvous.Race, on: Catalog.HashKey?, viewer: ViewerName)

    /// Where a viewer's name stands in a request.
    enum ViewerName: Sendable {
        case network
        case header([UInt8])
        case cookie([UInt8])
        case query([UInt8])
    }

    /// - Parameters:
    ///   - shares: CDNs that take traffic, with weights over 0.
    ///   - draws: of the catalog's CDNs.
    init(_ selection: Catalog.Selection, _ shares: [(cdn: Int, weight: Int)], _ draws: Draws) {
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
            self = .rendezvous(Rendezvous.Race(draws, shares), on: key, viewer: name)
        }
    }

    /// For sessions, which keep their place: it is hashed where redirects take turns. A standby stays one.
    static func forSessions(_ selection: Catalog.Selection, _ shares: [(cdn: Int, weight: Int)], _ draws: Draws) -> Choice {
        let takesWeights: Bool
        switch selection {
        case .weighted: takesWeights = true
        case .rotate: takesWeights = false
        case .hash, .ordered: return Choice(selection, shares, draws)
        }
        let weighted = takesWeights ? shares : shares.map { (cdn: $0.cdn, weight: 1) }
        return shares.isEmpty ? .none : .rendezvous(Rendezvous.Race(draws, weighted), on: nil, viewer: .network)
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
        case .rendezvous(let race, _, _): avoided == nil || race.shares.contains { $0.cdn != avoided }
        }
    }

    /// The CDN that is preferred; nil when there is none.
    @inline(__always)
    func first(from place: UInt64) -> Int? {
        switch self {
        case .none: return nil
        case .ring(let slots), .rotation(let slots, _), .ordered(let slots): return slots[start(slots.count, place)]
        case .rendezvous(let race, _, _):
            let winners = race.first(1, at: place) { _ in true }
            return winners.count == 0 ? nil : winners[0].cdn
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

    /// CDNs in order of preference.
    ///
    /// - Parameter place: the CDN-bound number, from 0, or what is hashed.
    @inline(__always)
    func order(from place: UInt64) -> Order { Order(self, place) }

    struct Order {
        private let place: UInt64
        private var position = 0
        private var steps = 0
        /// Of a race, four that are known.
        private var winners = Rendezvous.Winners()

        @inline(__always)
        fileprivate init(_ choice: Choice, _ place: UInt64) {
            self.place = place
            switch choice {
            case .ring(let slots), .rotation(let slots, _): position = choice.start(slots.count, place)
            case .rendezvous(let race, _, _): winners = race.first(4, at: place) { _ in true }
            case .none, .ordered: break
            }
        }

        /// The next of those that are known, all but for races; one may come more than once. Nil when none is left.
        ///
        /// - Parameter choice: whose order it is. It is not kept, since a reference would be taken to it.
        @inline(__always)
        mutating func next(of choice: Choice) -> Int? {
            switch choice {
            case .none: return nil
            case .ring(let slots), .rotation(let slots, _), .ordered(let slots):
                guard steps < slots.count else { return nil }
                defer {
                    steps += 1
                    position = position + 1 == slots.count ? 0 : position + 1
                }
                return slots[position]
            case .rendezvous:
                guard steps < winners.count else { return nil }
                defer { steps += 1 }
                return winners[steps].cdn
            }
        }

        /// Looks for more behind those that are known, when these have all been taken.
        ///
        /// - Parameter isUsable: those that may not be used cost little, however many they are.
        /// - Returns: whether there are any.
        mutating func extend(of choice: Choice, where isUsable: (Int) -> Bool) -> Bool {
            guard case .rendezvous(let race, _, _) = choice, winners.count == 4 else { return false }
            winners = race.first(4, at: place, after: winners[3], where: isUsable)
            steps = 0
            return winners.count > 0
        }

        /// The next that may be used; one may come more than once.
        mutating func next(of choice: Choice, where isUsable: (Int) -> Bool) -> Int? {
            repeat {
                while let cdn = next(of: choice) {
                    if isUsable(cdn) { return cdn }
                }
            } while extend(of: choice, where: isUsable)
            return nil
        }
    }
}
