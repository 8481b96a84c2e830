public import Steering

extension Signers {
    /// What signs the links of a catalog with these keys. A target whose key is not there, or does not fit its scheme, has none.
    ///
    /// - Parameters:
    ///   - keys: by name; nil where there is no folder of them.
    ///   - signatures: where those by private keys are kept; they outlive catalogs and keys.
    public init(_ catalog: Catalog, keys: [String: SigningKey]?, signatures: KeptSignatures = KeptSignatures(capacity: 64)) {
        let signings = [catalog.origin.sign] + catalog.cdns.map(\.sign)
        let table = signings.contains { $0?.scheme.takesPrivateKey == true } ? signatures.table : nil
        self.init(signings.map { $0.map { Signers.signer($0, keys, table) } ?? .unneeded })
    }

    private static func signer(_ signing: LinkSigning, _ keys: [String: SigningKey]?, _ table: SignatureTable?) -> Signer {
        guard let keys else { return .missing("no folder of keys is set, see --signing-keys") }
        guard let key = keys[signing.key] else { return .missing("there is no key \"\(signing.key)\" on this node, see --signing-keys") }
        if let fault = key.fault(for: signing.scheme) { return .missing("key \"\(signing.key)\": \(fault)") }
        return signer(signing, key, table).map { .ready($0) } ?? .missing("key \"\(signing.key)\" does not fit")
    }

    private static func signer(_ signing: LinkSigning, _ key: SigningKey, _ table: SignatureTable?) -> (any LinkSigner)? {
        switch signing.scheme {
        case .nginx, .gcore, .hmac: return ExpressionSigner(signing, key)
        case .nginxSecret: return SecretLinkSigner(key)
        case .akamai: return AkamaiSigner(signing, key)
        case .bunny: return BunnySigner(signing, key)
        case .mediaCDNToken: return MediaCDNTokenSigner(signing, key)
        case .cloudFront:
            guard let table else { return nil }
            return PrivateKeySigner(CloudFrontForm(signing), life: signing.life, key, table)
        case .mediaCDN:
            guard let table else { return nil }
            return PrivateKeySigner(MediaCDNForm(signing), life: signing.life, key, table)
        }
    }
}

extension LinkSigning.Scheme {
    /// Whether it signs by a private key.
    public var takesPrivateKey: Bool { self == .cloudFront || self == .mediaCDN }
}
