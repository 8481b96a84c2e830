import Steering
import TLS

/// Bunny's advanced token authentication: `HS256-` and an HMAC-SHA256 of path, time, address and parameters. Parameters of the video are no
/// part of it, so that players may add theirs.
struct BunnySigner: LinkSigner {
    private let keys: KeyPair<HMACKey>
    private let covers: LinkSigning.Coverage
    private let isInPath: Bool
    private let bindsAddress: Bool
    private let life: Int

    init?(_ signing: LinkSigning, _ key: SigningKey) {
        guard let keys = KeyPair(key, { $0.secret.map { HMACKey($0) } }) else { return nil }
        self.keys = keys
        covers = signing.covers
        isInPath = signing.isInPath
        bindsAddress = signing.bindsAddress
        life = signing.life
    }

    func capacity(_ length: Int) -> Int { 3 * length + 160 }

    func sign(_ url: inout OutputSpan<UInt8>, from start: Int, base: Int, for client: ClientAddress, second: Int) -> Range<Int> {
        let parts = LinkParts(url.span, from: start, base: base)
        let covered = parts.covered(covers, url.span)
        let expiry = second + life + LinkLife.skew
        let digest = keys.lend(at: second) { key in
            code(key, url.span, covered, client, expiry)
        }
        let end = url.count
        if isInPath {
            url.append(literal: "/bcdn_token=")
        } else {
            url.appendSeparator(parts)
            url.append(literal: "token=")
        }
        let token = url.count
        url.append(literal: bindsAddress ? "HS256-1-" : "HS256-")
        url.append(base64URL: digest.span)
        let length = url.count - token
        url.append(literal: "&token_ignore_params=true")
        if covers != .file {
            url.append(literal: "&token_path=")
            appendEncoded(covered, to: &url)
        }
        url.append(literal: "&expires=")
        url.append(decimal: expiry)
        guard isInPath else { return token..<token + length }
        url.moveEnd(from: end, to: parts.path.lowerBound)
        let moved = parts.path.lowerBound + token - end
        return moved..<moved + length
    }

    private func code(
        _ key: HMACKey, _ url: borrowing Span<UInt8>, _ covered: Range<Int>, _ client: ClientAddress, _ expiry: Int
    ) -> InlineArray<32, UInt8> {
        var code = HMACSHA256(key)
        code.add(decoding: covered, of: url, mergesSlashes: false)
        code.add(decimal: expiry)
        if bindsAddress { add(client, to: &code) }
        code.add(literal: "token_ignore_params=true")
        if covers != .file {
            code.add(literal: "&token_path=")
            code.add(decoding: covered, of: url, mergesSlashes: false)
        }
        return code.finish()
    }

    /// Its bytes; of IPv6 the network's 64 bits, since the rest changes by itself (RFC 8981).
    private func add(_ client: ClientAddress, to code: inout HMACSHA256) {
        if client.isIPv4 {
            for shift: UInt64 in [24, 16, 8, 0] { code.add(UInt8(truncatingIfNeeded: client.low >> shift)) }
            return
        }
        for shift: UInt64 in [56, 48, 40, 32, 24, 16, 8, 0] { code.add(UInt8(truncatingIfNeeded: client.high >> shift)) }
        for _ in 0..<8 { code.add(0) }
    }

    /// Percent-encodes what the path stands for: all but letters, digits and `-_.~`.
    private func appendEncoded(_ range: Range<Int>, to url: inout OutputSpan<UInt8>) {
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = url.span[index]
            // An escape is one already, but for the letter case of its digits.
            let isEscape =
                byte == UInt8(ascii: "%") && index + 2 < range.upperBound && HexDigit.value(url.span[index + 1]) != nil
                && HexDigit.value(url.span[index + 2]) != nil
            if isEscape || BunnySigner.isUnreserved(byte) {
                url.append(byte)
            } else {
                url.append(UInt8(ascii: "%"))
                url.append(HexDigit.upper(byte >> 4))
                url.append(HexDigit.upper(byte & 15))
            }
            index += 1
        }
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"): true
        default: false
        }
    }
}
