/// Frames of RFC 9113 §4.1 and §6.
enum HTTP2Frame {
    static let headerBytes = 9
    /// Bytes of a payload, in both directions: every peer takes so many, and this one allows no more (§4.2).
    static let maximumPayload = 16 * 1024
    /// What a client begins with (§3.4).
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    /// How much of it, the line of a request that HTTP/1 does not have, tells a client of HTTP/2 from one of HTTP/1.
    static let prefaceLineBytes = 16

    enum Kind: UInt8 {
        case data = 0
        case headers, priority, reset, settings, pushPromise, ping, goAway, windowUpdate, continuation
    }

    struct Flags: OptionSet {
        let rawValue: UInt8
        static let endStream = Flags(rawValue: 0x1)
        static let acknowledge = Flags(rawValue: 0x1)
        static let endHeaders = Flags(rawValue: 0x4)
        static let padded = Flags(rawValue: 0x8)
        static let priority = Flags(rawValue: 0x20)
    }

    enum Setting: UInt16 {
        case headerTableSize = 1
        case enablePush, maxConcurrentStreams, initialWindowSize, maxFrameSize, maxHeaderListSize
    }

    /// The header of a frame that comes in.
    struct Header {
        let length: Int
        /// Nil for one that is not known, which is passed over (§5.5).
        let kind: Kind?
        let flags: Flags
        let stream: UInt32

        init(_ bytes: borrowing Span<UInt8>, at start: Int) {
            length = Int(bytes[start]) << 16 | Int(bytes[start + 1]) << 8 | Int(bytes[start + 2])
            kind = Kind(rawValue: bytes[start + 3])
            flags = Flags(rawValue: bytes[start + 4])
            stream = HTTP2Frame.number(bytes, at: start + 5) & 0x7FFF_FFFF
        }
    }

    static func number(_ bytes: borrowing Span<UInt8>, at start: Int) -> UInt32 {
        UInt32(bytes[start]) << 24 | UInt32(bytes[start + 1]) << 16 | UInt32(bytes[start + 2]) << 8 | UInt32(bytes[start + 3])
    }
}

extension [UInt8] {
    mutating func appendFrame(_ kind: HTTP2Frame.Kind, _ flags: HTTP2Frame.Flags = [], stream: UInt32, length: Int) {
        append(UInt8(truncatingIfNeeded: length >> 16))
        append(UInt8(truncatingIfNeeded: length >> 8))
        append(UInt8(truncatingIfNeeded: length))
        append(kind.rawValue)
        append(flags.rawValue)
        appendNumber(stream)
    }

    mutating func appendNumber(_ number: UInt32) {
        append(UInt8(truncatingIfNeeded: number >> 24))
        append(UInt8(truncatingIfNeeded: number >> 16))
        append(UInt8(truncatingIfNeeded: number >> 8))
        append(UInt8(truncatingIfNeeded: number))
    }

    mutating func appendSetting(_ setting: HTTP2Frame.Setting, _ value: Int) {
        append(0)
        append(UInt8(setting.rawValue))
        appendNumber(UInt32(clamping: value))
    }

    /// A header block, in as many frames as it needs (§4.3).
    mutating func appendHeaders(_ block: [UInt8], stream: UInt32, endsStream: Bool) {
        var start = 0
        repeat {
            let end = Swift.min(block.count, start + HTTP2Frame.maximumPayload)
            var flags: HTTP2Frame.Flags = end == block.count ? .endHeaders : []
            if start == 0, endsStream { flags.insert(.endStream) }
            appendFrame(start == 0 ? .headers : .continuation, flags, stream: stream, length: end - start)
            append(contentsOf: block[start..<end])
            start = end
        } while start < block.count
    }
}
