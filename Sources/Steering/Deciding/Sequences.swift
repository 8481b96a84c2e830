import Synchronization

/// The two running numbers of one scope. Shared by all workers; every access is one atomic operation.
///
/// One number for both questions would alias: with N = 2 and two equal CDNs, one of them would never be chosen.
public final class ScopeSequence: Sendable {
    private let redirects: Atomic<UInt64>
    private let cdnBound: Atomic<UInt64>

    public init(redirects: UInt64 = 0, cdnBound: UInt64 = 0) {
        self.redirects = Atomic(redirects)
        self.cdnBound = Atomic(cdnBound)
    }

    /// The number of this redirect, from 1.
    func takeRedirect() -> UInt64 { redirects.wrappingAdd(1, ordering: .relaxed).newValue }

    /// The number of this CDN-bound redirect, from 0.
    func takeCDNBound() -> UInt64 { cdnBound.wrappingAdd(1, ordering: .relaxed).oldValue }

    /// How many redirects, and how many of them to a CDN, were numbered so far.
    public var taken: (redirects: UInt64, cdnBound: UInt64) {
        (redirects.load(ordering: .relaxed), cdnBound.load(ordering: .relaxed))
    }
}

/// The sequences and caps that one routing table counts with.
public struct SequenceSet: Sendable {
    /// By scope index.
    let sequences: [ScopeSequence]
    /// By CDN; empty when no CDN has a cap.
    let caps: [RateCap]
    let originCap: RateCap

    /// A separate set that goes on from the same numbers: deciding on it takes none of the real ones.
    public func copy() -> SequenceSet {
        SequenceSet(
            sequences: sequences.map { ScopeSequence(redirects: $0.taken.redirects, cdnBound: $0.taken.cdnBound) },
            caps: caps.map { $0.copy() }, originCap: originCap.copy())
    }
}

/// All sequences by the name of their scope. They outlive every table, so a changed catalog goes on counting where the last stood.
public final class SequenceBook: Sendable {
    private let sequences: Mutex<[String: ScopeSequence]>
    /// By the CDN's name: a second that has begun goes on under the next table.
    private let caps = Mutex<[String: RateCap]>([:])
    private let originCap = RateCap()

    /// - Parameter saved: numbers of an earlier run.
    public init(saved: [(name: String, redirects: UInt64, cdnBound: UInt64)] = []) {
        var sequences: [String: ScopeSequence] = [:]
        for entry in saved { sequences[entry.name] = ScopeSequence(redirects: entry.redirects, cdnBound: entry.cdnBound) }
        self.sequences = Mutex(sequences)
    }

    /// The sequences a table counts with; scopes seen for the first time start at zero.
    public func set(for table: RoutingTable) -> SequenceSet {
        let capped = table.caps.isEmpty ? [] : table.catalog.cdns.map(\.name)
        return SequenceSet(
            sequences: sequences.withLock { sequences in table.scopeNames.map { sequences.value(of: $0, or: ScopeSequence()) } },
            caps: caps.withLock { caps in capped.map { caps.value(of: $0, or: RateCap()) } },
            originCap: originCap)
    }

    /// Every scope that has counted, sorted by name.
    public var snapshot: [(name: String, redirects: UInt64, cdnBound: UInt64)] {
        sequences.withLock { sequences in
            sequences.map { (name: $0.key, redirects: $0.value.taken.redirects, cdnBound: $0.value.taken.cdnBound) }
        }
        .filter { $0.redirects > 0 }
        .sorted { $0.name < $1.name }
    }
}

extension Dictionary {
    /// The value of a key; a new one where there is none.
    fileprivate mutating func value(of key: Key, or new: @autoclosure () -> Value) -> Value {
        if let known = self[key] { return known }
        let value = new()
        self[key] = value
        return value
    }
}
