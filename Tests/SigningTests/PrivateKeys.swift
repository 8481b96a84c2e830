import TLS

/// Private keys, as files have them.
enum PrivateKeys {
    static let rsa = pem(.rsa)
    static let nextRSA = pem(.rsa)
    static let ecdsa = pem(.ecdsa)
    static let ed25519 = pem(.ed25519)
    /// Those of Google's published examples (PKCS #8, RFC 8410 §7).
    static let googleSignatures = block("MC4CAQAwBQYDK2VwBCIEIAccF1zY3hmqFqo6+xhxMpkSZD+EmjgtdnUxosZO2K/C")
    static let googlePath = block("MC4CAQAwBQYDK2VwBCIEIIP0pTCC4iFiqrAumdi+4MtLEXgzqrUqyaxOwlza+TZf")

    static func pem(_ kind: SignatureKey.Kind) -> String {
        String(decoding: (try? SignatureKey.random(kind)) ?? [], as: UTF8.self)
    }

    private static func block(_ base64: String) -> String { "-----BEGIN PRIVATE KEY-----\n\(base64)\n-----END PRIVATE KEY-----\n" }
}
