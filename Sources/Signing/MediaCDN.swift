import Steering
import TLS

/// Google Media CDN's signatures (Ed25519): of the whole URL, of a prefix in the query, or of what stands before them in the path.
struct MediaCDNForm: SignedForm {
    let covers: LinkSigning.Coverage
    private let isInPath: Bool

    init(_ signing: LinkSigning) {
        covers = signing.covers
        isInPath = signing.isInPath
    }

    // The link, or its beginning in Base64, stands behind it for a while.
    func capacity(_ length: Int) -> Int { 2 * length + 88 + 2 * 64 + 128 }

    func begin(_ url: inout OutputSpan<UInt8>, _ parts: LinkParts, _ client: ClientAddress, expiry: Int, id: [UInt8]) -> Draft {
        let end = url.count
        var text = parts.start
        let covered = parts.start..<parts.covered(covers, url.span).upperBound
        if isInPath {
            text = end
            url.append(copyOf: covered)
            url.append(literal: "edge-cache-token=")
        } else {
            url.appendSeparator(parts)
            if covers != .file {
                text = url.count
                url.append(literal: "URLPrefix=")
                let prefix = url.count
                url.append(copyOf: covered)
                url.encodeBase64(from: prefix, .url)
                url.append(UInt8(ascii: "&"))
            }
        }
        url.append(literal: "Expires=")
        url.append(decimal: expiry)
        url.append(literal: "&KeyName=")
        url.append(id)
        return Draft(parts: parts, end: end, text: text..<url.count)
    }

    func end(_ url: inout OutputSpan<UInt8>, _ draft: Draft, _ signature: Signature, _ hash: SignatureKey.Hash, id: [UInt8]) -> Range<Int> {
        url.append(literal: "&Signature=")
        let token = url.count
        url.append(base64: signature, .url)
        let length = url.count - token
        guard isInPath else { return token..<token + length }
        url.append(UInt8(ascii: "/"))
        // The copy of what is covered goes, and the token behind what it was a copy of.
        let prefixEnd = draft.parts.covered(covers, url.span).upperBound
        let copy = prefixEnd - draft.parts.start
        url.moveEnd(from: draft.end + copy, to: draft.end)
        url.removeLast(copy)
        url.moveEnd(from: draft.end, to: prefixEnd)
        let moved = token - copy - draft.end + prefixEnd
        return moved..<moved + length
    }
}

/// Google Media CDN's tokens by HMAC-SHA256, for routes that take one in the query and hand another one on to the segments.
struct MediaCDNTokenSigner: LinkSigner {
    private let keys: KeyPair<HMACKey>
    private let covers: LinkSigning.Coverage
    private let bindsAddress: Bool
    private let life: Int
    /// `edge-cache-token=`.
    private let name: [UInt8]

    /// - Parameter key: the shared secret as it is.
    init?(_ signing: LinkSigning, _ key: SigningKey) {
        guard let keys = KeyPair(key, { $0.secret.map { HMACKey($0) } }) else { return nil }
        self.keys = keys
        covers = signing.covers
        bindsAddress = signing.bindsAddress
        life = signing.life
        name = Array("\(signing.tokenName)=".utf8)
    }

    func capacity(_ length: Int) -> Int { name.count + 4 * (length + 2) / 3 + 4 * 48 / 3 + 64 + 96 }

    func sign(_ url: inout OutputSpan<UInt8>, from start: Int, base: Int, for client: ClientAddress, second: Int) -> Range<Int> {
        let parts = LinkParts(url.span, from: start, base: base)
        let covered = start..<parts.covered(covers, url.span).upperBound
        url.appendSeparator(parts)
        url.append(name)
        let token = url.count
        // Of a prefix no byte has a meaning of its own, as those of a glob have.
        url.append(literal: "URLPrefix=")
        let prefix = url.count
        url.append(copyOf: covered)
        url.encodeBase64(from: prefix, .urlWithoutPadding)
        url.append(literal: "~Expires=")
        url.append(decimal: second + life + LinkLife.skew)
        if bindsAddress {
            url.append(literal: "~IPRanges=")
            let range = url.count
            url.append(client.isIPv4 ? client : client.network64)
            url.append(literal: client.isIPv4 ? "/32" : "/64")
            url.encodeBase64(from: range, .urlWithoutPadding)
        }
        let digest = keys.lend(at: second) { key in
            var code = HMACSHA256(key)
            code.add(url.span.extracting(token..<url.count))
            return code.finish()
        }
        url.append(literal: "~hmac=")
        url.append(hexadecimal: digest.span)
        return token..<url.count
    }
}
