import NIOSSL

/// How long the certificate is valid that a target has shown, in seconds since 1970-01-01 UTC.
public struct ProbeCertificate: Sendable, Equatable {
    public let validFrom: Int64
    public let validUntil: Int64

    public init(validFrom: Int64, validUntil: Int64) {
        self.validFrom = validFrom
        self.validUntil = validUntil
    }

    init(_ certificate: NIOSSLCertificate) {
        self.init(validFrom: Int64(certificate.notValidBefore), validUntil: Int64(certificate.notValidAfter))
    }
}

extension NIOSSLCertificate {
    /// The DNS names it is for, as far as they are plain text; nothing else of a stranger's certificate goes into a log line.
    var dnsNames: [String] {
        _subjectAlternativeNames().filter { $0.nameType == .dnsName }.prefix(100).compactMap { name in
            // The buffer is copied during the call.
            let bytes = unsafe name.contents.withUnsafeBufferPointer { unsafe Array($0.prefix(256)) }
            return bytes.allSatisfy { (0x21...0x7E).contains($0) } ? String(decoding: bytes, as: UTF8.self) : nil
        }
    }
}
