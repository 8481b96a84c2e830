import CNIOBoringSSL
import NIOSSL

/// Authorities, one of which must have issued the certificate that a client shows.
public struct ClientAuthorities: Sendable {
    /// In the order of the file; at least one.
    public let subjects: [CertificateSubject]

    /// More is a bundle for browsers, and would let everybody in.
    static let maximum = 256

    /// - Parameters:
    ///   - pem: their certificates, in any order. Other blocks are passed over.
    ///   - place: what it is called in errors, mostly a path.
    ///   - now: seconds since 1970, UTC.
    /// - Throws: `TLSError` when no client could get in by them.
    public init(_ pem: [UInt8], at place: String, now: Int64) throws(TLSError) {
        defer { ERR_clear_error() }
        subjects = try X509Chain.read(pem, at: place, atMost: ClientAuthorities.maximum).subjects
        if subjects.allSatisfy({ $0.validUntil <= now }) {
            throw TLSError("\(place): every authority in it has expired, so nobody could get in; put a valid one there")
        }
    }
}
