import Steering
import TLS

/// Signs what an expression says: nginx's `secure_link` and Gcore's, which is one, by MD5, and others by HMAC-SHA256.
struct ExpressionSigner: LinkSigner {
    private enum Keys {
        /// The key is a part of the text.
        case md5(KeyPair<Secret>)
        case hmac(KeyPair<HMACKey>)
    }

    private let keys: Keys
    private let pieces: [SigningExpression.Piece]
    private let isInPath: Bool
    private let isHexadecimal: Bool
    private let life: Int
    /// `md5=` and `expires=`.
    private let tokenName: [UInt8]
    private let expiresName: [UInt8]

    /// - Parameter key: fits the scheme.
    init?(_ signing: LinkSigning, _ key: SigningKey) {
        if signing.scheme == .hmac {
            guard let pair = KeyPair(key, { $0.secret.map { HMACKey($0) } }) else { return nil }
            keys = .hmac(pair)
        } else {
            guard let pair = KeyPair(key, { $0.secret }) else { return nil }
            keys = .md5(pair)
        }
        pieces = signing.scheme == .gcore ? ExpressionSigner.gcore(signing) : signing.expression.pieces
        isInPath = signing.isInPath
        isHexadecimal = signing.scheme == .hmac && signing.encoding == .hex
        life = signing.life
        tokenName = Array("\(signing.tokenName)=".utf8)
        expiresName = Array((signing.scheme == .gcore ? "expires=" : "\(signing.expiresParameter)=").utf8)
    }

    /// What Gcore signs: time, path and, where it is bound, the address, then the key behind a space.
    private static func gcore(_ signing: LinkSigning) -> [SigningExpression.Piece] {
        [.expires, signing.covers == .directory ? .directory : .uri] + (signing.bindsAddress ? [.address] : [])
            + [.literal([0x20]), .secret]
    }

    func capacity(_ length: Int) -> Int { tokenName.count + expiresName.count + 64 + 20 + 3 }

    func sign(_ url: inout OutputSpan<UInt8>, from start: Int, base: Int, for client: ClientAddress, second: Int) -> Range<Int> {
        let parts = LinkParts(url.span, from: start, base: base)
        let expiry = second + life + LinkLife.skew
        let end = url.count
        if isInPath {
            url.append(UInt8(ascii: "/"))
        } else {
            url.appendSeparator(parts)
            url.append(tokenName)
        }
        let token = url.count
        appendToken(to: &url, parts, client, second: second, expiry: expiry)
        let tokenEnd = url.count
        url.append(isInPath ? UInt8(ascii: "/") : UInt8(ascii: "&"))
        if !isInPath { url.append(expiresName) }
        url.append(decimal: expiry)
        guard isInPath else { return token..<tokenEnd }
        url.moveEnd(from: end, to: parts.path.lowerBound)
        return parts.path.lowerBound + 1..<parts.path.lowerBound + 1 + tokenEnd - token
    }

    private func appendToken(to url: inout OutputSpan<UInt8>, _ parts: LinkParts, _ client: ClientAddress, second: Int, expiry: Int) {
        switch keys {
        case .md5(let pair):
            let digest = pair.lend(at: second) { secret in
                var md5 = MD5()
                add(to: &md5, url.span, parts, client, expiry, secret)
                return md5.finish()
            }
            url.append(base64URL: digest.span)
        case .hmac(let pair):
            let digest = pair.lend(at: second) { key in
                var code = HMACSHA256(key)
                add(to: &code, url.span, parts, client, expiry, nil)
                return code.finish()
            }
            if isHexadecimal { url.append(hexadecimal: digest.span) } else { url.append(base64URL: digest.span) }
        }
    }

    private func add<Digest: PieceDigest>(
        to digest: inout Digest, _ url: borrowing Span<UInt8>, _ parts: LinkParts, _ client: ClientAddress, _ expiry: Int, _ secret: Secret?
    ) {
        for piece in pieces {
            switch piece {
            case .literal(let bytes): digest.add(bytes)
            case .expires: digest.add(decimal: expiry)
            case .uri: digest.add(decoding: parts.path, of: url, mergesSlashes: true)
            case .directory: digest.add(decoding: parts.covered(.directory, url), of: url, mergesSlashes: true)
            case .path: digest.add(url.extracting(parts.path))
            case .address: digest.add(client)
            case .argument(let name): if let value = parts.argument(name, url) { digest.add(url.extracting(value)) }
            case .secret: if let secret { digest.add(secret) }
            }
        }
    }
}

/// nginx's `secure_link_secret`: a digest of the rest of the link, with its query and as it stands, and the key, behind the target's URL. Its
/// links never expire.
struct SecretLinkSigner: LinkSigner {
    private let keys: KeyPair<Secret>

    init?(_ key: SigningKey) {
        guard let keys = KeyPair(key, { $0.secret }) else { return nil }
        self.keys = keys
    }

    func capacity(_ length: Int) -> Int { 33 }

    func sign(_ url: inout OutputSpan<UInt8>, from start: Int, base: Int, for client: ClientAddress, second: Int) -> Range<Int> {
        let parts = LinkParts(url.span, from: start, base: base)
        let digest = keys.lend(at: second) { secret in
            var md5 = MD5()
            md5.add(url.span.extracting(parts.base..<url.count))
            md5.add(secret)
            return md5.finish()
        }
        let end = url.count
        url.append(hexadecimal: digest.span)
        url.append(UInt8(ascii: "/"))
        url.moveEnd(from: end, to: parts.base)
        return parts.base..<parts.base + 32
    }
}
