import Steering
import TLS

/// Amazon CloudFront's policies: canned for a file, custom for what a directory has and for one address.
struct CloudFrontForm: SignedForm {
    let covers: LinkSigning.Coverage
    private let bindsAddress: Bool

    init(_ signing: LinkSigning) {
        covers = signing.covers
        bindsAddress = signing.bindsAddress
    }

    private var isCanned: Bool { covers == .file && !bindsAddress }

    // A star is three bytes in the link, and the link is in the policy, which is a third longer in Base64.
    func capacity(_ length: Int) -> Int { 2 * length + 4 * length + 256 + 4 * Signature.maximum / 3 + 2 * 64 + 128 }

    /// A star in a policy is any text, so whoever asked for one would get all.
    func prepare(_ url: inout OutputSpan<UInt8>, from start: Int) { url.escape(UInt8(ascii: "*"), from: start) }

    func begin(_ url: inout OutputSpan<UInt8>, _ parts: LinkParts, _ client: ClientAddress, expiry: Int, id: [UInt8]) -> Draft {
        let end = url.count
        if isCanned {
            url.appendSeparator(parts)
            url.append(literal: "Expires=")
            url.append(decimal: expiry)
            url.append(literal: "&Signature=")
        } else {
            url.appendSeparator(parts)
            url.append(literal: "Policy=")
        }
        let text = url.count
        url.append(literal: "{\"Statement\":[{\"Resource\":\"")
        let resource = parts.start..<(covers == .file ? end : parts.covered(covers, url.span).upperBound)
        url.append(copyOf: resource)
        if covers != .file { url.append(UInt8(ascii: "*")) }
        url.append(literal: "\",\"Condition\":{\"DateLessThan\":{\"AWS:EpochTime\":")
        url.append(decimal: expiry)
        url.append(UInt8(ascii: "}"))
        if bindsAddress {
            url.append(literal: ",\"IpAddress\":{\"AWS:SourceIp\":\"")
            url.append(client)
            url.append(literal: client.isIPv4 ? "/32\"}" : "/128\"}")
        }
        url.append(literal: "}}]}")
        return Draft(parts: parts, end: end, text: text..<url.count)
    }

    func end(_ url: inout OutputSpan<UInt8>, _ draft: Draft, _ signature: Signature, _ hash: SignatureKey.Hash, id: [UInt8]) -> Range<Int> {
        var token = draft.text.lowerBound
        if isCanned {
            url.removeLast(draft.text.count)
        } else {
            url.encodeBase64(from: token, .cloudFront)
            url.append(literal: "&Signature=")
            // The policy is no secret, but long.
            token = url.count
        }
        url.append(base64: signature, .cloudFront)
        let tokenEnd = url.count
        url.append(literal: "&Key-Pair-Id=")
        url.append(id)
        // CloudFront takes SHA-1 without a word.
        if hash == .sha256 { url.append(literal: "&Hash-Algorithm=SHA256") }
        return token..<tokenEnd
    }
}
