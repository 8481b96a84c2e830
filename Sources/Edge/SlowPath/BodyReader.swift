import Steering

/// Reads one body, by length or in chunks (RFC 9112 §6.2, §7.1), as it comes in.
///
/// Chunk extensions and trailers are checked and dropped: nothing here reads them, and a trailer never counts as a header (RFC 9110
/// §6.5.1). Where RFC 9112 allows white space in an extension it is read, anywhere else it is a fault. The connection ends after a body, so
/// no other message's bounds hang on this.
struct BodyReader {
    enum Outcome: Equatable {
        case incomplete
        case complete
        case fault(HTTPFault)
    }

    private enum State {
        case data
        case size, sizeLF, dataCR, dataLF
        case beforeExtensionName, extensionName, afterExtensionName, beforeExtensionValue, extensionToken, extensionQuote, extensionEscape
        case afterExtensionQuote
        /// After white space that only `;` may follow.
        case beforeExtension
        case trailerStart, trailerName, trailerValue, trailerLF, endLF, complete
    }

    /// What has been read, without its framing.
    private(set) var content: [UInt8] = []
    private let limit: Int
    private let isChunked: Bool
    private var state: State
    /// Bytes of content to come until the end of the body or chunk.
    private var left = 0
    private var hasDigits = false

    /// - Parameter limit: bytes of content.
    init(_ body: RequestHead.Body, limit: Int) {
        self.limit = limit
        switch body {
        case .none: (isChunked, state) = (false, .complete)
        case .length(let length): (isChunked, state, left) = (false, .data, length)
        case .chunked: (isChunked, state) = (true, .size)
        }
    }

    /// Goes on where the last call ended. What follows the body is not looked at.
    mutating func take(_ bytes: borrowing Span<UInt8>) -> Outcome {
        var index = 0
        while index < bytes.count, state != .complete {
            if state == .data {
                let count = min(left, bytes.count - index)
                content.reserveCapacity(content.count + count)
                for byte in index..<index + count { content.append(bytes[byte]) }
                left -= count
                index += count
                if left == 0 { state = isChunked ? .dataCR : .complete }
                continue
            }
            do throws(HTTPFault) { try takeFraming(bytes[index]) } catch { return .fault(error) }
            index += 1
        }
        return state == .complete ? .complete : .incomplete
    }

    private mutating func takeFraming(_ byte: UInt8) throws(HTTPFault) {
        switch state {
        case .size: try takeSize(byte)
        case .dataCR: try expect(.carriageReturn, byte, then: .dataLF)
        case .dataLF: try expect(.lineFeed, byte, then: .size)
        case .sizeLF: try expect(.lineFeed, byte, then: left == 0 ? .trailerStart : .data)
        case .trailerStart, .trailerName, .trailerValue, .trailerLF, .endLF: try takeTrailer(byte)
        default: try takeExtension(byte)
        }
    }

    private mutating func expect(_ wanted: UInt8, _ byte: UInt8, then next: State) throws(HTTPFault) {
        guard byte == wanted else { throw .framing }
        state = next
    }

    private mutating func takeSize(_ byte: UInt8) throws(HTTPFault) {
        if let digit = BodyReader.hexDigit(byte) {
            left = left << 4 | digit
            hasDigits = true
            if left > limit - content.count { throw .bodyTooLarge }
        } else {
            guard hasDigits else { throw .framing }
            hasDigits = false
            try endElement(byte, onSpace: .beforeExtension)
        }
    }

    /// What may follow a size, or a name or value of an extension.
    private mutating func endElement(_ byte: UInt8, onSpace: State) throws(HTTPFault) {
        switch byte {
        case .carriageReturn: state = .sizeLF
        case UInt8(ascii: ";"): state = .beforeExtensionName
        case .space, .tab: state = onSpace
        default: throw .framing
        }
    }

    /// `*( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )` (RFC 9112 §7.1.1).
    private mutating func takeExtension(_ byte: UInt8) throws(HTTPFault) {
        let isSpace = byte == .space || byte == .tab
        switch state {
        case .beforeExtension where isSpace, .beforeExtensionName where isSpace, .afterExtensionName where isSpace,
            .beforeExtensionValue where isSpace:
            break
        case .beforeExtension: try expect(UInt8(ascii: ";"), byte, then: .beforeExtensionName)
        case .beforeExtensionName where HeadByte.isToken(byte): state = .extensionName
        case .extensionName where HeadByte.isToken(byte): break
        case .extensionName where byte == UInt8(ascii: "="), .afterExtensionName where byte == UInt8(ascii: "="):
            state = .beforeExtensionValue
        case .extensionName: try endElement(byte, onSpace: .afterExtensionName)
        case .afterExtensionName: try expect(UInt8(ascii: ";"), byte, then: .beforeExtensionName)
        case .beforeExtensionValue where byte == UInt8(ascii: "\""): state = .extensionQuote
        case .beforeExtensionValue where HeadByte.isToken(byte): state = .extensionToken
        case .extensionToken where HeadByte.isToken(byte): break
        case .extensionToken, .afterExtensionQuote: try endElement(byte, onSpace: .beforeExtension)
        case .extensionQuote where byte == UInt8(ascii: "\""): state = .afterExtensionQuote
        case .extensionQuote where byte == UInt8(ascii: "\\"): state = .extensionEscape
        case .extensionQuote where BodyReader.isText(byte): break
        case .extensionEscape where BodyReader.isText(byte): state = .extensionQuote
        default: throw .framing
        }
    }

    private mutating func takeTrailer(_ byte: UInt8) throws(HTTPFault) {
        switch state {
        case .trailerStart where byte == .carriageReturn: state = .endLF
        case .trailerStart where HeadByte.isToken(byte): state = .trailerName
        case .trailerName where byte == UInt8(ascii: ":"): state = .trailerValue
        case .trailerName where HeadByte.isToken(byte): break
        case .trailerValue where byte == .carriageReturn: state = .trailerLF
        case .trailerValue where BodyReader.isText(byte): break
        case .trailerLF: try expect(.lineFeed, byte, then: .trailerStart)
        case .endLF: try expect(.lineFeed, byte, then: .complete)
        default: throw .framing
        }
    }

    private static func hexDigit(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte) - 0x30
        case UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte & 0x0F) + 9
        default: nil
        }
    }

    /// Whether a field's value or a quoted string may have the byte: no control but tab.
    private static func isText(_ byte: UInt8) -> Bool { byte == .tab || (byte >= 0x20 && byte != 0x7F) }
}
