import Steering

/// Base64 (RFC 4648) as CDNs want it in links.
enum Base64Alphabet {
    /// §5, with padding.
    case url
    case urlWithoutPadding
    /// §4 with `-`, `_` and `~` for `+`, `=` and `/`.
    case cloudFront

    func character(_ value: UInt8) -> UInt8 {
        switch value {
        case 0..<26: 0x41 &+ value
        case 26..<52: 0x61 &+ value &- 26
        case 52..<62: 0x30 &+ value &- 52
        case 62: UInt8(ascii: "-")
        default: self == .cloudFront ? UInt8(ascii: "~") : UInt8(ascii: "_")
        }
    }

    var padding: UInt8? {
        switch self {
        case .url: UInt8(ascii: "=")
        case .urlWithoutPadding: nil
        case .cloudFront: UInt8(ascii: "_")
        }
    }
}

extension OutputSpan<UInt8> {
    /// Appends what stands in an earlier part.
    mutating func append(copyOf range: Range<Int>) {
        for index in range {
            let byte = span[index]
            append(byte)
        }
    }

    /// Encodes what stands from `start` on, in its place.
    mutating func encodeBase64(from start: Int, _ alphabet: Base64Alphabet) {
        let length = count - start
        let groups = (length + 2) / 3
        for _ in 0..<4 * groups - length { append(0) }
        var bytes = mutableSpan
        // From the end: what is written lies behind what is still to be read.
        var group = groups - 1
        while group >= 0 {
            let index = start + 3 * group
            let left = min(3, length - 3 * group)
            let word =
                UInt32(bytes[index]) << 16 | (left > 1 ? UInt32(bytes[index + 1]) << 8 : 0) | (left > 2 ? UInt32(bytes[index + 2]) : 0)
            for position in 0..<4 {
                let value = UInt8(truncatingIfNeeded: word >> UInt32(18 - 6 * position) & 63)
                bytes[start + 4 * group + position] = position <= left ? alphabet.character(value) : alphabet.padding ?? 0
            }
            group -= 1
        }
        if alphabet.padding == nil { removeLast((3 - length % 3) % 3) }
    }

    mutating func append(base64 signature: Signature, _ alphabet: Base64Alphabet) {
        let start = count
        for index in 0..<signature.count { append(signature[index]) }
        encodeBase64(from: start, alphabet)
    }

    mutating func append(_ address: ClientAddress) {
        let text = AddressText(address)
        append(copying: text.bytes.span.extracting(0..<text.count))
    }

    /// Percent-encodes a byte wherever it stands from `start` on.
    mutating func escape(_ byte: UInt8, from start: Int) {
        var found = 0
        for index in start..<count where span[index] == byte { found += 1 }
        if found == 0 { return }
        var read = count - 1
        for _ in 0..<2 * found { append(0) }
        var write = count - 1
        var bytes = mutableSpan
        while write > read {
            if bytes[read] == byte {
                bytes[write] = HexDigit.upper(byte & 15)
                bytes[write - 1] = HexDigit.upper(byte >> 4)
                bytes[write - 2] = UInt8(ascii: "%")
                write -= 3
            } else {
                bytes[write] = bytes[read]
                write -= 1
            }
            read -= 1
        }
    }
}

extension ClientAddress {
    /// The network of an IPv6 address: the other half changes by itself (RFC 8981).
    var network64: ClientAddress { ClientAddress(high: high, low: 0) }
}
