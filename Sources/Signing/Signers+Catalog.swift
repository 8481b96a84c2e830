public import Steering

extension Signers {
    /// What signs the links of a catalog with these keys. A target whose key is not there, or does not fit its scheme, has none.
    ///
    /// - Parameters:
    ///   - keys: by name; nil where there is no folder of them.
    public init(_ catalog: Catalog, keys: [String: SigningKey]?) {
        let signings = [catalog.origin.sign] + catalog.cdns.map(\.sign)
        self.init(signings.map { $0.map { Signers.signer($0, keys) } ?? .unneeded })
    }

    private static func signer(_ signing: LinkSigning, _ keys: [String: SigningKey]?) -> Signer {
        guard let keys else { return .missing("no folder of keys is set, see --signing-keys") }
        guard let key = keys[signing.key] else { return .missing("there is no key \"\(signing.key)\" on this node, see --signing-keys") }
        if let fault = key.fault(for: signing.scheme) { return .missing("key \"\(signing.key)\": \(fault)") }
        switch signing.scheme {
        case .nginx, .gcore, .hmac: return .ready(ExpressionSigner(signing, key))
        case .nginxSecret: return .ready(SecretLinkSigner(key))
        case .akamai: return .ready(AkamaiSigner(signing, key))
        case .bunny: return .ready(BunnySigner(signing, key))
        }
    }
}
