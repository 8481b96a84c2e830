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
