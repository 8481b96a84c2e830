import Steering
import TLS

/// Akamai's EdgeAuth 2.0: fields with tildes between, and an HMAC-SHA256 of them.
struct AkamaiSigner: LinkSigner {
    private let keys: KeyPair<HMACKey>
    private let covers: LinkSigning.Coverage
    private let isInPath: Bool
    private let bindsAddress: Bool
    private let life: Int
    /// `hdnts=`.
    private let name: [UInt8]
    /// What follows the access list: a token in the path says that it is one.
    private let payload: [UInt8]

    /// - Parameter key: hexadecimal.
    init?(_ signing: LinkSigning, _ key: SigningKey) {
        guard let keys = KeyPair(key, { $0.secret.map { HMACKey($0.decodedHex) } }) else { return nil }
        self.keys = keys
        covers = signing.covers
        isInPath = signing.isInPath
        bindsAddress = signing.bindsAddress
        life = signing.life
        name = Array("\(signing.tokenName)=".utf8)
        payload = isInPath ? Array("~data=\(signing.tokenName)".utf8) : []
    }

    func capacity(_ length: Int) -> Int { 3 * length + name.count + payload.count + 48 + 20 + 64 + 32 }

    func sign(_ url: inout OutputSpan<UInt8>, from start: Int, base: Int, for client: ClientAddress, second: Int) -> Range<Int> {
        let parts = LinkParts(url.span, from: start, base: base)
        let end = url.count
        if isInPath { url.append(UInt8(ascii: "/")) } else { url.appendSeparator(parts) }
        url.append(name)
        let token = url.count
        if bindsAddress {
            url.append(literal: "ip=")
            url.append(client)
            url.append(UInt8(ascii: "~"))
        }
        url.append(literal: "exp=")
        url.append(decimal: second + life + LinkLife.skew)
        url.append(literal: "~acl=")
        appendAccessList(to: &url, parts)
        url.append(payload)
        let digest = keys.lend(at: second) { key in
            var code = HMACSHA256(key)
            code.add(url.span.extracting(token..<url.count))
            return code.finish()
        }
        url.append(literal: "~hmac=")
        url.append(hexadecimal: digest.span)
        let length = url.count - token
        guard isInPath else { return token..<url.count }
        url.moveEnd(from: end, to: parts.path.lowerBound)
        let moved = parts.path.lowerBound + 1 + name.count
        return moved..<moved + length
    }

    /// What the list would read as its own signs stands as `?`, which is any one byte to it. In a path slashes would end the token.
    private func appendAccessList(to url: inout OutputSpan<UInt8>, _ parts: LinkParts) {
        for index in parts.covered(covers, url.span) {
            let byte = url.span[index]
            switch byte {
            case UInt8(ascii: "~"), UInt8(ascii: "!"), UInt8(ascii: "*"): url.append(literal: isInPath ? "%3f" : "?")
            case UInt8(ascii: "/") where isInPath: url.append(literal: "%2f")
            case UInt8(ascii: "%") where isInPath: url.append(literal: "%25")
            default: url.append(byte)
            }
        }
        if covers != .file { url.append(UInt8(ascii: "*")) }
    }
}
