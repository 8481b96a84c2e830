/// What an authority has signed about one certificate (OCSP, RFC 6960): it is not revoked. Shown to clients beside it (stapling, RFC 6066 §8).
///
/// Read as far as it takes to know that it belongs to the certificate and is not over. The signature is the client's business, which knows
/// whom to trust.
public struct OCSPResponse: Sendable {
    let bytes: [UInt8]
    /// When the authority knew it (thisUpdate), in seconds since 1970, UTC.
    public let validFrom: Int64
    /// When it will know more (nextUpdate), in seconds since 1970, UTC; nil: it has said nothing of it.
    public let validUntil: Int64?

    /// - Parameters:
    ///   - bytes: DER, as `openssl ocsp -respout` writes it.
    ///   - place: what they are called in errors, mostly a path.
    ///   - now: seconds since 1970, UTC.
    /// - Throws: `TLSError` when no client could use it.
    public init(_ bytes: [UInt8], at place: String, for certificate: ServerCertificate, now: Int64) throws(TLSError) {
        guard let responses = OCSPResponse.responses(bytes) else {
            throw TLSError("\(place) is no OCSP response that can be read; it must be DER, as `openssl ocsp -respout` writes it")
        }
        guard let own = responses.first(where: { $0.isAbout(certificate.identity) }) else {
            throw TLSError("\(place) is about another certificate; ask for the one that it lies beside")
        }
        guard own.isGood else { throw TLSError("\(place) says that the certificate is revoked or unknown to its authority; replace it") }
        if let end = own.validUntil, end <= now { throw TLSError("\(place) has expired; ask the authority for a new one") }
        self.bytes = bytes
        validFrom = own.validFrom
        validUntil = own.validUntil
    }

    /// What identifies a certificate there.
    struct Identity: Sendable {
        /// Without zeros before it.
        let serial: [UInt8]
        /// Of the issuer's name, by SHA-1 and SHA-256.
        let issuerHashes: [[UInt8]]
    }

    /// What is said about one certificate.
    private struct Single {
        let serial: [UInt8]
        let issuerHash: [UInt8]
        let isGood: Bool
        let validFrom: Int64
        let validUntil: Int64?

        func isAbout(_ identity: Identity) -> Bool { serial == identity.serial && identity.issuerHashes.contains(issuerHash) }

        /// SingleResponse of RFC 6960 §4.2.1.
        init?(_ bytes: ArraySlice<UInt8>) {
            var fields = DER(bytes)
            guard var identity = fields.take(.sequence).map(DER.init), identity.take(.sequence) != nil,
                let issuerHash = identity.take(.octets), identity.take(.octets) != nil, let serial = identity.take(.integer),
                let status = fields.takeAny(), let begin = fields.take(.time).flatMap(DER.seconds)
            else { return nil }
            validFrom = begin
            self.issuerHash = Array(issuerHash)
            self.serial = Array(serial.drop { $0 == 0 })
            isGood = status.tag == .implicit0
            guard let next = fields.take(.explicit0) else {
                validUntil = nil
                return
            }
            var inner = DER(next)
            guard let text = inner.take(.time), let time = DER.seconds(text) else { return nil }
            validUntil = time
        }
    }

    /// Those of an OCSPResponse of RFC 6960 §4.2.1; nil when it is none, or no successful one.
    private static func responses(_ bytes: [UInt8]) -> [Single]? {
        var whole = DER(bytes[...])
        guard var response = whole.take(.sequence).map(DER.init), whole.isAtEnd, response.take(.enumerated)?.elementsEqual([0]) == true,
            var explicit = response.take(.explicit0).map(DER.init), var typed = explicit.take(.sequence).map(DER.init),
            typed.take(.identifier)?.elementsEqual(basic) == true, var octets = typed.take(.octets).map(DER.init),
            var signed = octets.take(.sequence).map(DER.init), var data = signed.take(.sequence).map(DER.init)
        else { return nil }
        _ = data.take(.explicit0)
        guard data.takeAny() != nil, data.take(.time) != nil, var list = data.take(.sequence).map(DER.init) else { return nil }
        var singles: [Single] = []
        while !list.isAtEnd {
            guard let single = list.take(.sequence).flatMap(Single.init) else { return nil }
            singles.append(single)
        }
        return singles
    }

    /// id-pkix-ocsp-basic, 1.3.6.1.5.5.7.48.1.1.
    private static let basic: [UInt8] = [0x2B, 6, 1, 5, 5, 7, 48, 1, 1]
}

/// Elements of DER (X.690), one after the other.
private struct DER {
    private var rest: ArraySlice<UInt8>

    enum Tag: UInt8 {
        case integer = 0x02
        case octets = 0x04
        case identifier = 0x06
        case enumerated = 0x0A
        case time = 0x18
        case sequence = 0x30
        case implicit0 = 0x80
        case explicit0 = 0xA0
        /// Any other.
        case other = 0
    }

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    /// What the next element holds; nil, and nothing taken, when it is another one.
    mutating func take(_ tag: Tag) -> ArraySlice<UInt8>? {
        let before = rest
        if let next = takeAny(), next.tag == tag { return next.content }
        rest = before
        return nil
    }

    mutating func takeAny() -> (tag: Tag, content: ArraySlice<UInt8>)? {
        guard let tag = rest.popFirst(), tag & 0x1F != 0x1F, let first = rest.popFirst() else { return nil }
        var length = Int(first)
        if first >= 0x80 {
            // Files are bounded, so more than three bytes of length are no file.
            guard (1...3).contains(first & 0x7F) else { return nil }
            length = 0
            for _ in 0..<first & 0x7F {
                guard let byte = rest.popFirst() else { return nil }
                length = length << 8 | Int(byte)
            }
        }
        guard length <= rest.count else { return nil }
        defer { rest = rest.dropFirst(length) }
        return (Tag(rawValue: tag) ?? .other, rest.prefix(length))
    }

    /// A GeneralizedTime as RFC 5280 §4.1.2.5.2 has it, `20261128120000Z`, in seconds since 1970, UTC.
    static func seconds(_ text: ArraySlice<UInt8>) -> Int64? {
        let digits = text.dropLast()
        guard text.count == 15, text.last == UInt8(ascii: "Z"), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        func number(_ start: Int, _ count: Int) -> Int64 { digits.dropFirst(start).prefix(count).reduce(0) { $0 * 10 + Int64($1 & 0xF) } }
        let (month, day) = (number(4, 2), number(6, 2))
        guard (1...12).contains(month), (1...31).contains(day), number(8, 2) < 24, number(10, 2) < 60, number(12, 2) < 61 else {
            return nil
        }
        // Days of the civil calendar, of years that begin in March.
        let year = number(0, 4) - (month <= 2 ? 1 : 0)
        let era = (year >= 0 ? year : year - 399) / 400
        let ofEra = year - era * 400
        let ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let days = era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
        return days * 86_400 + number(8, 2) * 3600 + number(10, 2) * 60 + number(12, 2)
    }
}
