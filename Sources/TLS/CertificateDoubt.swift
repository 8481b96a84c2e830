import CNIOBoringSSL
import NIOSSL

/// Why clients refuse a certificate that can be shown. It is served all the same: they decide, and some may be content.
public enum CertificateDoubt: Sendable, CaseIterable {
    /// No name and no address in its subjectAltName (RFC 9525 §2).
    case nameless
    /// On P-521, by which Chrome and what is made of its library take no signature.
    case curve
    /// RSA with less than 2048 bits (CA/Browser Forum, Baseline Requirements §6.1.5).
    case shortKey
    /// Its extendedKeyUsage has other purposes alone than serverAuth (RFC 5280 §4.2.1.12).
    case purpose
}

extension X509Chain {
    /// What is to be doubted of the first one.
    func doubts(of key: borrowing PrivateKey) -> [CertificateDoubt] {
        CertificateDoubt.allCases.filter { doubt in
            switch doubt {
            case .nameless: names.dns.isEmpty && names.addresses.isEmpty
            case .curve: !key.isRSA && key.bits == 521
            case .shortKey: key.isRSA && key.bits < 2048
            case .purpose: !isForServers
            }
        }
    }
}
