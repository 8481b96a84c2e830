/// Signs the links of one target. What it is made of, keys and digests, is no business of this module.
public protocol LinkSigner: Sendable {
    /// The most bytes that a signature adds to a link.
    ///
    /// - Parameter length: bytes of the link.
    func capacity(_ length: Int) -> Int

    /// Signs the link at the end of `url`, which has room for what that takes. Allocates nothing.
    ///
    /// - Parameters:
    ///   - start: where the link begins.
    ///   - base: where that of it ends which stands for the target.
    ///   - second: since 1970-01-01 UTC.
    /// - Returns: where the token stands that must not be shown.
    func sign(_ url: inout OutputSpan<UInt8>, from start: Int, base: Int, for client: ClientAddress, second: Int) -> Range<Int>

    /// Whether a private key signs, which takes a thousand times as long as a digest. Such signatures are kept: `sign` writes one that is
    /// there at once, and makes one that is not on the spot, for up to a millisecond. Loops ask `isReady` before.
    var isSlow: Bool { get }

    /// Whether `sign` would write at once. The arguments are those of `sign`; what stands behind `start` is lost. Allocates nothing.
    func isReady(_ url: inout OutputSpan<UInt8>, from start: Int, base: Int, for client: ClientAddress, second: Int) -> Bool

    /// What makes it ready; nil when it is. The arguments are those of `isReady`.
    func preparation(_ url: inout OutputSpan<UInt8>, from start: Int, base: Int, for client: ClientAddress, second: Int) -> SignatureWork?
}

extension LinkSigner {
    public var isSlow: Bool { false }

    public func isReady(_ url: inout OutputSpan<UInt8>, from start: Int, base: Int, for client: ClientAddress, second: Int) -> Bool { true }

    public func preparation(
        _ url: inout OutputSpan<UInt8>, from start: Int, base: Int, for client: ClientAddress, second: Int
    ) -> SignatureWork? { nil }
}

/// A signature that has to be made before links can be written with it.
public struct SignatureWork: Sendable, Equatable {
    /// Equal for the same signature.
    public let key: Key
    /// Makes it, and keeps it where links are written. Any thread that may take a millisecond.
    public let run: @Sendable () -> Void

    public struct Key: Hashable, Sendable {
        public let high: UInt64
        public let low: UInt64

        public init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }
    }

    public static func == (one: SignatureWork, other: SignatureWork) -> Bool { one.key == other.key }

    public init(key: Key, run: @escaping @Sendable () -> Void) { (self.key, self.run) = (key, run) }
}

/// What signs the links of a catalog's targets, on this node.
public struct Signers: Sendable {
    /// One target's.
    public enum Signer: Sendable {
        /// Its links are not signed.
        case unneeded
        case ready(any LinkSigner)
        /// They have to be, and cannot: why.
        case missing(String)
    }

    /// The origin first, then the CDNs; empty where nothing is signed.
    let targets: [Target]

    /// A class, so that a request is lent it.
    final class Target: Sendable {
        let signer: (any LinkSigner)?
        let missing: String?

        init(_ signer: Signer) {
            switch signer {
            case .unneeded: (self.signer, missing) = (nil, nil)
            case .ready(let signer): (self.signer, missing) = (signer, nil)
            case .missing(let reason): (self.signer, missing) = (nil, reason)
            }
        }
    }

    /// As if nothing had to be signed, for who asks what would be decided and has no keys.
    public static let none = Signers([])

    /// - Parameter signers: of the origin, then of the CDNs as the catalog has them.
    public init(_ signers: [Signer]) {
        let isAnyNeeded = signers.contains { if case .unneeded = $0 { false } else { true } }
        targets = isAnyNeeded ? signers.map { Target($0) } : []
    }

    /// Why the links of a target cannot be signed; nil when they can, or need not.
    func missing(_ target: Decision.Target) -> String? {
        targets.isEmpty ? nil : targets[Signers.index(target)].missing
    }

    static func index(_ target: Decision.Target) -> Int {
        switch target {
        case .origin: 0
        case .cdn(let cdn): cdn + 1
        }
    }
}

extension RoutingTable {
    /// Targets that are left out, since their links cannot be signed on this node.
    public var unsigned: [(target: String, reason: String)] {
        let names = ["origin"] + catalog.cdns.map(\.name)
        return zip(names, compiled.signers.targets).compactMap { name, target in target.missing.map { (name, $0) } }
    }
}
