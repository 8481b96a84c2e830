import Steering

/// Reads one request head, strictly, in as many pieces as it comes in.
///
/// The profile is narrower than RFC 9112 allows where leniency has been the root of request smuggling: single spaces, CR LF
/// only, no folding, exactly one valid Host, one framing (docs/http.md lists each choice). What it accepts, llhttp accepts
/// with the same method, target and Host; the reverse does not hold.
///
/// A byte is looked at once. A verdict never changes as more bytes come in: whole, byte by byte, or in any pieces.
struct HeadScanner {
    enum Outcome: Equatable {
        case incomplete
        case complete(RequestHead)
        case fault(HTTPFault)
    }

    private enum State {
        case start, startLF, method, target, version, lineLF, fieldStart, fieldName, fieldValue, fieldLF, endLF
    }

    private let limits: Limits
    private var state = State.start
    private var position = 0
    private var emptyLines = 0
    private var mark = 0
    private var lineHasVersion = false
    private var versionRange = 0..<0
    private var fieldsStart = 0
    private var nameRange = 0..<0
    private var fields = HeadFields()
    private var head = RequestHead()

    init(limits: Limits) { self.limits = limits }

    /// Whether a byte of a head has been seen; empty lines before it do not count.
    var hasBegun: Bool { state != .start && state != .startLF }

    /// The method, once it has been read: the answer to a bad HEAD has no body either.
    var method: RequestHead.Method { head.method }

    /// Goes on where the last call ended.
    ///
    /// - Parameter bytes: everything since the head's first byte, what earlier calls have seen included.
    mutating func scan(_ bytes: borrowing Span<UInt8>) -> Outcome {
        while position < bytes.count {
            do throws(HTTPFault) {
                if try take(bytes[position], bytes) { return .complete(head) }
            } catch {
                return .fault(error)
            }
            position += 1
        }
        return .incomplete
    }

    /// - Returns: true when this byte ends the head.
    private mutating func take(_ byte: UInt8, _ bytes: borrowing Span<UInt8>) throws(HTTPFault) -> Bool {
        switch state {
        case .start: try takeStart(byte)
        case .startLF:
            guard byte == .lineFeed else { throw .lineEnd }
            emptyLines += 1
            if emptyLines > 4 { throw .requestLine }
            state = .start
        case .method: try takeMethod(byte, bytes)
        case .target: try takeTarget(byte)
        case .version: try takeVersion(byte)
        case .lineLF:
            guard byte == .lineFeed else { throw .lineEnd }
            try endRequestLine(bytes)
        case .fieldStart: try takeFieldStart(byte)
        case .fieldName: try takeFieldName(byte)
        case .fieldValue: try takeFieldValue(byte)
        case .fieldLF:
            guard byte == .lineFeed else { throw .lineEnd }
            try fields.take(bytes, name: nameRange, value: mark..<position - 1, limit: limits.fields)
            state = .fieldStart
        case .endLF:
            guard byte == .lineFeed else { throw .lineEnd }
            head.fields = HeadRange(fieldsStart..<position - 1)
            try fields.finish(&head, bytes)
            head.length = position + 1
            return true
        }
        return false
    }

    private mutating func takeStart(_ byte: UInt8) throws(HTTPFault) {
        if byte == .carriageReturn {
            state = .startLF
        } else if byte == .lineFeed {
            throw .lineEnd
        } else if HeadByte.isToken(byte) {
            mark = position
            state = .method
        } else {
            throw .method
        }
    }

    private mutating func takeMethod(_ byte: UInt8, _ bytes: borrowing Span<UInt8>) throws(HTTPFault) {
        if byte == .space {
            head.method = HeadByte.method(bytes, mark..<position)
            mark = position + 1
            state = .target
        } else if !HeadByte.isToken(byte) {
            throw .method
        } else if position - mark >= 16 {
            throw .methodTooLong
        }
    }

    private mutating func takeTarget(_ byte: UInt8) throws(HTTPFault) {
        switch byte {
        case .space where position > mark, .carriageReturn:
            head.target = HeadRange(mark..<position)
            mark = position + 1
            state = byte == .space ? .version : .lineLF
        case 0x21...0x22, 0x24...0x7E:
            if position - mark >= limits.target { throw .targetTooLong }
        case .lineFeed: throw .lineEnd
        // No target has a fragment (RFC 9112 §3.2).
        default: throw .target
        }
    }

    private mutating func takeVersion(_ byte: UInt8) throws(HTTPFault) {
        if byte == .carriageReturn {
            versionRange = mark..<position
            lineHasVersion = true
            state = .lineLF
        } else if byte == .lineFeed {
            throw .lineEnd
        } else if position - mark > 64 {
            throw .version
        }
    }

    private mutating func endRequestLine(_ bytes: borrowing Span<UInt8>) throws(HTTPFault) {
        guard lineHasVersion, !head.target.range.isEmpty else { throw .requestLine }
        guard versionRange.count == 8, bytes.begins(with: "HTTP/", in: versionRange) else { throw .version }
        let major = bytes[versionRange.lowerBound + 5]
        let minor = bytes[versionRange.lowerBound + 7]
        let dot = bytes[versionRange.lowerBound + 6]
        guard HeadByte.isDigit(major), dot == UInt8(ascii: "."), HeadByte.isDigit(minor) else { throw .version }
        guard major == UInt8(ascii: "1") else { throw .unsupportedVersion }
        head.isHTTP10 = minor == UInt8(ascii: "0")
        fieldsStart = position + 1
        state = .fieldStart
    }

    private mutating func takeFieldStart(_ byte: UInt8) throws(HTTPFault) {
        if byte == .carriageReturn {
            state = .endLF
        } else if byte == .space || byte == .tab {
            throw .foldedField
        } else if HeadByte.isToken(byte) {
            mark = position
            state = .fieldName
            try checkSize()
        } else {
            throw byte == .lineFeed ? .lineEnd : .fieldName
        }
    }

    private mutating func takeFieldName(_ byte: UInt8) throws(HTTPFault) {
        if byte == UInt8(ascii: ":") {
            nameRange = mark..<position
            mark = position + 1
            state = .fieldValue
        } else if !HeadByte.isToken(byte) {
            throw .fieldName
        }
        try checkSize()
    }

    private mutating func takeFieldValue(_ byte: UInt8) throws(HTTPFault) {
        if byte == .carriageReturn {
            state = .fieldLF
        } else if byte == .lineFeed {
            throw .lineEnd
        } else if (byte < 0x20 && byte != .tab) || byte == 0x7F {
            throw .fieldValue
        }
        try checkSize()
    }

    private func checkSize() throws(HTTPFault) {
        if position - fieldsStart > limits.head { throw .headTooLarge }
    }
}
