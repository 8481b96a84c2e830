public import Steering
public import TLS

/// A key that signs links, and the one that takes over from it. docs/signing.md has the form of its file.
public struct SigningKey: Sendable {
    public let current: Part
    public let next: Part?
    /// From when on `next` signs, in seconds since 1970-01-01 UTC; without one never.
    public let switches: Int

    /// One of the two: a text, or a private key.
    public struct Part: Sendable {
        /// Nil for a private key.
        public let secret: Secret?
        public let privateKey: SignatureKey?
        /// What the CDN calls a private key.
        public let id: String?
    }

    /// Longest file, in bytes.
    public static let maximumBytes = 16 * 1024

    /// Why a file is no key: one line that says what to do, and nothing of its content.
    public struct Fault: Error, CustomStringConvertible, Equatable {
        public let description: String

        public init(_ description: String) { self.description = description }
    }

    /// - Parameter file: a key alone, or lines `current KEY`, `next KEY` and `switch TIME`. In the place of a text a private key stands in
    ///   lines of its own (PEM), behind `current` or `next` and with a line `id NAME`. Lines that begin with `#` are comments.
    public init(_ file: borrowing Span<UInt8>) throws(Fault) {
        var lines = try KeyLines(file)
        if lines.current.isEmpty, lines.next.isEmpty, lines.switches == nil, let only = lines.only {
            lines.current.text = only
        } else if lines.only != nil {
            throw Fault("has a line that is neither \"current KEY\", \"next KEY\" nor \"switch TIME\"")
        }
        guard !lines.current.isEmpty else {
            let isEmpty = lines.next.isEmpty && lines.switches == nil
            throw Fault(
                isEmpty
                    ? "is empty: write the key into it, or make one with `video-balancer signing-key create`"
                    : "has no line \"current KEY\"")
        }
        if lines.next.isEmpty != (lines.switches == nil) {
            throw Fault(
                lines.next.isEmpty
                    ? "has a line \"switch TIME\", but none \"next KEY\" that would take over then"
                    : "has a line \"next KEY\", but none \"switch TIME\" that says when it takes over")
        }
        current = try Part(file, lines.current)
        next = lines.next.isEmpty ? nil : try Part(file, lines.next)
        switches = lines.switches ?? .max
    }

    init(current: Part, next: Part?, switches: Int) { (self.current, self.next, self.switches) = (current, next, switches) }

    /// What is in order now, and will be none when the next key is to take over; nil when nothing is.
    public var warning: String? {
        guard let next, next.privateKey != nil, next.id == nil else { return nil }
        return "has no line \"id NAME\" for the next key: the current one goes on signing until it has"
    }

    /// Why a scheme cannot sign with it; nil when it can.
    public func fault(for scheme: LinkSigning.Scheme) -> String? {
        if let fault = current.fault(for: scheme) { return "the key \(fault)" }
        if current.privateKey != nil, current.id == nil { return "the key has no line \"id NAME\": \(SigningKey.idHint(scheme))" }
        return next.flatMap { $0.fault(for: scheme) }.map { "the next key \($0)" }
    }

    private static func idHint(_ scheme: LinkSigning.Scheme) -> String {
        scheme == .cloudFront
            ? "give CloudFront its public key (`video-balancer signing-key list --public`), and write the ID that it shows into the file"
            : "write the name of Media CDN's keyset into the file"
    }

    /// A new key: 32 hexadecimal digits, which every scheme takes. Whoever has it wipes it.
    public static func random() -> [UInt8] {
        var bytes = Secret.random(16)
        defer { Secret.wipe(&bytes) }
        return bytes.flatMap { [HexDigit.lower($0 >> 4), HexDigit.lower($0 & 15)] }
    }

    /// Seconds since 1970-01-01 UTC of a time as a key's file has it; nil for another text.
    public static func second(_ time: String) -> Int? {
        let bytes = Array(time.utf8)
        return Timestamp.second(bytes.span, 0..<bytes.count)
    }

    /// Some digits by which two balancers see that they have the same key, without telling it.
    public static func fingerprint(_ part: Part) -> String {
        if let secret = part.secret { return fingerprint(secret) }
        return Digest.sha256(part.privateKey?.publicBytes ?? []).prefix(4).map {
            $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16)
        }
        .joined()
    }

    /// The same of a text.
    public static func fingerprint(_ secret: Secret) -> String {
        var code = HMACSHA256(HMACKey(secret))
        code.add(Array("video-balancer signing key".utf8).span)
        let digest = code.finish()
        return (0..<4).map { String(digest[$0] >> 4, radix: 16) + String(digest[$0] & 15, radix: 16) }.joined()
    }
}

extension SigningKey.Part {
    /// - Parameter place: where it stands; not empty.
    init(_ file: borrowing Span<UInt8>, _ place: KeyLines.Place) throws(SigningKey.Fault) {
        id = place.id.map { range in String(decoding: range.map { file[$0] }, as: UTF8.self) }
        if let text = place.text {
            (secret, privateKey) = (Secret(file.extracting(text)), nil)
            return
        }
        guard let pem = place.pem else { throw SigningKey.Fault("has no key") }
        secret = nil
        do throws(TLSError) { privateKey = try SignatureKey(pem: file.extracting(pem)) } catch {
            throw SigningKey.Fault(
                "has a private key (PEM) that cannot be read: it is damaged, cut off, or of a kind that nobody signs with")
        }
    }

    /// What of it does not fit, without its name.
    fileprivate func fault(for scheme: LinkSigning.Scheme) -> String? {
        switch (scheme.takesPrivateKey, secret, privateKey) {
        case (true, _, let key?): return SigningKey.Part.fault(key, for: scheme)
        case (false, let secret?, _): return SigningKey.Part.fault(secret, for: scheme)
        case (true, _, nil):
            let kind = scheme == .cloudFront ? "rsa or ecdsa" : "ed25519"
            return "is no private key (PEM); make one with `video-balancer signing-key create NAME --kind \(kind)`"
        case (false, nil, _): return "is a private key (PEM); the scheme \"\(scheme.rawValue)\" takes a text"
        }
    }

    private static func fault(_ key: SignatureKey, for scheme: LinkSigning.Scheme) -> String? {
        if scheme == .mediaCDN {
            return key.kind == .ed25519 ? nil : "is \(name(key)); Media CDN takes Ed25519"
        }
        let isTaken = key.kind == .ecdsa || (key.kind == .rsa && key.bits == 2048)
        return isTaken ? nil : "is \(name(key)); CloudFront takes RSA of 2048 bits, or ECDSA on P-256"
    }

    private static func name(_ key: SignatureKey) -> String {
        switch key.kind {
        case .rsa: "an RSA key of \(key.bits) bits"
        case .ecdsa: "an ECDSA key"
        case .ed25519: "an Ed25519 key"
        case nil: "a key of another kind"
        }
    }

    private static func fault(_ secret: Secret, for scheme: LinkSigning.Scheme) -> String? {
        if scheme == .akamai {
            guard secret.isHexadecimal else { return "must be hexadecimal digits, two for each byte, as Akamai's console makes it" }
            return secret.count < 24 ? "has \(secret.count) hexadecimal digits; fewer than 24 can be guessed" : nil
        }
        if secret.count < 16 { return "has \(secret.count) characters; fewer than 16 can be guessed" }
        return scheme == .gcore && secret.count > 32 ? "has \(secret.count) characters; Gcore takes at most 32" : nil
    }
}

extension Secret {
    fileprivate var isHexadecimal: Bool {
        withBytes { bytes in
            for index in 0..<bytes.count where HexDigit.value(bytes[index]) == nil { return false }
            return bytes.count % 2 == 0
        }
    }

    /// What its hexadecimal digits stand for; itself when they are none.
    var decodedHex: Secret {
        guard isHexadecimal else { return self }
        return withBytes { digits in
            var bytes = [UInt8](repeating: 0, count: digits.count / 2)
            defer { Secret.wipe(&bytes) }
            for index in bytes.indices {
                bytes[index] = (HexDigit.value(digits[2 * index]) ?? 0) << 4 | (HexDigit.value(digits[2 * index + 1]) ?? 0)
            }
            return Secret(bytes.span)
        }
    }
}

enum HexDigit {
    static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte &- 0x30
        case 0x41...0x46, 0x61...0x66: (byte | 0x20) &- 0x61 &+ 10
        default: nil
        }
    }

    static func lower(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 &+ value : 0x57 &+ value }
    static func upper(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 &+ value : 0x37 &+ value }
}
