/// Certificates by the names that clients ask for (SNI, RFC 6066 §3).
public final class CertificatesByName: Sendable {
    /// For clients that name no server, or one that no certificate has.
    public let standard: [ServerCertificate]
    private let names: [String: [ServerCertificate]]
    /// Every name gets the same.
    let isSimple: Bool

    public init(_ certificates: [ServerCertificate]) {
        // ECDSA first: the library takes the first that the client can use.
        let ordered = certificates.filter { !$0.isRSA } + certificates.filter(\.isRSA)
        var names: [String: [ServerCertificate]] = [:]
        for certificate in ordered { for name in Set(certificate.names) { names[name, default: []].append(certificate) } }
        self.names = names
        let first = certificates.first
        standard = first.flatMap { first in first.names.first.flatMap { names[$0] } ?? [first] } ?? []
        isSimple = certificates.allSatisfy { Set($0.names) == Set(first?.names ?? []) }
    }

    /// - Parameter name: in lower case.
    /// - Returns: nil when no certificate has the name, exactly or by a wildcard for its first label (RFC 9525 §6.3).
    public subscript(name: String) -> [ServerCertificate]? {
        if let exact = names[name] { return exact }
        return name.firstIndex(of: ".").flatMap { names["*" + name[$0...]] }
    }
}
